package api_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// fakeSpeed is the speed view in memory, moved by the real fold.
type fakeSpeed struct {
	mu    sync.Mutex
	parts []*fakePart
	err   error
	reads int
}

type fakePart struct {
	pos     speed.Position
	fold    *tally.Partition
	epochs  map[uint64]tally.View
	journal map[audience.RoundKey][][]byte
}

func newFakeSpeed() *fakeSpeed {
	s := &fakeSpeed{}
	for range partitions {
		s.parts = append(s.parts, &fakePart{
			pos: speed.Position{Incarnation: 1, Ready: true}, fold: tally.NewPartition(),
			epochs: map[uint64]tally.View{0: {}}, journal: map[audience.RoundKey][][]byte{},
		})
	}
	return s
}

// Position is that of ballots; posts tell theirs with their minutes.
func (s *fakeSpeed) Position(_ context.Context, _ string, p int32) (speed.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[p].pos, s.err
}

func (s *fakeSpeed) Read(ctx context.Context, topic string, p int32, from uint64) (speed.Slice, error) {
	return s.read(p, from, func(r *tally.Round) *tally.Round { r.Series = nil; return r })
}

func (s *fakeSpeed) ReadSeries(ctx context.Context, topic string, p int32, from uint64) (speed.Slice, error) {
	return s.read(p, from, func(r *tally.Round) *tally.Round { return &tally.Round{Series: r.Series} })
}

func (s *fakeSpeed) read(p int32, from uint64, part func(*tally.Round) *tally.Round) (speed.Slice, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.err != nil {
		return speed.Slice{}, s.err
	}
	fp := s.parts[p]
	if from < fp.pos.Keep {
		return speed.Slice{}, speed.ErrExpired
	}
	slice := speed.Slice{Position: fp.pos, Epochs: map[uint64]tally.View{}}
	for epoch, view := range fp.epochs {
		if epoch < from {
			continue
		}
		slice.Epochs[epoch] = tally.View{}
		for k, r := range view {
			slice.Epochs[epoch][k] = part(r.Clone())
		}
	}
	return slice, nil
}

func (s *fakeSpeed) JournalSince(_ context.Context, _ string, p int32, k audience.RoundKey, index, inc int64) ([][]byte, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fp := s.parts[p]
	switch {
	case s.err != nil:
		return nil, index, s.err
	case inc != fp.pos.Incarnation:
		return nil, index, &speed.Fenced{Stored: fp.pos}
	case fp.fold.Sealed(k):
		return nil, index, speed.ErrSealed
	}
	entries := fp.journal[k][index:]
	return entries, index + int64(len(entries)), nil
}

func (s *fakeSpeed) next(p int32) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[p].pos.Next
}

// fails makes every read fail, or work again.
func (s *fakeSpeed) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *fakeSpeed) each(f func(p *fakePart)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		f(p)
	}
}

// cast folds a ballot of a voter for slots and gives its receipt.
func (r *rig) cast(poll string, voter int, slots ...uint16) string {
	r.t.Helper()
	p, ok := r.control.State().Poll(poll)
	if !ok {
		r.t.Fatalf("no poll %s", poll)
	}
	now := audience.MillisOf(r.now())
	standing := p.At(now)
	d, _ := p.DefinitionOf(standing.Round)
	b := audience.Ballot{
		Poll: poll, Round: standing.Round, ReceivedAt: now, ClosesAt: standing.ClosesAt, Kind: d.Kind,
		PerVoter: d.Limits.BallotsPerVoter, OnRepeat: d.Limits.OnRepeat,
	}
	binary.BigEndian.PutUint64(b.Voter[:], uint64(voter))
	for _, slot := range slots {
		b.Choices = append(b.Choices, audience.Choice{Slot: slot})
	}
	return r.fold(b)
}

var ballots uint64

func (r *rig) fold(b audience.Ballot) string {
	s := r.speed
	s.mu.Lock()
	defer s.mu.Unlock()
	ballots++
	binary.BigEndian.PutUint64(b.ID[8:], ballots)
	p := audience.PartitionOf(b.Key(), b.Voter, partitions)
	fp := s.parts[p]
	delta := tally.View{}
	fp.fold.Ballot(&b, delta)
	fp.epochs[fp.fold.Epoch()].Add(delta)
	for k, blob := range fp.fold.TakeJournal() {
		fp.journal[k] = append(fp.journal[k], blob)
	}
	fp.pos.Next++
	return r.keys.Receipt(keys.Receipt{Poll: b.Poll, Round: b.Round, Partition: p, Mark: tally.Mark(b.Voter, b.ID)})
}

