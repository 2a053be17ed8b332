package feed

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/topic"
)

// hashtags, themes and posts are a topic's feeds with awkward words.
func hashtags() *Parted {
	return talk(topic.Part{Key: "Gol", N: 5000}, topic.Part{Key: "b\t\"c\"", N: 100}, topic.Part{Key: "c", N: 100}, topic.Part{Key: "rare", N: 1})
}

func themes() *Themed {
	return &Themed{Heard: talk().Heard, Kind: KindThemes, Posts: 12_345, Themes: []topic.Theme{
		{Text: "Gol", Hashtag: true, N: 5000, Percent: 40.5, Score: 4, Weight: 1},
		{Text: "pênalti", N: 1000, Percent: 8.1, Score: 9, Weight: 0.4}, {Text: "juiz", N: 1000, Percent: 8.1, Score: 5, Weight: 0.4},
		{Text: "rare", N: 3, Percent: 0.02, Score: 3.5},
	}}
}

func posts() *Shown {
	in := &Shown{Heard: talk().Heard, Posts: []ShownPost{
		{
			Key: "x:1", Platform: "x", AuthorName: "Ana \"A\"\u202e", AuthorHandle: "ana", Text: "Que gol!\r\nDe <novo> & de novo", Language: "pt",
			State: "featured", Media: "https://img.example/a.png?x=1&y=2", CreatedAt: asOf, ReceivedAt: asOf, Featured: true,
		},
		{Key: "mastodon:2", Platform: "mastodon", AuthorName: "בני", Text: "שער", Language: "he", State: "approved", CreatedAt: asOf, ReceivedAt: asOf},
	}}
	in.Show.Timezone = "America/Sao_Paulo"
	return in
}

func topicBody(t *testing.T, in TopicFeed, f Format, query string) string {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := in.Render(f, ParseTopic(values))
	return string(b)
}

func TestGoldenPresetsOfTopics(t *testing.T) {
	aliased := hashtags()
	aliased.Destination.Aliases = map[string]string{"row2_label": "f1", "f0": "title", "row1_pct_int": "f10", "label": "name"}
	moods := talk(topic.Part{Key: "pos", N: 12}, topic.Part{Key: "neg", N: 4}, topic.Part{Key: "neu", N: 1})
	moods.By, moods.Exclusive, moods.Posts, moods.Labels = topic.BySentiment, true, 17, []string{"Positivo", "Negativo", "Neutro"}
	risers := themes()
	risers.Kind, risers.Themes = KindRisers, []topic.Theme{risers.Themes[1], risers.Themes[2], risers.Themes[0]}
	tests := []struct {
		name   string
		in     TopicFeed
		format Format
		query  string
	}{
		{"topic-vertigo", hashtags(), "feed.json", "preset=vertigo"},
		{"topic-vertigo", hashtags(), "feed.csv", "preset=vertigo&sort=label&top=3"},
		{"topic-vertigo", hashtags(), "feed.xml", "preset=vertigo&top=1"},
		{"topic-viz-social", hashtags(), "feed.json", "preset=viz-social"},
		{"topic-caspar", hashtags(), "feed.json", "preset=caspar&slots=5"},
		{"topic-caspar", hashtags(), "feed.xml", "preset=caspar&top=2&locale=de"},
		{"topic-spx", moods, "feed.json", "preset=spx&slots=3"},
		{"topic-spx-fields", aliased, "feed.json", "preset=spx"},
		{"topic-nothing-vertigo", talk(), "feed.json", "preset=vertigo"},
		{"topic-nothing-viz-social", talk(), "feed.json", "preset=viz-social"},
		{"topic-nothing-caspar", talk(), "feed.json", "preset=caspar&top=2"},
		{"topic-vertigo", themes(), "trends.json", "preset=vertigo"},
		{"topic-vertigo-risers", risers, "trends.json", "preset=vertigo"},
		{"topic-viz-social", themes(), "trends.json", "preset=viz-social&top=2"},
		{"topic-caspar", themes(), "trends.json", "preset=caspar&slots=4"},
		{"topic-caspar", posts(), "posts.json", "preset=caspar&slots=3"},
		{"topic-caspar", posts(), "posts.xml", "preset=caspar&top=1"},
		{"topic-spx", posts(), "posts.txt", "preset=spx&top=2&prefix=post."},
	}
	for _, tt := range tests {
		name := tt.name + "." + string(tt.format)
		t.Run(name, func(t *testing.T) { golden(t, name, topicBody(t, tt.in, tt.format, tt.query)) })
	}
}

