// Package explain says why a post belongs to a topic or does not, term by term,
// for the API and for the command line alike. It asks the listener that counts
// posts, so it cannot say otherwise than what is counted.
package explain

import (
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Answer is what became of one rule and one post.
type Answer struct {
	Rule string `json:"rule"`
	// Matches says that the post belongs: the rule holds, and no filter keeps the
	// post out.
	Matches bool `json:"matches"`
	// Holds is the rule's own verdict.
	Holds bool `json:"holds"`
	// Filter is why a filter keeps the post out; empty: none does.
	Filter rule.Reason `json:"filter,omitempty"`
	// Language and Country are what the post was understood to be; lang: and
	// country: are compared with them.
	Language string        `json:"language"`
	Country  string        `json:"country,omitempty"`
	Hashtags []string      `json:"hashtags,omitempty"`
	Tree     *rule.Verdict `json:"tree"`
}

// Post explains one post to a topic. languages are the show's.
func Post(t audience.Topic, languages []string, post *clamorv1.Post) (*Answer, error) {
	if t.ID == "" {
		t.ID = "rule"
	}
	catalog, err := topic.Compile([]topic.Definition{{Topic: t, Revision: 1, Languages: languages}}, nil)
	if err != nil {
		return nil, fmt.Errorf("compile the rule: %w", err)
	}
	if faults := catalog.Faults(); len(faults) > 0 {
		var flaw *topic.Flaw
		if errors.As(faults[0].Err, &flaw) {
			return nil, fault.Invalid(fault.Field{Pointer: flaw.Pointer, Detail: flaw.Err.Error()})
		}
		return nil, fmt.Errorf("compile the rule: %w", faults[0].Err)
	}
	l := topic.NewListener(catalog)
	u := l.Hear(post)
	why, filter := l.Why(0)
	a := &Answer{
		Rule: t.Rule, Matches: why.Holds && filter == rule.Kept, Holds: why.Holds, Filter: filter,
		Language: u.Result.Language, Country: u.Result.Place.Country, Tree: why.Tree,
	}
	for _, tag := range u.Result.Hashtags {
		a.Hashtags = append(a.Hashtags, string(tag.Text))
	}
	return a, nil
}
