package e2e

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/tally"
)

// History is what was served, in the order in which one poller saw it.
type History struct {
	mu      sync.Mutex
	answers []*Result
	last    map[string]*Result
	faults  []error
}

// NewHistory is empty.
func NewHistory() *History { return &History{last: map[string]*Result{}} }

// Saw keeps an answer and checks what one poller may expect of the next one:
// figures that never go back without a word, seq that never does, and parts that sum to the whole.
func (h *History) Saw(r *Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, r)
	if before := h.last[r.Poll]; before != nil && before.Round == r.Round {
		h.check(r.Totals.Votes >= before.Totals.Votes || r.Correction, "%s: votes went from %d to %d", r.Poll, before.Totals.Votes, r.Totals.Votes)
		h.check(r.Seq >= before.Seq, "%s: seq went from %d to %d", r.Poll, before.Seq, r.Seq)
		h.check(r.Generation >= before.Generation, "%s: generation went from %d to %d", r.Poll, before.Generation, r.Generation)
	}
	h.check(r.Totals.Batch+r.Totals.Speed == r.Totals.Votes, "%s: %d + %d is not %d", r.Poll, r.Totals.Batch, r.Totals.Speed, r.Totals.Votes)
	h.last[r.Poll] = r
}

func (h *History) check(ok bool, format string, args ...any) {
	if !ok && len(h.faults) < 20 {
		h.faults = append(h.faults, fmt.Errorf(format, args...))
	}
}

// Faults are what Saw found, and how many answers it saw.
func (h *History) Faults() ([]error, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.faults, len(h.answers)
}

// Judge recomputes every answer from the log at the offsets it names.
func (h *History) Judge(ctx context.Context, log *eventlog.Log) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	entries, err := readPartitions(ctx, log, eventlog.Ballots)
	if err != nil {
		return err
	}
	// A poll's answer stays while its figures do, so offsets grow by poll.
	replays := map[string][]*replay{}
	for i, r := range h.answers {
		if replays[r.Poll] == nil {
			replays[r.Poll] = newReplays(entries)
		}
		if err := r.judge(replays[r.Poll]); err != nil {
			return fmt.Errorf("answer %d (%s, seq %d, generation %d, offsets %v): %w", i, r.Poll, r.Seq, r.Generation, r.Offsets, err)
		}
	}
	return nil
}

func (r *Result) judge(parts []*replay) error {
	sum := tally.Round{}
	for p, replay := range parts {
		next, ok := r.Offsets[strconv.Itoa(p)]
		if !ok {
			return fmt.Errorf("it names no offset of partition %d", p)
		}
		if err := replay.advance(next); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
		sum.Add(replay.view[audience.RoundKey{Poll: r.Poll, Round: r.Round}])
	}
	return r.equals(&sum)
}

// equals compares an answer with the counts of the log.
func (r *Result) equals(want *tally.Round) error {
	for _, f := range []struct {
		name      string
		got, want int64
	}{
		{"votes", r.Totals.Votes, want.TotalVotes()},
		{"voters", r.Totals.Voters, want.Voters},
		{"late", r.Totals.Late, want.Late},
		{"duplicates", r.Totals.Duplicates, want.Duplicates},
		{"rejected.limit", r.Totals.Rejected.Limit, want.Limit},
		{"rejected.revoked", r.Totals.Rejected.Revoked, want.Revoked},
	} {
		if f.got != f.want {
			return fmt.Errorf("served %s %d, the log says %d", f.name, f.got, f.want)
		}
	}
	for _, o := range r.Options {
		var votes int64
		if o.Slot <= len(want.Votes) {
			votes = want.Votes[o.Slot-1]
		}
		if o.Votes != votes {
			return fmt.Errorf("served %s %d, the log says %d", o.ID, o.Votes, votes)
		}
	}
	return nil
}

// replay folds one partition forward, as far as it is asked.
type replay struct {
	entries []eventlog.Entry
	done    int
	fold    *tally.Partition
	view    tally.View
	decoder eventlog.Decoder
}

