package e2e_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// presets: what graphics products read.
func presets(t *testing.T, c *customer) {
	show := c.show(t, "presets")
	closes := time.Now().Add(time.Hour).Truncate(time.Second)
	poll := c.opened(t, show, "presets-poll", object{
		"question": "Linha\n\"um\"", "closes_at": stamp(closes),
		"options": []object{{"id": "a", "label": "Ana\t\"A\"", "image": "https://example.com/a.png"}, {"id": "b", "label": "Bia"}},
	})
	c.crowd(t, poll, 3, "a")
	c.crowd(t, poll, 1, "b")
	at := c.destination(t, show, "presets-onair", "onair", object{"slots": 3})
	aliased := c.destination(t, show, "presets-aliased", "onair", object{"aliases": object{"opt1_label": "f0", "opt1_votes": "f1", "question": "f7"}})
	c.awaitTotals(t, poll, object{"votes": 4})
	base := at + "/polls/" + poll + "/"
	c.await(t, "the feed", func() bool { return c.rows(t, base+"feed.json")[0]["total_votes"] == 4.0 })
	t.Run("vertigo", func(t *testing.T) {
		names := strings.Fields("ChoiceName Votes Percent UniqueRank Rank TieCount")
		a := c.public(t, base+"feed.json?preset=vertigo").is(t, 200, "")
		if got := keysInOrder(t, a.body); !slices.Equal(got, slices.Concat(names, names)) {
			t.Errorf("%v", got)
		}
		all, err := csv.NewReader(bytes.NewReader(c.public(t, base+"feed.csv?preset=vertigo&sort=votes&dir=asc").is(t, 200, "").body)).ReadAll()
		if err != nil || fmt.Sprint(all) != fmt.Sprint([][]string{names, {"Bia", "1", "25", "2", "2", "1"}, {`Ana "A"`, "3", "75", "1", "1", "1"}}) {
			t.Errorf("%v %v", all, err)
		}
		header, records := xmlRows(t, c.public(t, base+"feed.xml?preset=vertigo").body, "feed", "row")
		if !slices.Equal(header, names) || len(records) != 2 {
			t.Errorf("%v %v", header, records)
		}
	})
	t.Run("viz-social", func(t *testing.T) {
		o := c.public(t, base+"feed.json?preset=viz-social").is(t, 200, "").object(t)
		for _, k := range []string{"id", "question", "image", "status", "end_time", "timestamp", "options"} {
			if _, ok := o[k]; !ok {
				t.Errorf("no %s", k)
			}
		}
		options := o["options"].([]any)
		first := options[0].(object)
		if len(o) != 7 || len(options) != 2 || len(first) != 4 || first["text"] != `Ana "A"` || first["count"] != 3.0 || first["image"] != "https://example.com/a.png" ||
			len(fmt.Sprint(first["uuid"])) != 36 || o["end_time"] != stamp(closes) || o["status"] != "open" || o["id"] != poll || o["question"] != `Linha "um"` {
			t.Errorf("%v", o)
		}
	})
	for _, preset := range []string{"caspar", "spx"} {
		t.Run(preset, func(t *testing.T) {
			c.public(t, base+"feed.json?preset="+preset).has(t, "Vary", "Accept-Encoding") // short as it is
			fields := c.fields(t, base+"feed.json?preset="+preset)
			if fields["f0"] != `Linha "um"` || len(fields) != 2+3*3 || fields["f2"] != `Ana "A"` {
				t.Errorf("%v", fields)
			}
			o := c.public(t, aliased+"/polls/"+poll+"/feed.json?preset="+preset).is(t, 200, "").object(t)
			if fmt.Sprint(o) != fmt.Sprint(object{"f0": `Ana "A"`, "f1": "3", "f7": `Linha "um"`}) {
				t.Errorf("aliased: %v", o)
			}
		})
	}
	t.Run("templateData", func(t *testing.T) {
		ids, values := c.templateData(t, base+"feed.xml?preset=caspar")
		if len(ids) != 11 || ids[0] != "f0" || values[0] != `Linha "um"` {
			t.Errorf("%v %v", ids, values)
		}
	})
}