// run is a batch run: it cuts, sums what lies before the cut, publishes, and
// seals every closed round.
func (r *rig) run() uint64 {
	r.t.Helper()
	state, now := r.control.State(), audience.MillisOf(r.now())
	last, _ := state.LastCut()
	cut := control.CutDecision{Number: last.Number + 1, At: now}
	for _, p := range state.Polls("") {
		for round := uint32(1); round <= p.Rounds(); round++ {
			k := audience.RoundKey{Poll: p.Definition.ID, Round: round}
			if at, ok := p.ClosedAt(round); ok && at <= now {
				if _, sealed := state.SealedAt(k); !sealed {
					cut.Seals = append(cut.Seals, k)
				}
			}
		}
	}
	r.submit(control.KindCut, "", 0, cut)
	g := &views.Generation{
		Number: cut.Number, CreatedAt: now, Agreed: views.AgreedYes, Rounds: tally.View{}, Offsets: map[int32]int64{},
		LateAfterSeal: map[audience.RoundKey]int64{}, Seals: cut.Seals,
	}
	before, err := r.views.Store.Generation(r.t.Context(), last.Number)
	if err != nil && !errors.Is(err, views.ErrNotFound) {
		r.t.Fatal(err)
	}
	var receipts []func()
	r.speed.each(func(p *fakePart) {
		n := int32(len(g.Offsets))
		g.Rounds.Add(p.epochs[cut.Number-1])
		for _, k := range cut.Seals {
			var marks []archive.MarkOutcome
			p.fold.Outcomes(k, func(mark uint64, o tally.Outcome) {
				marks = append(marks, archive.MarkOutcome{Mark: mark, Outcome: uint8(o)})
			})
			receipts = append(receipts, func() { must(r.t, r.archive.PutReceipts(r.t.Context(), k, n, marks)) })
		}
		p.fold.Cut(cut.Cut())
		p.epochs[cut.Number] = tally.View{}
		p.pos.Next++
		p.pos.Epoch = cut.Number
		g.Offsets[n] = p.pos.Next
	})
	for _, put := range receipts {
		put()
	}
	r.hearing.cut(r, g)
	r.publish(g, before, state)
	r.hearing.expire(g.Number)
	return g.Number
}

func (r *rig) publish(g, before *views.Generation, was *control.State) {
	r.t.Helper()
	if before != nil {
		for k, round := range before.Rounds {
			if _, sealed := was.SealedAt(k); !sealed {
				g.Rounds.Of(k).Add(round)
			}
		}
		for k, n := range before.LateAfterSeal {
			g.LateAfterSeal[k] += n
		}
	}
	for k, round := range g.Rounds {
		if _, sealed := was.SealedAt(k); sealed {
			g.LateAfterSeal[k] += round.Late
			delete(g.Rounds, k)
		}
	}
	var sealed []views.SealedRound
	for _, k := range g.Seals {
		sealed = append(sealed, views.SealedRound{
			Key: k, Generation: g.Number, SealedAt: g.CreatedAt, Round: g.Rounds.Of(k).Clone(),
			Certificate: fmt.Appendf(nil, `{"poll":%q,"round":%d}`, k.Poll, k.Round),
		})
	}
	must(r.t, r.views.Publish(r.t.Context(), g, sealed))
	must(r.t, r.views.SaveRun(r.t.Context(), views.Run{ID: fmt.Sprintf("run-%d", g.Number), State: views.Done, Generation: g.Number, StartedAt: audience.MillisOf(time.Now())}))
	r.submit(control.KindPublished, "", 0, control.Published{Generation: g.Number, Cut: g.Number, Offsets: g.Offsets, Seals: g.Seals, Agreed: g.Agreed})
	r.speed.each(func(p *fakePart) {
		for epoch := range p.epochs {
			if epoch+1 < g.Number {
				delete(p.epochs, epoch)
				p.pos.Keep = max(p.pos.Keep, epoch+1)
			}
		}
	})
}
