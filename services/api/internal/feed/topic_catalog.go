package feed

import (
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
)

// topicVariants are the forms of a topic's feeds that are worth listing.
var topicVariants = [...]struct {
	family Family
	format Format
	query  string
	opts   Options
	by     topic.Dimension
}{
	{FamilyFeed, "feed.json", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.xml", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.csv", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.tsv", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.txt", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.atom", "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.rss", "", Options{}, topic.ByHashtag},
	{FamilyFeed, TopicJSON, "", Options{}, topic.ByHashtag},
	{FamilyFeed, "feed.json", "?shape=wide&top=5", Options{Wide: true, Top: 5}, topic.ByHashtag},
	{FamilyFeed, "feed.json", "?by=sentiment", Options{}, topic.BySentiment},
	{FamilyFeed, "feed.json", "?by=country&top=10", Options{Top: 10}, topic.ByCountry},
	{FamilyTrends, "trends.json", "", Options{}, ""},
	{FamilyTrends, "trends.xml", "", Options{}, ""},
	{FamilyTrends, "trends.csv", "", Options{}, ""},
	{FamilyTrends, "trends.json", "?kind=risers", Options{}, ""},
	{FamilyPosts, "posts.json", "", Options{}, ""},
	{FamilyPosts, "posts.xml", "", Options{}, ""},
	{FamilyPosts, "posts.csv", "", Options{}, ""},
}

// TopicCatalog lists the feeds of topics of a destination; see Catalog.
func TopicCatalog(base string, show audience.Show, destination audience.Destination, topics []audience.Topic) []Entry {
	var entries []Entry
	for _, t := range topics {
		for _, v := range topicVariants {
			in := topicExample(show, destination, t, v.family, v.by, strings.Contains(v.query, KindRisers))
			body, contentType := in.Render(v.format, v.opts)
			entries = append(entries, Entry{
				Topic: t.ID, Format: string(v.format) + v.query, ContentType: contentType,
				URL: base + "/topics/" + t.ID + "/" + string(v.format) + v.query, Schema: topicSchema(in, v.format, v.family, v.opts), Example: string(body),
			})
		}
	}
	return entries
}

// topicSchema describes a body. It is read off the cells that make the body, so
// it cannot differ from them.
func topicSchema(in TopicFeed, f Format, family Family, opts Options) map[string]any {
	s := in.sheetOf(opts)
	s.alias(in.Head().Destination.Aliases)
	format := plainFormat(f, family)
	var schema map[string]any
	if format == PollJSON {
		schema = nestedSchema(s.pollNames, s.poll, s.optionNames, s.options[0].cells)
		properties := schema["properties"].(map[string]any)
		properties["rows"] = properties["options"]
		delete(properties, "options")
		schema["required"] = append(append([]string(nil), s.pollNames...), "rows")
	} else {
		schema = rowsSchema(s, format, opts)
	}
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	return schema
}

// topicExample makes up figures for a topic.
func topicExample(show audience.Show, destination audience.Destination, t audience.Topic, family Family, by topic.Dimension, risers bool) TopicFeed {
	const asOf = 1_767_225_600_000
	h := Heard{
		Show: show, Topic: t, Revision: 1, Destination: destination, Minutes: 30, Complete: true, Generation: 1, Seq: 1, AsOf: asOf,
	}
	switch family {
	case FamilyTrends:
		in := &Themed{Heard: h, Kind: KindThemes, Posts: 1000, Themes: []topic.Theme{
			{Text: "goal", Hashtag: true, N: 400, Percent: 40, Before: 100, Score: 12.5, Weight: 1},
			{Text: "penalty", N: 100, Percent: 10, Before: 90, Score: 0.4, Weight: 0.5},
		}}
		if risers {
			in.Kind = KindRisers
		}
		return in
	case FamilyPosts:
		return &Shown{Heard: h, Posts: []ShownPost{{
			Key: "x:1", Platform: "x", AuthorName: "Ana", AuthorHandle: "ana", Text: "What a goal!", Language: "en", State: "featured",
			CreatedAt: asOf, ReceivedAt: asOf, Featured: true,
		}}}
	}
	in := &Parted{
		Heard: h, By: by, Rate: 1, Estimated: 1000, Exclusive: by != topic.ByHashtag,
		Figures:     topic.Figures{Posts: 1000, Reposts: 300, Replies: 100, Media: 250, Authors: 800},
		PostsChange: topic.Change{Before: 900, Change: 100, Percent: 11.111}, AuthorsChange: topic.Change{Before: 750, Change: 50, Percent: 6.667},
		Mood: topic.Mood{Positive: topic.Range{Share: 0.5}, Neutral: topic.Range{Share: 0.3}, Negative: topic.Range{Share: 0.2}, Judged: 900},
	}
	keys := map[topic.Dimension][2]string{topic.ByHashtag: {"goal", "final"}, topic.BySentiment: {"pos", "neg"}, topic.ByCountry: {"BR", "AR"}}[by]
	for i, key := range keys {
		n := int64(600 - 400*i)
		part := topic.Compared{Part: topic.Part{Key: key, N: n, Percent: float64(n) / 10}, Change: topic.Change{Before: n - 50, Change: 50, Percent: 10}}
		in.Parts, in.Labels = append(in.Parts, part), append(in.Labels, key)
	}
	return in
}