// TestPresetsThatATopicsFeedHasNot: they are ignored, as all that makes no sense.
func TestPresetsThatATopicsFeedHasNot(t *testing.T) {
	for _, tt := range []struct {
		in      TopicFeed
		formats string
		presets string
	}{
		{hashtags(), "feed.atom feed.rss topic.json", "vertigo viz-social caspar spx"},
		{hashtags(), "feed.xml feed.csv feed.tsv feed.txt", "viz-social laser"},
		{themes(), "trends.atom trends.rss", "vertigo viz-social caspar spx"},
		{posts(), "posts.atom posts.rss", "vertigo viz-social caspar spx"},
		{posts(), "posts.json posts.xml posts.csv posts.tsv posts.txt", "vertigo viz-social"},
	} {
		for format := range strings.FieldsSeq(tt.formats) {
			plain := topicBody(t, tt.in, Format(format), "")
			for preset := range strings.FieldsSeq(tt.presets) {
				if got := topicBody(t, tt.in, Format(format), "preset="+preset); got != plain {
					t.Errorf("%s of %s: %s", preset, format, cmp.Diff(plain, got))
				}
			}
		}
	}
}

// TestFieldsNeverGoMissing: a template keeps what a field showed last, so a field
// that is no longer sent would stay on air.
func TestFieldsNeverGoMissing(t *testing.T) {
	for name, feeds := range map[string][2]TopicFeed{
		"feed.json":   {hashtags(), talk()},
		"trends.json": {themes(), &Themed{Heard: talk().Heard}},
		"posts.json":  {posts(), &Shown{Heard: talk().Heard}},
	} {
		for _, query := range []string{"preset=caspar", "preset=spx&top=3", "preset=caspar&slots=7", "shape=wide"} {
			many, few := membersOf(t, feeds[0], Format(name), query), membersOf(t, feeds[1], Format(name), query)
			if diff := cmp.Diff(keysOf(many), keysOf(few)); diff != "" {
				t.Errorf("%s?%s: %s", name, query, diff)
			}
		}
	}
}

