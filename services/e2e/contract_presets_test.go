package e2e_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
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
			a := c.public(t, base+"feed.json?preset="+preset).is(t, 200, "")
			var fields map[string]string // strings only
			if err := json.Unmarshal(a.body, &fields); err != nil {
				t.Fatalf("%v in %s", err, a.body)
			}
			for i := range len(fields) {
				if _, ok := fields[fmt.Sprintf("f%d", i)]; !ok {
					t.Errorf("no f%d in %s", i, a.body)
				}
			}
			if fields["f0"] != `Linha "um"` || len(fields) != 2+3*3 || fields["f2"] != `Ana "A"` {
				t.Errorf("%s", a.body)
			}
			o := c.public(t, aliased+"/polls/"+poll+"/feed.json?preset="+preset).is(t, 200, "").object(t)
			if fmt.Sprint(o) != fmt.Sprint(object{"f0": `Ana "A"`, "f1": "3", "f7": `Linha "um"`}) {
				t.Errorf("aliased: %v", o)
			}
		})
	}
	t.Run("templateData", func(t *testing.T) {
		var template struct {
			XMLName    xml.Name `xml:"templateData"`
			Components []struct {
				ID   string `xml:"id,attr"`
				Data struct {
					Value string `xml:"value,attr"`
				} `xml:"data"`
			} `xml:"componentData"`
		}
		a := c.public(t, base+"feed.xml?preset=caspar").is(t, 200, "")
		if err := xml.Unmarshal(a.body, &template); err != nil || len(template.Components) != 11 || template.Components[0].ID != "f0" || template.Components[0].Data.Value != `Linha "um"` {
			t.Errorf("%v %s", err, a.body)
		}
	})
}
