package feed

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
)

// talk is a topic with awkward words.
func talk(parts ...topic.Part) *Parted {
	in := &Parted{
		Heard: Heard{
			Show:     audience.Show{ID: "gala", Title: "Gala", Locale: "pt-BR", Languages: []string{"pt"}},
			Topic:    audience.Topic{ID: "goal", Show: "gala", Title: "Gol!\n\"Agora\" <já>"},
			Revision: 3, Destination: audience.Destination{ID: "screen", Show: "gala", Audience: audience.OnAir},
			Minutes: 30, Complete: true, Generation: 7, Seq: 99, AsOf: asOf,
		},
		Figures: topic.Figures{Posts: 12_345, Authors: 2_000}, By: topic.ByHashtag, Rate: 1, Estimated: 12_345,
		PostsChange: topic.Change{Before: 10_000, Change: 2_345, Percent: 23.45},
	}
	for _, p := range parts {
		in.Parts, in.Labels = append(in.Parts, topic.Compared{Part: p, Change: topic.Compare(p.N, 1)}), append(in.Labels, "#"+p.Key)
	}
	return in
}

func rowsOf(t *testing.T, in TopicFeed, f Format, opts Options) []map[string]any {
	t.Helper()
	body, _ := in.Render(f, opts)
	var rows []map[string]any
	if err := json.Unmarshal(body, &rows); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return rows
}

func TestATopicsRows(t *testing.T) {
	in := talk(topic.Part{Key: "gol", N: 5000}, topic.Part{Key: "a\tb", N: 100}, topic.Part{Key: "c", N: 100}, topic.Part{Key: "rare", N: 1})
	rows := rowsOf(t, in, "feed.json", Options{})
	if len(rows) != 4 {
		t.Fatalf("%d rows", len(rows))
	}
	first := rows[0]
	for column, want := range map[string]any{
		"topic_id": "goal", "title": `Gol! "Agora" <já>`, "window": "30m", "posts": 12345.0, "posts_text": "12.345", "posts_change_text": "+2.345",
		"label": "#gol", "count": 5000.0, "rank": 1.0, "leader": true, "bar": 1.0, "trend": "up", "instance_id": "goal-3", "complete": true, "by": "hashtag",
	} {
		if first[column] != want {
			t.Errorf("%s is %v, want %v", column, first[column], want)
		}
	}
	var ranks []any
	for _, r := range rows {
		ranks = append(ranks, r["rank"], r["tie_count"])
	}
	if diff := cmp.Diff([]any{1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 4.0, 1.0}, ranks); diff != "" {
		t.Error(diff)
	}
	if rows[3]["pct_text"] != "<1%" || rows[1]["key"] != "a b" {
		t.Errorf("%v", rows[3])
	}
}

// TestTheColumnsOfATopicNeverChange holds the order, which engines are bound to.
func TestTheColumnsOfATopicNeverChange(t *testing.T) {
	body, contentType := talk(topic.Part{Key: "x", N: 1}).Render("feed.csv", Options{})
	header, _, _ := strings.Cut(string(body), "\r\n")
	want := "topic_id,title,window,minutes,complete,generation,stale,age_ms,seq,as_of,instance_id," +
		"posts,posts_text,posts_before,posts_change,posts_change_pct,posts_change_text,authors,authors_text,authors_change," +
		"reposts,replies,media,rejected,sampled,estimated,estimated_text,positive_pct,positive_pct_text,neutral_pct,neutral_pct_text," +
		"negative_pct,negative_pct_text,judged,by," +
		"slot,key,label,label_short,count,count_text,count_error,pct,pct_int,pct_text,fraction,bar,rank,unique_rank,tie_count,leader," +
		"before,before_text,change,change_pct,change_text,trend,lang,dir"
	if header != want || contentType != typeCSV {
		t.Errorf("%s: %s", contentType, header)
	}
}