func membersOf(t *testing.T, in TopicFeed, f Format, query string) (members map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(topicBody(t, in, f, query)), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func keysOf(members map[string]any) map[string]bool {
	keys := map[string]bool{}
	for name := range members {
		keys[name] = true
	}
	return keys
}

// TestFieldsOfTopicsAreTheSameInEveryFormat reads templateData as a template does.
func TestFieldsOfTopicsAreTheSameInEveryFormat(t *testing.T) {
	for family, in := range map[Family]TopicFeed{FamilyFeed: hashtags(), FamilyTrends: themes(), FamilyPosts: posts()} {
		members := membersOf(t, in, Format(family+".json"), "preset=caspar&top=2")
		var template struct {
			XMLName    xml.Name `xml:"templateData"`
			Components []struct {
				ID   string `xml:"id,attr"`
				Data struct {
					Value string `xml:"value,attr"`
				} `xml:"data"`
			} `xml:"componentData"`
		}
		if err := xml.Unmarshal([]byte(topicBody(t, in, Format(family+".xml"), "preset=caspar&top=2")), &template); err != nil {
			t.Fatal(err)
		}
		if len(template.Components) != len(members) {
			t.Errorf("%s: %d components, %d members", family, len(template.Components), len(members))
		}
		for i, c := range template.Components {
			if c.ID != fmt.Sprintf("f%d", i) || c.Data.Value != members[c.ID] {
				t.Errorf("%s: %s is %q, not %q", family, c.ID, c.Data.Value, members[c.ID])
			}
		}
	}
}

// TestTheIDsOfChoices: Viz Social knows a choice by its uuid, which is the same for
// as long as the thing is and no other's.
func TestTheIDsOfChoices(t *testing.T) {
	ids := func(in TopicFeed, f Format) (out []string) {
		var poll struct{ Options []struct{ UUID string } }
		if err := json.Unmarshal([]byte(topicBody(t, in, f, "preset=viz-social")), &poll); err != nil {
			t.Fatal(err)
		}
		for _, o := range poll.Options {
			out = append(out, o.UUID)
		}
		return out
	}
	in := hashtags()
	before := ids(in, "feed.json")
	in.Parts[0].Key, in.Parts[0].N = "GOL", 7
	in.Revision, in.Labels[0] = 4, "#GOL"
	if diff := cmp.Diff(before, ids(in, "feed.json")); diff != "" {
		t.Errorf("the same hashtags: %s", diff)
	}
	seen := map[string]bool{}
	in.Topic.ID = "another"
	links := hashtags()
	links.By, links.Parts[1].Key, links.Parts[2].Key = topic.ByLink, "sho.rt/a", "sho.rt/A"
	for _, all := range [][]string{before, ids(in, "feed.json"), ids(links, "feed.json"), ids(themes(), "trends.json")} {
		for _, id := range all {
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
		}
	}
}

// TestTheTimeOfAPost is what the clock on the studio's wall said.
func TestTheTimeOfAPost(t *testing.T) {
	for zone, want := range map[string]string{"America/Sao_Paulo": "17:28", "Asia/Kolkata": "01:58", "": "20:28", "Nowhere/At_All": "20:28"} {
		in := posts()
		in.Show.Timezone = zone
		if row := rowsOf(t, in, "posts.json", Options{})[0]; row["created_at_text"] != want {
			t.Errorf("%s: %v, want %s", zone, row["created_at_text"], want)
		}
	}
	if row := rowsOf(t, &Shown{Heard: talk().Heard}, "posts.json", Options{})[0]; row["created_at_text"] != "" {
		t.Errorf("no post was written at %v", row["created_at_text"])
	}
}

// FuzzPresetsOfTopics: whatever people write, engines can read it.
func FuzzPresetsOfTopics(f *testing.F) {
	f.Add("gol", "Ana", int64(5), "preset=caspar&top=3", "f0", "title")
	f.Add("\x00<&>\"\u2028", "\xff|\r\n", int64(1)<<55, "preset=spx&slots=100&prefix=|", "row1_label", "f7")
	f.Add("", "\u202e", int64(0), "preset=viz-social&sort=change", "", "")
	f.Fuzz(func(t *testing.T, word, name string, n int64, query, alias, column string) {
		values, _ := url.ParseQuery(query)
		opts := ParseTopic(values)
		h := talk().Heard
		h.Topic.Title, h.Show.Locale = word, name
		h.Destination.Aliases = map[string]string{alias: column}
		n = min(max(n, 0), 1<<55)
		parted := talk(topic.Part{Key: word, N: n}, topic.Part{Key: name})
		parted.Heard, parted.Posts = h, n
		for family, in := range map[Family]TopicFeed{
			FamilyFeed:   parted,
			FamilyTrends: &Themed{Heard: h, Kind: KindThemes, Posts: n, Themes: []topic.Theme{{Text: word, N: n, Percent: 100}, {Text: name}}},
			FamilyPosts:  &Shown{Heard: h, Posts: []ShownPost{{Key: word, AuthorName: name, Text: word + name, CreatedAt: asOf}}},
		} {
			for _, format := range TopicFormats(family) {
				body, _ := in.Render(format, opts)
				legible(t, plainFormat(format, family), opts, body)
			}
		}
	})
}
