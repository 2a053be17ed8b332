package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// The five steps.
const (
	stepCut       = "cut"
	stepArchive   = "archive"
	stepRecompute = "recompute"
	stepPublish   = "publish"
	stepExpire    = "expire"
)

var stepNames = []string{stepCut, stepArchive, stepRecompute, stepPublish, stepExpire}

// work is one run under way: what it decided and what it found so far.
type work struct {
	*progress

	state    *control.State // as of the decision
	sealedAt func(audience.RoundKey) (cut uint64, ok bool)
	decision control.CutDecision
	job      fold.Job
	// before is the generation before this one; nil when there is none, or the
	// views store lost it and all is counted from the first epoch on.
	before *views.Generation
	// files and postFiles were archived for this generation, by partition.
	files     map[int32]archive.File
	postFiles map[int32]archive.File
	// lost says why postFiles is not whole.
	lost       error
	parts      []*fold.Part
	sum        *fold.Part
	heard      *hearing
	generation *views.Generation
	sealed     []views.SealedRound
}

func (w *work) number() uint64 { return w.decision.Number }

// RunOnce makes one run: it finishes the one that was cut and not published, or
// cuts anew. It is for the leader; a second one in parallel does no harm.
func (s *Service) RunOnce(ctx context.Context) (views.Run, error) {
	ctx, span := s.d.Tracer.Start(ctx, "batch run")
	defer span.End()
	w := &work{progress: s.newProgress()}
	err := s.run(ctx, w)
	span.SetAttributes(attribute.String("clamor.run", w.run.ID), attribute.Int64("clamor.ballots", w.ballots()), attribute.Int64("clamor.posts", w.posts()))
	failed(span, err)
	// How it ended is said even when the process is about to stop.
	if saveErr := w.finish(context.WithoutCancel(ctx), err); err == nil && saveErr != nil {
		s.d.Logger.Warn("batch run's end not noted", "run", w.run.ID, "error", saveErr)
	}
	s.metrics.runs.WithLabelValues(w.run.State).Inc()
	if err == nil {
		s.d.Logger.Info("batch run done", "run", w.run.ID, "generation", w.run.Generation, "agreed", w.run.Agreed,
			"ballots", w.ballots(), "posts", w.posts(), "sealed", len(w.decision.Seals), "took", s.d.Now().Sub(w.run.StartedAt.Time()).String())
	}
	return w.run, err
}

// failed says in a span why what it spans failed.
func failed(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
}

// since is the first epoch whose posts the generation before lacks.
func (w *work) since() uint64 {
	if w.before == nil {
		return w.number() - 1
	}
	return w.before.PostCut()
}

func (w *work) ballots() int64 {
	if w.sum == nil {
		return 0
	}
	return w.sum.Ballots
}

func (w *work) posts() int64 {
	if w.heard == nil {
		return 0
	}
	return w.heard.posts()
}

func (s *Service) run(ctx context.Context, w *work) error {
	if err := w.begin(ctx, stepCut, func() error { return s.cut(ctx, w) }); err != nil {
		return err
	}
	done, err := s.publishedAlready(ctx, w)
	if err != nil {
		return err
	}
	if !done {
		if err := w.begin(ctx, stepArchive, func() error { return s.archive(ctx, w) }); err != nil {
			return err
		}
		if err := w.begin(ctx, stepRecompute, func() error { return s.recompute(ctx, w) }); err != nil {
			return err
		}
	}
	if err := w.begin(ctx, stepPublish, func() error { return s.publish(ctx, w) }); err != nil {
		return err
	}
	return w.begin(ctx, stepExpire, func() error { return s.expire(ctx, w) })
}

// publishedAlready finds the generation of a run that died between the views
// store and the control log.
func (s *Service) publishedAlready(ctx context.Context, w *work) (bool, error) {
	current, err := s.d.Views.Current(ctx)
	if err != nil || current < w.number() {
		return false, err
	}
	g, err := s.d.Views.Generation(ctx, w.number())
	if errors.Is(err, views.ErrNotFound) || err == nil && !w.made(g) {
		return false, fmt.Errorf("the views store is at generation %d, which does not come of the log's cut %d: it belongs to another log; give this one a store of its own", current, w.number())
	}
	w.generation = g
	return err == nil, err
}

// apart is how far the clocks of two leaders may be apart, in milliseconds.
const apart = 60_000