func TestATopicWithoutAWord(t *testing.T) {
	for name, in := range map[string]TopicFeed{
		"feed.json": talk(), "trends.json": &Themed{Heard: talk().Heard}, "posts.json": &Shown{Heard: talk().Heard},
	} {
		rows := rowsOf(t, in, Format(name), Options{})
		if len(rows) != 1 {
			t.Fatalf("%s: %d rows: an engine on air gets no empty list", name, len(rows))
		}
		full := map[string]any{}
		switch name {
		case "feed.json":
			full = rowsOf(t, talk(topic.Part{Key: "x", N: 2}), Format(name), Options{})[0]
		case "trends.json":
			full = rowsOf(t, &Themed{Heard: talk().Heard, Themes: []topic.Theme{{Text: "x", N: 2, Weight: 0.5}}}, Format(name), Options{})[0]
		case "posts.json":
			full = rowsOf(t, &Shown{Heard: talk().Heard, Posts: []ShownPost{{Key: "x:1", Featured: true}}}, Format(name), Options{})[0]
		}
		for column, v := range full {
			if typed(v) != typed(rows[0][column]) {
				t.Errorf("%s: %s is %T with a row, %T without", name, column, v, rows[0][column])
			}
		}
	}
}

func typed(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		return "number"
	}
	return "nothing"
}

func TestWholePercentsOfATopic(t *testing.T) {
	in := talk(topic.Part{Key: "pos", N: 1}, topic.Part{Key: "neu", N: 1}, topic.Part{Key: "neg", N: 1})
	in.Posts, in.By, in.Exclusive = 3, topic.BySentiment, true
	var sum float64
	for _, r := range rowsOf(t, in, "feed.json", Options{}) {
		sum += r["pct_int"].(float64)
	}
	if sum != 99 { // a tie is never split
		t.Errorf("sum %v", sum)
	}
	in = talk(topic.Part{Key: "BR", N: 12}, topic.Part{Key: "AR", N: 4})
	in.Posts, in.Exclusive = 17, true // one is from elsewhere
	var whole []any
	for _, r := range rowsOf(t, in, "feed.json", Options{}) {
		whole = append(whole, r["pct_int"])
	}
	if diff := cmp.Diff([]any{71.0, 23.0}, whole); diff != "" {
		t.Error(diff)
	}
}

func TestWideTopics(t *testing.T) {
	in := talk(topic.Part{Key: "gol", N: 5}, topic.Part{Key: "b", N: 4})
	body, _ := in.Render("feed.json", Options{Wide: true, Slots: 3})
	var wide map[string]any
	if err := json.Unmarshal(body, &wide); err != nil {
		t.Fatal(err)
	}
	if wide["row1_label"] != "#gol" || wide["row2_count"] != 4.0 || wide["row3_label"] != "" || wide["row3_count"] != "" {
		t.Errorf("%v", wide)
	}
	in.Destination.Aliases = map[string]string{"label": "name", "row1_count": "top_count"}
	body, _ = in.Render("feed.txt", Options{Prefix: "x."})
	if !strings.Contains(string(body), "x.row1_name|#gol\n") || !strings.Contains(string(body), "x.top_count|5\n") {
		t.Errorf("%s", body)
	}
}

func TestEveryFormatOfATopic(t *testing.T) {
	h := talk().Heard
	inputs := map[Family]TopicFeed{
		FamilyFeed:   talk(topic.Part{Key: `"<&>`, N: 5}),
		FamilyTrends: &Themed{Heard: h, Kind: KindThemes, Themes: []topic.Theme{{Text: `"<&>`, N: 3, Weight: 1}}},
		FamilyPosts:  &Shown{Heard: h, Posts: []ShownPost{{Key: "x:1", Text: "a\r\nb \"<&>\u202e", AuthorName: "\x00Ana", Language: "ar"}}},
	}
	for family, in := range inputs {
		for _, f := range TopicFormats(family) {
			body, contentType := in.Render(f, Options{})
			switch {
			case strings.HasPrefix(contentType, "application/json"):
				if !json.Valid(body) || strings.Contains(string(body), "null") {
					t.Errorf("%s: %s", f, body)
				}
			case strings.Contains(contentType, "xml"):
				wellFormed(t, f, body)
			case strings.HasPrefix(contentType, "text/csv"):
				rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
				if err != nil || len(rows) != 2 {
					t.Errorf("%s: %v: %s", f, err, body)
				}
			}
			if !strings.Contains(contentType, "charset=utf-8") {
				t.Errorf("%s as %s", f, contentType)
			}
		}
	}
}

