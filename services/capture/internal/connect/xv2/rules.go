package xv2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	rulesPath = "/2/tweets/search/stream/rules"
	tagPrefix = "clamor:"
	maxTag    = 255 // bytes, what a tag may have
)

var errNoRule = errors.New("the platform takes none of the rules")

// filter is one rule on the platform.
type filter struct {
	ID    string `json:"id,omitempty"`
	Value string `json:"value"`
	Tag   string `json:"tag,omitempty"`
}

// wanted are the rules that should be there, by value.
func (c *Connector) wanted() map[string]filter {
	all := map[string]filter{}
	add := func(tag, value string) {
		if tag = tagPrefix + tag; len(tag) > maxTag {
			tag = tag[:maxTag]
		}
		if _, ok := all[value]; ok || len(all) == c.most {
			return
		}
		all[value] = filter{Value: value, Tag: tag}
	}
	for _, value := range c.rules {
		add("", value)
	}
	if len(c.rules) > 0 {
		return all
	}
	topics := c.env.Topics()
	for i := range topics {
		for _, value := range valuesOf(&topics[i], c.length) {
			add(topics[i].ID, value)
		}
	}
	return all
}

// valuesOf are rules that match whatever a topic does, and more: the words that
// it needs, in as few rules of that length as they fit in.
func valuesOf(t *audience.Topic, length int) (values []string) {
	r, err := rule.Parse(t.Rule)
	if err != nil {
		return nil // it matches nothing
	}
	value := ""
	for _, need := range r.Needs(rule.FieldWord, rule.FieldPhrase, rule.FieldTag, rule.FieldName, rule.FieldFrom) {
		term := termOf(need)
		switch n := utf8.RuneCountInString(value) + len(" OR ") + utf8.RuneCountInString(term); {
		case term == "" || utf8.RuneCountInString(term) > length:
		case value == "":
			value = term
		case n > length:
			values, value = append(values, value), term
		default:
			value += " OR " + term
		}
	}
	if value != "" {
		values = append(values, value)
	}
	return values
}

// termOf writes a term in X's language. Words with signs in them are quoted, for
// there signs mean something.
func termOf(t rule.Term) string {
	text := strings.Join(strings.FieldsFunc(t.Text, func(r rune) bool { return r == '"' || r == '\\' || unicode.IsSpace(r) }), " ")
	plain := !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '_'
	})
	switch {
	case text == "":
		return ""
	case t.Field == rule.FieldTag && plain:
		return "#" + text
	case t.Field == rule.FieldName && plain:
		return "@" + text
	case t.Field == rule.FieldFrom && plain:
		return "from:" + text
	case t.Field == rule.FieldFrom:
		return ""
	case t.Field == rule.FieldWord && plain && text != "OR" && text != "AND":
		return text
	}
	return `"` + text + `"`
}

// keep brings the platform's rules in step with those wanted.
func (c *Connector) keep(ctx context.Context, want map[string]filter) error {
	var have struct {
		Data []filter `json:"data"`
	}
	if err := c.ask(ctx, http.MethodGet, rulesPath, nil, nil, &have); err != nil {
		return err
	}
	gone, missing := compare(have.Data, want)
	if len(gone) > 0 {
		if err := c.change(ctx, map[string]any{"delete": map[string]any{"ids": gone}}); err != nil {
			return fmt.Errorf("delete rules: %w", err)
		}
	}
	if len(missing) > 0 {
		if err := c.change(ctx, map[string]any{"add": missing}); err != nil {
			return fmt.Errorf("add rules: %w", err)
		}
	}
	return nil
}

// compare finds the ids of our rules that are no longer wanted, and the rules
// that are missing, in the order of their values.
func compare(have []filter, want map[string]filter) (gone []string, missing []filter) {
	standing := map[string]bool{}
	for _, f := range have {
		if w, ok := want[f.Value]; ok && (w.Tag == f.Tag || !strings.HasPrefix(f.Tag, tagPrefix)) {
			standing[f.Value] = true // somebody else's rule of that value serves as well
		} else if strings.HasPrefix(f.Tag, tagPrefix) {
			gone = append(gone, f.ID)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(want)) {
		if !standing[value] {
			missing = append(missing, want[value])
		}
	}
	return gone, missing
}

// change adds or deletes rules. A rule that the platform does not take is told of,
// and the others stand; only if it takes none, somebody has to change them.
func (c *Connector) change(ctx context.Context, what map[string]any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	var done struct {
		Meta struct {
			Summary struct {
				Created int `json:"created"`
				Invalid int `json:"invalid"`
			} `json:"summary"`
		} `json:"meta"`
		Errors []problem `json:"errors"`
	}
	if err := c.ask(ctx, http.MethodPost, rulesPath, nil, bytes.NewReader(body), &done); err != nil {
		return err
	}
	for _, p := range done.Errors {
		if p.Title != "DuplicateRule" {
			c.env.Logger.Warn("the platform does not take a rule", "rule", p.Value, "problem", p.Title, "detail", p.Detail)
		}
	}
	if s := done.Meta.Summary; s.Created == 0 && s.Invalid > 0 {
		return &connect.Refused{Err: errNoRule}
	}
	return nil
}
