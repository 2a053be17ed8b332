package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// maxPast bounds the answers kept of rounds that are not the current ones.
const maxPast = 2048

// input is what may change a poll's answers, compared before anything is made.
type input struct {
	poll       *control.Poll
	show       *control.Show
	standing   control.Standing
	generation uint64
	stale      bool
	age        int64
	sealed     bool
	counts     Counts
	perMinute  []int64
}

func (i *input) equal(o *input) bool {
	return i.poll == o.poll && i.show == o.show && i.standing == o.standing && i.generation == o.generation &&
		i.stale == o.stale && i.age == o.age && i.sealed == o.sealed && i.counts.Sealed == o.counts.Sealed &&
		i.counts.Batch.Equal(o.counts.Batch) && i.counts.Speed.Equal(o.counts.Speed) &&
		slices.Equal(i.perMinute, o.perMinute)
}

// presentAll renews every poll's answers. It says when the next one changes by
// itself (0: not known) and which polls have no answers.
func (b *Board) presentAll(m *merged, now audience.Millis) (change audience.Millis, missing []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	state := b.deps.Control.State()
	for _, p := range state.Polls("") {
		next := b.present(m, state, p, now)
		if next != 0 && (change == 0 || next < change) {
			change = next
		}
		if _, has := b.polls.Load(p.Definition.ID); !has {
			missing = append(missing, p.Definition.ID)
		}
	}
	return change, missing
}

// present renews one poll's answers, under the lock.
func (b *Board) present(m *merged, state *control.State, p *control.Poll, now audience.Millis) audience.Millis {
	standing := p.At(now)
	key := audience.RoundKey{Poll: p.Definition.ID, Round: standing.Round}
	sc, in, ok := b.scene(m, state, p, standing, now)
	if !ok {
		b.keepStale(key.Poll, m, state, now)
		return standing.NextChange
	}
	found, _ := b.polls.Load(key.Poll)
	s, _ := found.(*subject)
	if s == nil {
		s = &subject{}
	} else if s.input.equal(&in) {
		return standing.NextChange
	}
	seq := sequence(m, state.Offset(), standing.Transitions, now)
	for face := range faces {
		old := s.faces[face].Get()
		if a := next(old, sc.look(face), seq, now, m.offsets); a != old {
			s.faces[face].Set(a)
		}
	}
	s.input = in
	b.polls.Store(key.Poll, s)
	return standing.NextChange
}

// keepStale marks the last good answers of a poll whose seal cannot be read.
func (b *Board) keepStale(poll string, m *merged, state *control.State, now audience.Millis) {
	found, _ := b.polls.Load(poll)
	s, _ := found.(*subject)
	if s == nil {
		return
	}
	for face := range faces {
		old := s.faces[face].Get()
		c := old.Content
		c.Stale = true
		if a := next(old, c, sequence(m, state.Offset(), 0, now), now, old.Offsets); a != old {
			s.faces[face].Set(a)
		}
	}
	s.input = input{}
}

// scene gathers what a round's answers are made from. ok is false while its seal
// cannot be read.
func (b *Board) scene(m *merged, state *control.State, p *control.Poll, standing control.Standing, now audience.Millis) (*scene, input, bool) {
	key := audience.RoundKey{Poll: p.Definition.ID, Round: standing.Round}
	cut, _ := state.SealedAt(key)
	sealed := b.sealAtHand(key)
	counts, ok := m.counts(key, sealed, cut)
	if !ok {
		return nil, input{}, false
	}
	if standing.Phase == audience.Verified && !counts.Sealed {
		standing.Phase = audience.Closed // the word that it is sealed came before the seal
	}
	definition, _ := p.DefinitionOf(standing.Round)
	show, _ := state.Show(p.Definition.Show)
	sc := &scene{
		definition: definition, standing: standing, counts: counts, generation: m.generation,
		sealed: sealed, stale: m.stale && !counts.Sealed,
	}
	if show != nil {
		sc.show = show.Show
	}
	if sc.stale {
		sc.ageMS = max(0, int64(now-m.at)/1000*1000) // in whole seconds: a body a second is change enough
	}
	if standing.Phase != audience.Standby {
		sc.perMinute = b.curves.Load().perMinute(key, now, len(definition.Options))
	}
	known := standing
	known.NextChange, known.Transitions = 0, 0
	return sc, input{
		poll: p, show: show, standing: known, generation: m.generation.Number, stale: sc.stale,
		age: sc.ageMS, sealed: sealed != nil, counts: counts, perMinute: sc.perMinute,
	}, true
}

// Round is the answer of any round of a poll. Those of the current round are
// Answer's.
func (b *Board) Round(ctx context.Context, p *control.Poll, round uint32, face Face) (*Answer, error) {
	now := audience.MillisOf(b.deps.Now())
	standing, ok := p.Of(round, now)
	if !ok {
		return nil, views.ErrNotFound
	}
	id := p.Definition.ID
	if round == p.At(now).Round {
		if a, ok := b.Answer(id, face); ok && a.Round == round {
			return a, nil
		}
	}
	state := b.deps.Control.State()
	key := audience.RoundKey{Poll: id, Round: round}
	if _, err := b.seal(ctx, state, key); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.merged.Load()
	if m == nil {
		return nil, ErrNotYet
	}
	sc, _, ok := b.scene(m, state, p, standing, now)
	if !ok {
		return nil, ErrNotYet
	}
	return b.remember(pastKey{key, face}, sc.look(face), sequence(m, state.Offset(), standing.Transitions, now), now, m.offsets), nil
}

func (b *Board) remember(k pastKey, c Content, seq int64, now audience.Millis, offsets map[int32]int64) *Answer {
	old := b.past[k]
	a := next(old, c, seq, now, offsets)
	if old == nil && len(b.past) >= maxPast {
		clear(b.past)
	}
	b.past[k] = a
	return a
}

func (b *Board) sealAtHand(key audience.RoundKey) *views.SealedRound {
	if s, ok := b.sealed.Load(key); ok {
		return s.(*views.SealedRound)
	}
	return nil
}

// seal is a round's seal, read once; nil when it has none.
func (b *Board) seal(ctx context.Context, state *control.State, key audience.RoundKey) (*views.SealedRound, error) {
	if s := b.sealAtHand(key); s != nil {
		return s, nil
	}
	if _, ok := state.SealedAt(key); !ok {
		return nil, nil
	}
	s, err := b.deps.Views.Sealed(ctx, key)
	switch {
	case errors.Is(err, views.ErrNotFound):
		return nil, nil // decided, not published yet
	case err != nil:
		return nil, fmt.Errorf("read the seal of %s, round %d: %w", key.Poll, key.Round, err)
	}
	if s.Round == nil {
		s.Round = &tally.Round{}
	}
	b.sealed.Store(key, s)
	return s, nil
}
