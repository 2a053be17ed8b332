package connect

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/rule"
)

// Terms are the words and phrases that topics need, without repeats and in their
// order. A rule that needs none, like one of a language alone, adds none.
func Terms(topics []audience.Topic) (terms []string) {
	for i := range topics {
		r, err := rule.Parse(topics[i].Rule)
		if err != nil {
			continue // it matches nothing
		}
		for _, need := range r.Needs(rule.FieldWord, rule.FieldPhrase, rule.FieldTag, rule.FieldName) {
			text := need.Text
			switch need.Field {
			case rule.FieldTag:
				text = "#" + text
			case rule.FieldName:
				text = "@" + text
			}
			if !slices.Contains(terms, text) {
				terms = append(terms, text)
			}
		}
	}
	return terms
}
