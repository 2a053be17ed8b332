package rule

import (
	"slices"
	"testing"
)

func TestNeeds(t *testing.T) {
	for text, want := range map[string][]string{
		`gol`:                          {"gol"},
		`gol brasil`:                   {"gol"},
		`gol OR "fora de jogo" OR #ta`: {"gol", "fora de jogo", "ta"},
		`(a OR b) "c d"`:               {"c d"},
		`lang:pt gol`:                  {"gol"},
		`lang:pt OR gol`:               nil,
		`-gol`:                         nil,
		`gol -brasil`:                  {"gol"},
		`from:globo`:                   nil,
		`from:globo gol`:               {"gol"},
		`@ana OR #bia`:                 {"ana", "bia"},
	} {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range r.Needs(FieldWord, FieldPhrase, FieldTag, FieldName) {
			got = append(got, n.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s needs %q, want %q", text, got, want)
		}
	}
}
