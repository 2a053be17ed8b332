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
		if tag = c.tag(tag); len(tag) > maxTag {
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

// tag is that of a topic's rule.
func (c *Connector) tag(topic string) string { return tagPrefix + c.env.Source + ":" + topic }

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

// keep brings the platform's rules in step with those wanted. A rule that the
// platform does not take is told of, and the others stand; only if it takes none,
// somebody has to change them.
func (r *run) keep(ctx context.Context) error {
	var have struct {
		Data []filter `json:"data"`
	}
	if err := r.ask(ctx, http.MethodGet, rulesPath, nil, nil, &have); err != nil {
		return err
	}
	gone, missing, ids := r.compare(have.Data, r.rules)
	if len(gone) > 0 {
		if _, err := r.change(ctx, map[string]any{"delete": map[string]any{"ids": gone}}); err != nil {
			return fmt.Errorf("delete rules: %w", err)
		}
	}
	if len(missing) > 0 {
		made, err := r.change(ctx, map[string]any{"add": missing})
		var no *connect.Refused
		switch {
		case errors.As(err, &no) && len(ids) > 0:
			r.env.Logger.Warn("the platform takes none of the new rules", "error", err)
		case err != nil:
			return fmt.Errorf("add rules: %w", err)
		}
		for _, id := range made {
			ids[id] = true
		}
	}
	if r.ids = ids; len(ids) == 0 {
		return &connect.Refused{Err: errNoRule}
	}
	return nil
}

// compare finds the ids of our rules that are no longer wanted, the rules that
// are missing, in the order of their values, and the ids of those that stand:
// somebody else's rule of the same value serves as well, and is all that the
// platform allows.
func (c *Connector) compare(have []filter, want map[string]filter) (gone []string, missing []filter, ids map[string]bool) {
	standing := map[string]bool{}
	ids = map[string]bool{}
	for _, f := range have {
		w, ok := want[f.Value]
		switch {
		case ok && w.Tag == f.Tag || ok && !c.owns(f.Tag):
			standing[f.Value], ids[f.ID] = true, true
		case c.owns(f.Tag):
			gone = append(gone, f.ID)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(want)) {
		if !standing[value] {
			missing = append(missing, want[value])
		}
	}
	return gone, missing, ids
}

// owns says whether a tag is that of a rule of ours, or of a source that is no
// more.
func (c *Connector) owns(tag string) bool {
	tag, ok := strings.CutPrefix(tag, tagPrefix)
	source, _, _ := strings.Cut(tag, ":")
	return ok && (source == c.env.Source || !c.env.Known(source))
}

// change adds or deletes rules, and gives the ids of those that were to be added
// and are there now.
func (c *Connector) change(ctx context.Context, what map[string]any) (ids []string, err error) {
	body, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	var done struct {
		Data   []filter  `json:"data"`
		Errors []problem `json:"errors"`
		Meta   struct {
			Summary struct {
				Created int `json:"created"`
			} `json:"summary"`
		} `json:"meta"`
	}
	if err := c.ask(ctx, http.MethodPost, rulesPath, nil, bytes.NewReader(body), &done); err != nil {
		return nil, err
	}
	for _, f := range done.Data {
		ids = append(ids, f.ID)
	}
	for range done.Meta.Summary.Created - len(ids) {
		ids = append(ids, "") // it is there, and known by its tag
	}
	for _, p := range done.Errors {
		if p.Title == "DuplicateRule" { // somebody was faster
			ids = append(ids, p.ID)
			continue
		}
		c.env.Logger.Warn("the platform does not take a rule", "rule", p.Value, "problem", p.Title, "detail", p.Detail, "details", p.Details)
	}
	return ids, nil
}