func readPartitions(ctx context.Context, log *eventlog.Log, topic string) ([][]eventlog.Entry, error) {
	parts := make([][]eventlog.Entry, log.Partitions(topic))
	for p := range parts {
		var err error
		if parts[p], err = readAll(ctx, log, topic, int32(p)); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func newReplays(entries [][]eventlog.Entry) []*replay {
	parts := make([]*replay, len(entries))
	for p := range parts {
		parts[p] = &replay{entries: entries[p], fold: tally.NewPartition(), view: tally.View{}}
	}
	return parts
}

// advance folds the records below an offset.
func (r *replay) advance(next int64) error {
	if r.done > 0 && next <= r.entries[r.done-1].Offset {
		return fmt.Errorf("offset %d was passed already: a later answer is of an earlier time", next)
	}
	for r.done < len(r.entries) && r.entries[r.done].Offset < next {
		body, err := r.decoder.Decode(r.entries[r.done].Raw)
		r.done++
		if err != nil {
			continue // a record that nobody can read is counted by nobody
		}
		Fold(r.fold, body, r.view)
	}
	return nil
}

// Fold applies one record.
func Fold(p *tally.Partition, body eventlog.Body, out tally.View) {
	for i := range body.Ballots {
		p.Ballot(&body.Ballots[i], out)
	}
	if body.Revocation != nil {
		p.Revoke(body.Revocation, out)
	}
	if body.Cut != nil {
		p.Cut(*body.Cut)
	}
}

// readAll is the whole of a partition.
func readAll(ctx context.Context, log *eventlog.Log, topic string, partition int32) ([]eventlog.Entry, error) {
	oldest, next, err := log.Bounds(ctx, topic, partition)
	if err != nil {
		return nil, fmt.Errorf("bounds of %s/%d: %w", topic, partition, err)
	}
	if oldest == next {
		return nil, nil
	}
	reader, err := log.ReadRaw(ctx, topic, partition, oldest)
	if err != nil {
		return nil, fmt.Errorf("read %s/%d: %w", topic, partition, err)
	}
	defer func() { _ = reader.Close() }()
	var all []eventlog.Entry
	for {
		entries, err := reader.Next(ctx)
		if err != nil {
			return nil, fmt.Errorf("read %s/%d: %w", topic, partition, err)
		}
		for _, e := range entries {
			e.Raw = append([]byte(nil), e.Raw...)
			all = append(all, e)
		}
		if len(all) > 0 && all[len(all)-1].Offset >= next-1 {
			return all, nil
		}
	}
}

// EachBallot calls yield with the id of every ballot in the log, repeats too.
func EachBallot(ctx context.Context, log *eventlog.Log, yield func(uuid.UUID)) error {
	return eachRecord(ctx, log, eventlog.Ballots, func(body eventlog.Body) {
		for i := range body.Ballots {
			yield(uuid.UUID(body.Ballots[i].ID))
		}
	})
}

// EachPost calls yield with every post in the log, repeats too.
func EachPost(ctx context.Context, log *eventlog.Log, yield func(source, id string, receivedAt audience.Millis)) error {
	return eachRecord(ctx, log, eventlog.Posts, func(body eventlog.Body) {
		if post := body.Post; post != nil {
			yield(post.GetSource(), post.GetId(), audience.Millis(post.GetReceivedAt()))
		}
	})
}

func eachRecord(ctx context.Context, log *eventlog.Log, topic string, yield func(eventlog.Body)) error {
	parts, err := readPartitions(ctx, log, topic)
	if err != nil {
		return err
	}
	var decoder eventlog.Decoder
	for p, entries := range parts {
		for _, e := range entries {
			body, err := decoder.Decode(e.Raw)
			if err != nil {
				return fmt.Errorf("decode %s/%d at %d: %w", topic, p, e.Offset, err)
			}
			yield(body)
		}
	}
	return nil
}
