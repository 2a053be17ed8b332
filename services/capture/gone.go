package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/sleep"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
)

// What a platform takes back goes its way as a moderator's word does: a command
// in the control log, which lists heed at once and the holder of moderation
// carries out. A platform may take a lot back, and commands are kept for ever, so
// they are written for posts that were delivered only, and at a bounded rate.
const (
	goneRate  = 100 // commands a second of a source, once it has written goneBurst
	goneBurst = 1000
	// goneAtATime bounds the commands of a source that are on their way.
	goneAtATime = 16
)

// What becomes of a post that is gone, as labels.
const (
	goneTaken   = "taken"   // it is rejected from now on
	goneAgain   = "again"   // it was before
	goneUnknown = "unknown" // it was never delivered, or too long ago
	goneFailed  = "failed"
)

// retractor takes back posts of one source.
type retractor struct {
	service *Service
	src     *control.Source
	log     *slog.Logger
	// post is a post as it was delivered; nil if it was not, or too long ago.
	post func(ctx context.Context, name string) (*clamorv1.Post, error)
}

func (p *pull) retractor() *retractor {
	return &retractor{service: p.seat.service, src: p.src, log: p.log, post: func(_ context.Context, name string) (*clamorv1.Post, error) {
		return p.posts.post(name)
	}}
}

// callRetractor is that of a source that calls us. Any instance may be called, and
// seldom for this, so it looks into the log instead of remembering.
func (s *Service) callRetractor(src *control.Source, log *slog.Logger) *retractor {
	return &retractor{service: s, src: src, log: log, post: s.lookUp}
}

// takeBack rejects the posts that are gone, and returns when the log has it.
// Twice is harmless.
func (r *retractor) takeBack(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	state, err := r.service.state()
	if err != nil {
		return err
	}
	var all errgroup.Group
	all.SetLimit(goneAtATime)
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		command, outcome, err := r.deletion(ctx, state, name)
		if err != nil {
			return errors.Join(err, all.Wait())
		}
		if command == nil {
			r.tellGone(outcome)
			continue
		}
		if err := r.pace(ctx); err != nil {
			break // ctx has ended
		}
		all.Go(func() error { return r.reject(ctx, name, command) })
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// pace waits until the source may write one more command.
func (r *retractor) pace(ctx context.Context) error {
	s := r.service
	for {
		wait := s.gone.String(r.src.ID, s.tick())
		if err := sleep.For(ctx, wait); err != nil || wait == 0 {
			return err
		}
	}
}

// deletion is the command that takes a post out, with the post as it was
// delivered or, longer ago, decided about; nil if there is nothing to take out.
func (r *retractor) deletion(ctx context.Context, state *control.State, name string) (command *control.PostCommand, outcome string, err error) {
	decision, decided := state.Post(r.src.Show, name)
	if decided && decision.Deletion >= 0 {
		return nil, goneAgain, nil
	}
	command = &control.PostCommand{Command: control.PostReject, Reason: control.ReasonDeleted, Show: r.src.Show, Deleted: true}
	post, err := r.post(ctx, name)
	if err == nil && post != nil {
		command.Post, err = proto.Marshal(post)
	}
	switch {
	case errors.Is(err, errPast):
		return nil, "", err
	case err != nil:
		r.log.Error("a post that is gone cannot be read", "post", name, "error", err)
		return nil, goneFailed, nil
	case post != nil:
	case decided:
		command.Post, command.Show, command.Topics = decision.Post, decision.Show, decision.Topics
	default:
		return nil, goneUnknown, nil
	}
	if len(command.Post) == 0 {
		r.log.Warn("a post that is gone stays in what was counted, for it was decided about too long ago", "post", name)
	}
	return command, goneTaken, nil
}

// reject writes a command until the log has it. Its id stays the same, so that
// one which was written after all is written once.
func (r *retractor) reject(ctx context.Context, name string, command *control.PostCommand) error {
	s := r.service
	e := control.Event{ID: uuid.NewString(), At: s.millis(), Actor: "source:" + r.src.ID, Kind: control.KindPostCommand, Subject: name}
	if err := e.Put(command); err != nil {
		return fmt.Errorf("take post %s back: %w", name, err)
	}
	for {
		_, err := s.control.Submit(ctx, e)
		switch {
		case err == nil:
			r.tellGone(goneTaken)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !passes(err):
			r.log.Error("a post that is gone cannot be taken back", "post", name, "error", err)
			r.tellGone(goneFailed)
			return nil
		}
		r.log.Warn("a post that is gone is not taken back yet", "post", name, "error", err)
		if err := sleep.For(ctx, logPause); err != nil {
			return err
		}
	}
}

// passes says whether a command may be written later that was not now.
func passes(err error) bool {
	f, ok := fault.As(err)
	return !ok || f.Code == fault.LogUnavailable || f.Code == fault.Overloaded || f.Code == fault.Unavailable
}

func (r *retractor) tellGone(outcome string) {
	r.service.metrics.gone.WithLabelValues(r.src.Connector, outcome).Inc()
}
