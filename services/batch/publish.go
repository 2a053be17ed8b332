package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/certificate"
)

// publish writes the generation beside the one before, and then says in the
// control log that it is the one to be read.
func (s *Service) publish(ctx context.Context, w *work) error {
	if w.generation == nil {
		if err := s.assemble(ctx, w); err != nil {
			return err
		}
		if err := s.pass("publish"); err != nil {
			return err
		}
		if err := s.d.Views.Publish(ctx, w.generation, w.sealed); err != nil {
			return err
		}
	}
	if err := s.pass("stored"); err != nil {
		return err
	}
	g := w.generation
	err := s.submit(ctx, control.KindPublished, 0, control.Published{
		Generation: g.Number, Cut: g.Number, FloorEpoch: g.FloorEpoch, Floors: g.Floors,
		Offsets: g.Offsets, PostOffsets: g.PostOffsets, Unheard: g.Unheard, Seals: g.Seals, Run: w.run.ID, Agreed: g.Agreed,
	})
	if fault, ok := fault.As(err); ok && s.isPublished(g.Number) {
		s.d.Logger.Info("another leader published this generation", "generation", g.Number, "verdict", fault.Detail)
		err = nil
	}
	if err != nil {
		return fmt.Errorf("publish generation %d: %w", g.Number, err)
	}
	w.run.Generation, w.run.Agreed = g.Number, g.Agreed
	s.metrics.generation.Set(float64(g.Number))
	s.metrics.unheard.Set(float64(g.Unheard))
	s.metrics.cutAt.Set(float64(w.decision.At) / 1000)
	s.metrics.sealed.Add(float64(len(g.Seals)))
	return s.pass("published")
}

func (s *Service) isPublished(generation uint64) bool {
	p, ok := s.d.Control.State().Published()
	return ok && p.Generation >= generation
}

// assemble makes the generation and what it seals.
func (s *Service) assemble(ctx context.Context, w *work) error {
	agreed, differences := s.compare(ctx, w)
	g := &views.Generation{
		Number: w.number(), CreatedAt: s.now(), Run: w.run.ID, Rows: w.sum.Rows,
		Agreed: agreed, Differences: differences, Seals: w.decision.Seals,
		Rounds: w.sum.Rounds, LateAfterSeal: w.late(),
	}
	g.FloorEpoch = w.floor()
	g.Offsets, g.Floors = w.offsets(), w.floors(g.FloorEpoch)
	w.hear(g)
	w.generation = g
	seals := w.seals()
	w.expect(int64(len(seals)), "seals")
	for _, seal := range seals {
		round, err := s.seal(ctx, w, seal)
		if err != nil {
			return err
		}
		w.sealed = append(w.sealed, *round)
		w.did(ctx, 1)
	}
	return nil
}

// hear gives the generation what was heard.
func (w *work) hear(g *views.Generation) {
	h := w.heard
	if h == nil {
		w.stand(g)
		return
	}
	g.Topics, g.Build, g.PostOffsets, g.PostRows = h.refs, h.topics.build, h.postOffsets(), h.rows
	switch {
	case h.index != nil:
		g.Searched = g.Number
	case w.before != nil:
		g.Searched = w.before.Searched
	}
}

// late carries the ballots that came after their round's seal over.
func (w *work) late() map[audience.RoundKey]int64 {
	late := map[audience.RoundKey]int64{}
	if w.before == nil {
		for k, n := range w.sum.Late {
			if n != 0 {
				late[k] = n
			}
		}
		return late
	}
	for k, n := range w.before.LateAfterSeal {
		late[k] = n
	}
	for k, r := range w.sum.Last {
		if cut, sealed := w.sealedAt(k); sealed && cut < w.number() && r.Late != 0 {
			late[k] += r.Late
		}
	}
	return late
}

// floor is the first epoch with a record of a round that stays unsealed; the
// one that begins now when there is none.
func (w *work) floor() uint64 {
	floor := w.number()
	for k, epoch := range w.sum.First {
		if _, sealed := w.sealedAt(k); !sealed {
			floor = min(floor, epoch)
		}
	}
	return floor
}

func (w *work) offsets() map[int32]int64 {
	offsets := make(map[int32]int64, len(w.parts))
	for _, p := range w.parts {
		offsets[p.Partition] = p.Files[len(p.Files)-1].Next
	}
	return offsets
}

func (w *work) floors(floor uint64) map[int32]int64 {
	floors := make(map[int32]int64, len(w.parts))
	for _, p := range w.parts {
		if floor == w.number() {
			floors[p.Partition] = p.Files[len(p.Files)-1].Next
		} else {
			floors[p.Partition] = p.Files[floor-w.job.From].First
		}
	}
	return floors
}

// seal is a round to be certified.
type seal struct {
	key audience.RoundKey
	cut control.CutDecision
	// round is what was counted; zero when nobody voted.
	round *tally.Round
}

// seals are the rounds that this cut ends, and, when the views store was lost,
// those that earlier cuts did: they are counted and certified again, to the same
// bytes.
func (w *work) seals() []seal {
	var seals []seal
	for _, cut := range w.state.Cuts() {
		if cut.Number != w.number() && (w.before != nil || cut.Number > w.number()) {
			continue
		}
		for _, k := range cut.Seals {
			round := w.sum.Rounds[k]
			if cut.Number != w.number() {
				round = w.sum.Ended[k]
			}
			seals = append(seals, seal{k, cut, round.Clone()})
		}
	}
	return seals
}

// seal certifies a round.
func (s *Service) seal(ctx context.Context, w *work, of seal) (*views.SealedRound, error) {
	if err := s.pass("seal " + of.key.Poll); err != nil {
		return nil, err
	}
	statement, err := s.state(ctx, w, of)
	if err != nil {
		return nil, fmt.Errorf("certify round %d of %s: %w", of.key.Round, of.key.Poll, err)
	}
	doc, err := certificate.Sign(statement, s.d.Key)
	if err != nil {
		return nil, err
	}
	if err := s.d.Archive.PutCertificate(ctx, of.key, doc); err != nil {
		return nil, err
	}
	return &views.SealedRound{
		Key: of.key, Generation: of.cut.Number, SealedAt: of.cut.At, Round: of.round, Certificate: doc,
	}, nil
}

var errNoDefinition = errors.New("the registry has no definition of it")

func (s *Service) state(ctx context.Context, w *work, of seal) (_ *certificate.Statement, err error) {
	poll, ok := w.state.Poll(of.key.Poll)
	if !ok {
		return nil, errNoDefinition
	}
	definition, ok := poll.DefinitionOf(of.key.Round)
	if !ok {
		return nil, errNoDefinition
	}
	c := &certificate.Statement{
		Version: certificate.Version, Poll: of.key.Poll, Round: of.key.Round,
		Cut: of.cut.Number, SealedAt: of.cut.At, Offsets: map[int32]int64{},
	}
	c.Count(definition, of.round)
	first, voted := w.sum.First[of.key]
	if !voted {
		first = of.cut.Number - 1
	}
	for _, part := range w.parts {
		files := part.Files[max(first, w.job.From)-w.job.From : of.cut.Number-w.job.From]
		c.Offsets[part.Partition] = files[len(files)-1].Next
		for _, file := range files {
			if file.SHA256, _, err = s.d.Archive.Hash(ctx, file.Path); err != nil {
				return nil, err
			}
			c.Files = append(c.Files, file)
		}
	}
	return c, nil
}
