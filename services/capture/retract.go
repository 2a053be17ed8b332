package capture

import (
	"context"
	"fmt"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"
)

const (
	// moderationSeats is the group whose first seat carries out what moderators
	// say: one at a time, so that the words on a post keep their order.
	moderationSeats = "moderation"
	// moderationStride is how many events without a word on a post may be read
	// again after a kill.
	moderationStride = 1000
)

// moderate carries out moderators' words until ctx ends.
func (s *Service) moderate(ctx context.Context) error {
	select {
	case <-s.control.Ready():
		return s.log.Seats(ctx, moderationSeats, s.holdModeration)
	case <-ctx.Done():
		return nil
	}
}

// holdModeration reads the control log on from where the holder before was. What
// it writes may be written twice after a kill; the folds count it once.
func (s *Service) holdModeration(ctx context.Context, number int32) error {
	if number != 0 {
		return nil
	}
	text, err := s.log.SeatMetadata(ctx, moderationSeats, number)
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(text, 10, 64)
	if err != nil { // none yet, or not ours: from the beginning, which is harmless
		from = 0
	}
	kept := from
	err = s.control.Replay(ctx, from, func(events []control.Placed, next int64) error {
		done, err := s.carryOut(ctx, events)
		if err != nil {
			return err
		}
		if done == 0 && next-kept < moderationStride {
			return nil
		}
		kept = next
		return s.log.CommitSeat(ctx, moderationSeats, number, strconv.FormatInt(next, 10))
	})
	if ctx.Err() != nil {
		return nil //nolint:nilerr // it ends because it was told to
	}
	return err
}

// carryOut writes what the words on posts among the events come to, in order.
func (s *Service) carryOut(ctx context.Context, events []control.Placed) (done int, err error) {
	for i := range events {
		if events[i].Kind != control.KindPostCommand {
			continue
		}
		w, err := s.word(&events[i])
		if err != nil { // it will not become readable: the trail has it
			s.logger.Error("a word on a post cannot be carried out", "post", events[i].Subject, "offset", events[i].Offset, "error", err)
			continue
		}
		if w == nil {
			continue
		}
		if err := s.write(ctx, w); err != nil {
			return done, fmt.Errorf("carry out %s of post %s: %w", w.command.Command, events[i].Subject, err)
		}
		done++
	}
	return done, nil
}

// word is one decision about a post, on its way into the partitions.
type word struct {
	command control.PostCommand
	event   *control.Placed
	post    *clamorv1.Post
	state   *control.State
	// first says that nobody let the post be counted before.
	first bool
	// ballots are what the decision comes to in the ballots' partitions.
	ballots []entry
}

// word reads a decision; nil when it says nothing of what was captured.
func (s *Service) word(e *control.Placed) (*word, error) {
	w := &word{event: e, state: s.control.State()}
	if err := e.Get(&w.command); err != nil {
		return nil, err
	}
	decision, ok := w.state.Post(w.command.Show, e.Subject)
	if !ok || decision.Deletion >= 0 && e.Offset > decision.Deletion && !w.rejects() {
		return nil, nil //nolint:nilnil // refused
	}
	var err error
	if w.post, err = w.command.Captured(); err != nil || w.post == nil {
		return nil, err
	}
	w.first = decision.Approved < 0 || e.Offset <= decision.Approved
	w.ballots, err = w.entries(s.log.Partitions(eventlog.Ballots))
	return w, err
}

func (w *word) rejects() bool { return w.command.Command == control.PostReject }

// held says whether a rule held the post's ballots back until now.
func (w *word) held() bool { return w.first && w.post.GetDecision() == control.PostReject }

// write puts the decision behind the post, and behind each ballot that it gave.
func (s *Service) write(ctx context.Context, w *word) error {
	moderation, err := proto.Marshal(w.moderation())
	if err != nil {
		return fmt.Errorf("encode the decision: %w", err)
	}
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error {
		_, err := s.log.AppendRaw(ctx, eventlog.Posts, audience.PartitionOfPost(w.event.Subject, s.log.Partitions(eventlog.Posts)), moderation)
		return err
	})
	for _, e := range w.ballots {
		all.Go(func() error {
			_, err := s.log.AppendRaw(ctx, eventlog.Ballots, e.partition, e.value)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	s.metrics.moderated.WithLabelValues(w.command.Command).Inc()
	return nil
}

// entries are the records of what becomes of the post's ballots.
func (w *word) entries(partitions int) (out []entry, err error) {
	for _, vote := range w.post.GetVotes() {
		r, err := w.revocation(vote)
		if err != nil {
			return nil, fmt.Errorf("read a vote: %w", err)
		}
		value, err := w.ballot(&r)
		if err != nil {
			return nil, err
		}
		if value != nil {
			out = append(out, entry{partition: audience.PartitionOf(r.Key(), r.Voter, partitions), value: value})
		}
	}
	return out, nil
}

func (w *word) moderation() *clamorv1.Record {
	return &clamorv1.Record{Body: &clamorv1.Record_Moderation{Moderation: &clamorv1.Moderation{
		Post: w.post, Reject: w.rejects(), At: int64(w.event.At), Actor: w.event.Actor,
	}}}
}

func (w *word) revocation(vote *clamorv1.Vote) (audience.Revocation, error) {
	return eventlog.RevocationFrom(&clamorv1.Revocation{
		Poll: vote.GetPoll(), Round: vote.GetRound(), Voter: vote.GetVoter(), Ballot: vote.GetBallot(), Slots: vote.GetSlots(),
		Restore: !w.rejects(), At: int64(w.event.At), Actor: w.event.Actor, ReceivedAt: w.post.GetReceivedAt(),
	})
}

// ballot is the record of what becomes of one vote: it is revoked or restored,
// or given now if a rule held it back. Nil: it stays as it is.
func (w *word) ballot(r *audience.Revocation) ([]byte, error) {
	poll, ok := w.state.Poll(r.Poll)
	if !ok {
		return nil, nil
	}
	definition, ok := poll.DefinitionOf(r.Round)
	if !ok || definition.CountsRejectedPosts {
		return nil, nil
	}
	if !w.held() {
		value, err := proto.Marshal(eventlog.RevocationRecord(r))
		if err != nil {
			return nil, fmt.Errorf("encode a revocation: %w", err)
		}
		return value, nil
	}
	standing, ok := poll.Of(r.Round, w.event.At)
	if !ok || w.rejects() { // then there is no ballot to take back
		return nil, nil
	}
	m := book.Moment{Poll: definition, Revision: poll.Revision, Standing: standing}
	b := m.Ballot(r.ReceivedAt, w.post.GetSource())
	b.ID, b.Voter, b.Choices, b.Post = r.Ballot, r.Voter, r.Choices, w.event.Subject
	return eventlog.EncodeBallots(nil, []audience.Ballot{b}), nil
}
