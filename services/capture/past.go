package capture

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// recollecting bounds how long the sources of a seat wait for their past.
const recollecting = 5 * time.Second

// Past is what stands in the posts' partitions already; Kafka has it.
type Past interface {
	// Last gives up to most of a partition's last records to take, oldest first. Its
	// error may come after some of them.
	Last(ctx context.Context, partition int32, most int64, take func([]eventlog.Entry)) error
}

// Kafka is the Past of a log.
type Kafka struct{ Log *eventlog.Log }

var _ Past = Kafka{}

// Last reads to where the partition ended when it began.
func (k Kafka) Last(ctx context.Context, partition int32, most int64, take func([]eventlog.Entry)) error {
	oldest, next, err := k.Log.Bounds(ctx, eventlog.Posts, partition)
	if err != nil {
		return err
	}
	at := max(oldest, next-most)
	if at >= next {
		return nil
	}
	r, err := k.Log.Read(ctx, eventlog.Posts, partition, at)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }() // nothing was written to it
	for at < next {
		entries, err := r.Next(ctx)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			continue
		}
		take(entries)
		at = entries[len(entries)-1].Offset + 1
	}
	return nil
}

// recollect fills the memory of the seat's sources with what they brought before,
// on whichever instance. Without it they go on: it is for deletions only.
func (st *seat) recollect(ctx context.Context, state *control.State) {
	s := st.service
	mine := map[string]*delivered{}
	for _, src := range state.Sources() {
		if takesBack(src.Connector) && seatOf(src.ID, st.seats) == st.number {
			mine[src.ID] = st.delivered(src.ID)
		}
	}
	if s.past == nil || len(mine) == 0 {
		return
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, recollecting)
	defer cancel()
	partitions := s.log.Partitions(eventlog.Posts)
	for p := range int32(partitions) {
		err := s.past.Last(ctx, p, int64(maxDelivered/partitions), func(entries []eventlog.Entry) { recognise(mine, entries) })
		if outer.Err() != nil {
			return
		}
		if err != nil {
			s.logger.Warn("what sources brought before is not known: their platforms may delete some of it in vain",
				"seat", st.number, "error", fmt.Errorf("read partition %d of the posts back: %w", p, err))
			return
		}
	}
}

// recognise keeps the posts of sources.
func recognise(mine map[string]*delivered, entries []eventlog.Entry) {
	for i := range entries {
		post := entries[i].Record.GetPost()
		if d := mine[post.GetSource()]; d != nil {
			d.keep([]entry{{value: entries[i].Raw, name: connect.NameOf(post.GetPlatform(), post.GetId())}})
		}
	}
}

// errPast is that the log does not tell now what stands in it.
var errPast = fault.New(fault.LogUnavailable, "the posts cannot be read back")

// lookUp finds a post among the last of its partition, as it came first; nil if it
// is not there.
func (s *Service) lookUp(ctx context.Context, name string) (*clamorv1.Post, error) {
	if s.past == nil {
		return nil, nil //nolint:nilnil // none is an answer
	}
	ctx, cancel := context.WithTimeout(ctx, recollecting)
	defer cancel()
	partitions := s.log.Partitions(eventlog.Posts)
	var found *clamorv1.Post
	err := s.past.Last(ctx, audience.PartitionOfPost(name, partitions), int64(maxDelivered/partitions), func(entries []eventlog.Entry) {
		for i := range entries {
			post := entries[i].Record.GetPost()
			if found == nil && post != nil && connect.NameOf(post.GetPlatform(), post.GetId()) == name {
				found = post
			}
		}
	})
	if found == nil && err != nil {
		return nil, errors.Join(errPast, err)
	}
	return found, nil
}
