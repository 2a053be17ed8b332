package capture

import (
	"errors"
	"fmt"
	"sync"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/rule"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// judge decides about posts of one show by its rules.
type judge struct {
	show *control.Show
	// reject and approve are the numbers of the rules in the set; -1: none.
	reject, approve int
	workers         sync.Pool // of *enrich.Worker
}

// judges keeps one judge a show whose rules decide; the models behind them are
// loaded when the first show wants it.
type judges struct {
	mu     sync.Mutex
	byShow map[string]*judge
}

// of is the show's judge; nil when no rule of it decides.
func (j *judges) of(state *control.State, show string) (*judge, error) {
	s, ok := state.Show(show)
	if !ok || s.Moderation == nil || *s.Moderation == (audience.Moderation{}) {
		return nil, nil //nolint:nilnil // no rules is an answer
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if old := j.byShow[show]; old != nil && old.show == s {
		return old, nil
	}
	fresh, err := newJudge(s)
	if err != nil {
		return nil, err
	}
	if j.byShow == nil {
		j.byShow = map[string]*judge{}
	}
	j.byShow[show] = fresh
	return fresh, nil
}

func newJudge(s *control.Show) (*judge, error) {
	j := &judge{show: s, reject: -1, approve: -1}
	var rules []rule.Named
	for _, r := range []struct {
		name, text string
		at         *int
	}{{control.PostReject, s.Moderation.Reject, &j.reject}, {control.PostApprove, s.Moderation.Approve, &j.approve}} {
		if r.text == "" {
			continue
		}
		parsed, err := rule.Parse(r.text)
		if err != nil {
			return nil, fmt.Errorf("read the %s rule of show %s: %w", r.name, s.ID, err)
		}
		*r.at = len(rules)
		rules = append(rules, rule.Named{ID: r.name, Rule: parsed})
	}
	set, err := rule.Compile(rules, enrich.NewTokenizer())
	if err != nil {
		return nil, fmt.Errorf("compile the rules of show %s: %w", s.ID, err)
	}
	e, err := enrich.New(enrich.Options{Likely: s.Languages})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("load the models for the rules of show %s", s.ID), err)
	}
	j.workers.New = func() any {
		w := e.Worker()
		w.SetRules(set)
		return w
	}
	return j, nil
}

// decide is what the rules say of a post: "approve", "reject" or nothing. A post
// that both hold for is rejected.
func (j *judge) decide(p *clamorv1.Post) string {
	w := j.workers.Get().(*enrich.Worker)
	defer j.workers.Put(w)
	var understood enrich.Result
	w.Enrich(understandable(p), &understood)
	says := ""
	for _, number := range understood.Topics {
		switch number {
		case j.reject:
			return control.PostReject
		case j.approve:
			says = control.PostApprove
		}
	}
	return says
}

// understandable is a post as the models take it.
func understandable(p *clamorv1.Post) *enrich.Post {
	out := &enrich.Post{
		Text: []byte(p.GetText()), AuthorName: []byte(p.GetAuthor().GetName()), Handle: []byte(p.GetAuthor().GetHandle()),
		Source: []byte(p.GetSource()), Language: []byte(p.GetLanguage()),
		Place: place.Clues{Profile: []byte(p.GetAuthor().GetLocation())},
	}
	if c := p.GetCoordinates(); c != nil {
		out.Place.HasPoint, out.Place.Lat, out.Place.Lon = true, c.GetLat(), c.GetLon()
	}
	return out
}
