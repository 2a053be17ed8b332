// Package commit is the group commit of ballots: one committer a partition takes
// what has queued up, writes it as one record, and wakes those who wait for it
// when the log has it.
//
// Its one trick: while a record is on its way, the next one fills. A lone ballot
// goes at once, and the busier the door, the larger the records. One record a
// partition is in flight, so one voter's ballots stay in the order in which they
// came.
package commit

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"golang.org/x/sync/errgroup"
)

// What keeps ballots from being recorded. Other errors are the log's own, and
// leave open whether the ballots were recorded.
var (
	ErrFull    = errors.New("too many ballots are waiting for the log")
	ErrLate    = errors.New("the log took longer than a ballot may wait")
	ErrStopped = errors.New("the doors are closed")
)

// Log appends one encoded record; it returns when the record is durable or is
// given up. It may be called from many goroutines.
type Log interface {
	AppendRaw(ctx context.Context, topic string, partition int32, value []byte) (int64, error)
}

// Config bounds records and queues.
type Config struct {
	Topic      string
	Partitions int
	// Ballots and Bytes bound a record; Queue bounds the ballots that wait for
	// one partition.
	Ballots, Bytes, Queue int
	// InFlight bounds the records on their way at a time, over all partitions;
	// a partition has one at most.
	InFlight int
	// Delay is the longest that ballots wait for company.
	Delay time.Duration
	// AckDeadline is the longest from a ballot's ReceivedAt to its
	// acknowledgement.
	AckDeadline time.Duration
	Now         func() time.Time
	// Flushed, if set, hears of every record: how many ballots, how long the log
	// took, and its error.
	Flushed func(ballots int, took time.Duration, err error)
}

// Group is the committers of one topic. Until Run, and after it, everything is
// refused with ErrStopped.
type Group struct {
	cfg    Config
	lanes  []*lane
	singly sync.Pool // of *single
}

// single is a lone ballot and the ticket of whoever waits for it.
type single struct {
	ballot [1]audience.Ballot
	ticket ticket
}

// New makes a group; it starts nothing.
func New(log Log, cfg Config) *Group {
	g := &Group{cfg: cfg}
	g.singly.New = func() any { return &single{ticket: newTicket()} }
	turns := make(chan struct{}, max(1, min(cfg.InFlight, cfg.Partitions)))
	for p := range cfg.Partitions {
		g.lanes = append(g.lanes, newLane(log, &g.cfg, int32(p), turns))
	}
	return g
}

// Partitions is how many partitions there are.
func (g *Group) Partitions() int { return g.cfg.Partitions }

// Waiting is how many ballots wait, over all partitions.
func (g *Group) Waiting() (n int) {
	for _, l := range g.lanes {
		n += l.waiting()
	}
	return n
}

// Running says whether ballots are taken.
func (g *Group) Running() bool {
	for _, l := range g.lanes {
		if !l.isOpen() {
			return false
		}
	}
	return true
}

// Run commits until ctx ends, then what was taken before.
func (g *Group) Run(ctx context.Context) error {
	var all errgroup.Group
	for _, l := range g.lanes {
		l.start()
		all.Go(func() error { l.run(ctx); return nil })
	}
	return all.Wait()
}

// One records one ballot and returns when it is durable and in time. After an
// error that is none of this package's, whether it was recorded is not known.
func (g *Group) One(partition int32, b *audience.Ballot) error {
	s := g.singly.Get().(*single)
	s.ballot[0] = *b
	s.ticket.expect(1)
	err := g.lanes[partition].put(item{s.ballot[:], weigh(b), &s.ticket})
	if err == nil {
		err = s.ticket.wait()
	}
	s.ballot[0] = audience.Ballot{}
	g.singly.Put(s)
	if err == nil && g.late(b.ReceivedAt) {
		err = ErrLate
	}
	return err
}

// Many records ballots that were received at the same time: parts in order, each
// by partition and in order. It takes all or, with ErrFull or ErrStopped, none
// of them; after another error, which were recorded is not known. The slices
// must stay unchanged until it returns.
func (g *Group) Many(received audience.Millis, parts ...[][]audience.Ballot) error {
	t := newTicket()
	items := make([][]item, g.cfg.Partitions)
	sizes := make([]int, g.cfg.Partitions)
	total := 0
	for _, byPartition := range parts {
		for p, ballots := range byPartition {
			before := len(items[p])
			items[p] = g.split(items[p], ballots, &t)
			sizes[p] += len(ballots)
			total += len(items[p]) - before
		}
	}
	if total == 0 {
		return nil
	}
	t.expect(total)
	if err := g.putAll(items, sizes); err != nil {
		return err
	}
	err := t.wait()
	if err == nil && g.late(received) {
		err = ErrLate
	}
	return err
}

// putAll reserves room everywhere before it puts anything anywhere.
func (g *Group) putAll(items [][]item, sizes []int) error {
	for p, l := range g.lanes {
		if err := l.reserve(sizes[p]); err != nil {
			for q := range p {
				g.lanes[q].release(sizes[q])
			}
			return err
		}
	}
	for p, l := range g.lanes {
		l.putReserved(items[p])
	}
	return nil
}

// split cuts ballots into items that fit a record, and appends them.
func (g *Group) split(items []item, ballots []audience.Ballot, t *ticket) []item {
	from, size := 0, 0
	for i := range ballots {
		w := weigh(&ballots[i])
		if i > from && (i-from == g.cfg.Ballots || size+w > g.cfg.Bytes) {
			items = append(items, item{ballots[from:i], size, t})
			from, size = i, 0
		}
		size += w
	}
	if len(ballots) > from {
		items = append(items, item{ballots[from:], size, t})
	}
	return items
}

func (g *Group) late(received audience.Millis) bool {
	return g.cfg.Now().Sub(received.Time()) > g.cfg.AckDeadline
}

// weigh bounds the bytes of a ballot in a record from above.
func weigh(b *audience.Ballot) int {
	return 112 + len(b.Poll) + len(b.Source) + len(b.Post) + 8*len(b.Choices)
}