// made says whether a generation of this run's number is this run's: other logs
// have cuts of that number too.
func (w *work) made(g *views.Generation) bool {
	return g.Run == w.run.ID && slices.Equal(g.Seals, w.decision.Seals) && g.CreatedAt+apart >= w.decision.At
}

// cut decides on a cut, or takes up the decision of a run that died, and writes
// its marker into every partition. Markers that stand there already do no harm.
func (s *Service) cut(ctx context.Context, w *work) error {
	if err := s.decide(ctx, w); err != nil {
		return err
	}
	w.state = s.d.Control.State()
	w.sealedAt = w.state.SealedAt
	rec := eventlog.CutRecord(w.decision.Cut())
	topics := []string{eventlog.Ballots, eventlog.Posts, eventlog.Control}
	w.expect(int64(s.d.Log.Partitions(eventlog.Ballots)+s.d.Log.Partitions(eventlog.Posts)+1), "partitions")
	for _, topic := range topics {
		for p := range int32(s.d.Log.Partitions(topic)) {
			if err := s.pass(fmt.Sprintf("cut %s/%d", topic, p)); err != nil {
				return err
			}
			if _, err := s.d.Log.Append(ctx, topic, p, rec); err != nil {
				return fmt.Errorf("write cut %d to %s/%d: %w", w.number(), topic, p, err)
			}
			w.did(ctx, 1)
		}
	}
	return s.pass("cut")
}

func (s *Service) decide(ctx context.Context, w *work) error {
	state := s.d.Control.State()
	if unfinished(state) {
		w.decision, _ = state.LastCut()
		w.resume(ctx, runID(w.decision))
		return nil
	}
	last, _ := state.LastCut()
	next := control.CutDecision{Number: last.Number + 1}
	trigger := "schedule"
	if pending, ok := state.PendingRun(); ok {
		next.Run, trigger = pending.Run, "request"
	}
	next.Run = runID(next)
	w.start(ctx, next.Run, trigger)
	if err := s.awaitSeals(ctx); err != nil {
		return err
	}
	next.At = s.now()
	next.Seals = sealable(s.d.Control.State(), next.At, s.cfg.SealGrace)
	if err := s.pass("decide"); err != nil {
		return err
	}
	if err := s.submit(ctx, control.KindCut, next.At, next); err != nil {
		return fmt.Errorf("decide cut %d: %w", next.Number, err)
	}
	decision, ok := s.d.Control.State().CutNumber(next.Number)
	if !ok {
		return fmt.Errorf("decide cut %d: it is not in the registry", next.Number)
	}
	w.decision = decision
	return s.pass("decided")
}

// awaitSeals waits for rounds that close about now and, whoever joins the run
// meanwhile, for those that had closed when he asked for it.
func (s *Service) awaitSeals(ctx context.Context) error {
	wait := waitForSeals(s.d.Control.State(), s.now(), s.cfg.SealGrace, s.cfg.SealWait)
	for {
		if err := sleep.For(ctx, wait); err != nil {
			return err
		}
		if err := s.pass("waited"); err != nil {
			return err
		}
		if wait = waitForAsked(s.d.Control.State(), s.now(), s.cfg.SealGrace); wait <= 0 {
			return nil
		}
	}
}

// runID is the run's id: the request's, or one made of the cut's number.
func runID(d control.CutDecision) string {
	if d.Run != "" {
		return d.Run
	}
	return "batch-" + strconv.FormatUint(d.Number, 10)
}

func (s *Service) submit(ctx context.Context, kind string, at audience.Millis, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	_, err = s.d.Control.Submit(ctx, control.Event{At: at, Actor: "batch", Kind: kind, Payload: body})
	return err
}

// expire drops what nobody reads any more; two generations stay.
func (s *Service) expire(ctx context.Context, w *work) error {
	below := w.number() - 1
	posts, err := s.postsBelow(ctx, w)
	if err != nil {
		return err
	}
	for _, topic := range []string{eventlog.Ballots, eventlog.Posts} {
		for p := range int32(s.d.Log.Partitions(topic)) {
			if err := s.pass(fmt.Sprintf("expire %s/%d", topic, p)); err != nil {
				return err
			}
			least := below
			if topic == eventlog.Posts {
				least = posts
			}
			if err := s.d.Speed.Expire(ctx, topic, p, least); err != nil {
				return err
			}
		}
	}
	if err := s.d.Views.Expire(ctx, below); err != nil {
		return err
	}
	if err := s.d.Archive.ExpirePostStates(ctx, posts); err != nil {
		return err
	}
	return s.pass("expire")
}
