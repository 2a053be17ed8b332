package feed

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
)

// topicVariants are the forms of a topic's feeds that are worth listing. A preset
// has as many rows as its graphic has places.
var topicVariants = [...]struct {
	family Family
	format Format
	query  string
}{
	{FamilyFeed, "feed.json", ""},
	{FamilyFeed, "feed.xml", ""},
	{FamilyFeed, "feed.csv", ""},
	{FamilyFeed, "feed.tsv", ""},
	{FamilyFeed, "feed.txt", ""},
	{FamilyFeed, "feed.atom", ""},
	{FamilyFeed, "feed.rss", ""},
	{FamilyFeed, TopicJSON, ""},
	{FamilyFeed, "feed.json", "?shape=wide&top=5"},
	{FamilyFeed, "feed.json", "?by=sentiment"},
	{FamilyFeed, "feed.json", "?by=country&top=10"},
	{FamilyFeed, "feed.json", "?preset=vertigo&top=5"},
	{FamilyFeed, "feed.json", "?preset=viz-social&top=5"},
	{FamilyFeed, "feed.json", "?preset=caspar&top=5"},
	{FamilyFeed, "feed.xml", "?preset=caspar&top=5"},
	{FamilyFeed, "feed.json", "?preset=spx&top=5"},
	{FamilyTrends, "trends.json", ""},
	{FamilyTrends, "trends.xml", ""},
	{FamilyTrends, "trends.csv", ""},
	{FamilyTrends, "trends.json", "?kind=risers"},
	{FamilyTrends, "trends.json", "?preset=vertigo&top=5"},
	{FamilyTrends, "trends.json", "?preset=viz-social&top=5"},
	{FamilyTrends, "trends.json", "?preset=caspar&top=5"},
	{FamilyTrends, "trends.xml", "?preset=caspar&top=5"},
	{FamilyTrends, "trends.json", "?preset=spx&top=5"},
	{FamilyPosts, "posts.json", ""},
	{FamilyPosts, "posts.xml", ""},
	{FamilyPosts, "posts.csv", ""},
	{FamilyPosts, "posts.json", "?preset=caspar&top=3"},
	{FamilyPosts, "posts.xml", "?preset=caspar&top=3"},
	{FamilyPosts, "posts.json", "?preset=spx&top=3"},
}

// TopicCatalog lists the feeds of topics of a destination; see Catalog.
func TopicCatalog(base string, show audience.Show, destination audience.Destination, topics []audience.Topic) []Entry {
	entries := make([]Entry, 0, len(topics)*len(topicVariants))
	for _, t := range topics {
		for _, v := range topicVariants {
			query, _ := url.ParseQuery(strings.TrimPrefix(v.query, "?")) // they are well-formed
			opts := ParseTopic(query)
			in := topicExample(show, destination, t, v.family, query)
			body, contentType := in.Render(v.format, opts)
			entries = append(entries, Entry{
				Topic: t.ID, Format: string(v.format) + v.query, ContentType: contentType,
				URL:    base + "/topics/" + t.ID + "/" + string(v.format) + v.query,
				Schema: in.sheetOf(opts).schema(plainFormat(v.format, v.family), opts, destination.Aliases), Example: string(body),
			})
		}
	}
	return entries
}

// topicExample makes up figures for a topic.
func topicExample(show audience.Show, destination audience.Destination, t audience.Topic, family Family, query url.Values) TopicFeed {
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
		if query.Get("kind") == KindRisers {
			in.Kind = KindRisers
		}
		return in
	case FamilyPosts:
		return &Shown{Heard: h, Posts: []ShownPost{{
			Key: "x:1", Platform: "x", AuthorName: "Ana", AuthorHandle: "ana", Text: "What a goal!", Language: "en", State: "featured",
			CreatedAt: asOf, ReceivedAt: asOf, Featured: true,
		}}}
	}
	by := topic.Dimension(cmp.Or(query.Get("by"), string(topic.ByHashtag)))
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