func wellFormed(t *testing.T, f Format, body []byte) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(string(body))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%s: %v: %s", f, err, body)
		}
	}
}

// TestWhatStrangersWrote: a post is shown as it is, but neither breaks the format
// nor turns what stands beside it around.
func TestWhatStrangersWrote(t *testing.T) {
	in := &Shown{Heard: talk().Heard, Posts: []ShownPost{{
		Key: "x:1", AuthorName: "Ana \u202eanA", Text: "gol\u2066 \u200fשער|" + strings.Repeat("é", 2000), Language: "he",
	}}}
	body, _ := in.Render("posts.txt", Options{})
	for line := range strings.Lines(string(body)) {
		if key, value, ok := strings.Cut(line, "|"); !ok || len(value) > 1401 || !utf8.ValidString(value) {
			t.Errorf("%s has %d bytes", key, len(value))
		}
	}
	if !strings.Contains(string(body), "_author_name|Ana anA\n") || !strings.Contains(string(body), "_text|gol \u200fשער|éé") || !strings.Contains(string(body), "é…\n") {
		t.Errorf("%s", body)
	}
	body, _ = in.Render("posts.json", Options{})
	var rows []struct{ Text, Dir string }
	if err := json.Unmarshal(body, &rows); err != nil || utf8.RuneCountInString(rows[0].Text) != 2009 || rows[0].Dir != "rtl" {
		t.Errorf("%v: %d %.60s", err, utf8.RuneCountInString(rows[0].Text), body)
	}
}

func TestTheFingerprintOfATopic(t *testing.T) {
	in := talk(topic.Part{Key: "gol", N: 5})
	before := FingerprintTopic(in, Options{})
	in.Seq, in.AsOf = 100, asOf+1000
	if FingerprintTopic(in, Options{}) != before {
		t.Error("its own sequence is no change")
	}
	if in.Seq != 100 {
		t.Error("taking a fingerprint changed the feed")
	}
	in.Parts[0].N++
	if FingerprintTopic(in, Options{}) == before {
		t.Error("a count is")
	}
}

func TestTheCatalogOfTopics(t *testing.T) {
	h := talk().Heard
	entries := TopicCatalog("https://host/feeds/T", h.Show, h.Destination, []audience.Topic{h.Topic})
	if len(entries) != len(topicVariants) {
		t.Fatalf("%d entries", len(entries))
	}
	for _, e := range entries {
		if e.Topic != "goal" || e.Poll != "" || e.Example == "" || len(e.Schema) == 0 {
			t.Errorf("%+v", e)
		}
		u, err := url.Parse(e.URL)
		if err != nil || !strings.HasPrefix(u.Path, "/feeds/T/topics/goal/") {
			t.Errorf("%s: %v", e.URL, err)
		}
		if !strings.HasPrefix(e.ContentType, "application/json") {
			continue
		}
		conforms(t, e.URL, e.Schema, []byte(e.Example))
		if u.Query().Has("preset") {
			continue
		}
		required, _ := e.Schema["required"].([]string)
		if items, ok := e.Schema["items"].(map[string]any); ok {
			required = items["required"].([]string)
		}
		if !slices.Contains(required, "topic_id") {
			t.Errorf("%s: %v", e.URL, e.Schema)
		}
	}
}

func TestParseTopicIgnoresNonsense(t *testing.T) {
	q, _ := url.ParseQuery("sort=votes&dir=sideways&top=-3&preset=laser&shape=wide&slots=1000&locale=%%%")
	if o := ParseTopic(q); o.Sort != SortVotes || o.Dir != "" || o.Top != 0 || o.Preset != "" || !o.Wide || o.Slots != 0 {
		t.Errorf("%+v", o)
	}
}