// topicPresets: the same of what is listened to.
func topicPresets(t *testing.T, c *customer, show string) {
	base := c.destination(t, show, "topics-gfx", "onair", nil) + "/topics/topics-goal/"
	aliased := c.destination(t, show, "topics-aliased", "onair", object{"aliases": object{"row1_label": "f0", "f3": "row1_count", "title": "f7"}})
	names := strings.Fields("ChoiceName Votes Percent UniqueRank Rank TieCount")
	for _, file := range []string{"feed.json?preset=vertigo&top=2", "trends.json?preset=vertigo&top=2"} {
		a := c.public(t, base+file).is(t, 200, "")
		if got := keysInOrder(t, a.body); !slices.Equal(got, slices.Concat(names, names)) && !slices.Equal(got, names) {
			t.Errorf("%s: %v", file, got)
		}
		c.do(t, request{method: http.MethodHead, path: base + file}).is(t, 200, "").has(t, "ETag", a.header.Get("ETag")).has(t, "Content-Length", fmt.Sprint(len(a.body)))
		c.do(t, request{method: http.MethodGet, path: base + file, header: map[string]string{"If-None-Match": a.header.Get("ETag")}}).is(t, 304, "")
	}
	header, records := xmlRows(t, c.public(t, base+"feed.xml?preset=vertigo&by=sentiment").body, "feed", "row")
	if !slices.Equal(header, names) || len(records) != 3 {
		t.Errorf("%v %v", header, records)
	}
	o := c.public(t, base+"feed.json?preset=viz-social").is(t, 200, "").object(t)
	options, _ := o["options"].([]any)
	if len(o) != 7 || o["id"] != "topics-goal" || o["question"] != "The goal" || o["status"] != "open" || len(options) != 1 {
		t.Fatalf("%v", o)
	}
	if first := options[0].(object); len(first) != 4 || first["text"] != "#final" || first["count"] != 3.0 || first["image"] != "" || len(fmt.Sprint(first["uuid"])) != 36 {
		t.Errorf("%v", first)
	}
	for _, preset := range []string{"caspar", "spx"} {
		fields := c.fields(t, base+"feed.json?slots=2&preset="+preset)
		if len(fields) != 2+2*3 || fields["f0"] != "The goal" || fields["f1"] != "5" || fields["f2"] != "#final" || fields["f3"] != "3" || fields["f4"] != "60%" || fields["f5"] != "" {
			t.Errorf("%s: %v", preset, fields)
		}
		if fields := c.fields(t, base+"trends.json?top=1&preset="+preset); len(fields) != 2+3 || fields["f2"] == "" {
			t.Errorf("%s: %v", preset, fields)
		}
		if o := c.public(t, aliased+"/topics/topics-goal/feed.json?preset="+preset).is(t, 200, "").object(t); fmt.Sprint(o) != fmt.Sprint(object{"f0": "#final", "f3": "3", "f7": "The goal"}) {
			t.Errorf("aliased: %v", o)
		}
	}
	if ids, values := c.templateData(t, base+"trends.xml?preset=caspar&top=1"); len(ids) != 5 || ids[4] != "f4" || values[0] != "The goal" {
		t.Errorf("%v %v", ids, values)
	}
	for _, preset := range []string{"vertigo", "viz-social", "laser"} { // posts are no choices
		rows := c.rows(t, base+"posts.json?preset="+preset)
		if len(rows) != 1 || rows[0]["topic_id"] != "topics-goal" || rows[0]["post_id"] != "mastodon:voice" {
			t.Errorf("%s: %v", preset, rows)
		}
	}
}

// fields are those of a template, f0 and on: strings only.
func (c *customer) fields(t testing.TB, path string) (fields map[string]string) {
	t.Helper()
	a := c.public(t, path).is(t, 200, "")
	if err := json.Unmarshal(a.body, &fields); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	for i := range len(fields) {
		if _, ok := fields[fmt.Sprintf("f%d", i)]; !ok {
			t.Errorf("no f%d in %s", i, a.body)
		}
	}
	return fields
}

// templateData is what a CasparCG template is given.
func (c *customer) templateData(t testing.TB, path string) (ids, values []string) {
	t.Helper()
	var template struct {
		XMLName    xml.Name `xml:"templateData"`
		Components []struct {
			ID   string `xml:"id,attr"`
			Data struct {
				Value string `xml:"value,attr"`
			} `xml:"data"`
		} `xml:"componentData"`
	}
	a := c.public(t, path).is(t, 200, "")
	if err := xml.Unmarshal(a.body, &template); err != nil {
		t.Errorf("%v %s", err, a.body)
	}
	for _, component := range template.Components {
		ids, values = append(ids, component.ID), append(values, component.Data.Value)
	}
	return ids, values
}
