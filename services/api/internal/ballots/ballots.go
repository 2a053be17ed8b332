// Package ballots tells what became of a ballot of a round that is not sealed.
//
// Its one trick: it folds nothing. The realtime worker's journal of a partition
// is replayed into the fold's own state, and later only what was added to it.
package ballots

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Journals is the journals' store.
type Journals interface {
	JournalSince(ctx context.Context, topic string, partition int32, round audience.RoundKey, index, incarnation int64) (entries [][]byte, next int64, err error)
}

// Book holds the ballots of a bounded number of partitions of rounds, those
// asked for last.
type Book struct {
	journals Journals
	limit    int

	mu    sync.Mutex
	clock int64
	pages map[pageKey]*page
}

type pageKey struct {
	audience.RoundKey

	partition int32
}

// page is one partition of one round, as far as its journal was read.
type page struct {
	mu          sync.Mutex
	used        int64
	state       *tally.Partition
	next        int64
	incarnation int64
}

// New makes an empty book.
func New(journals Journals, limit int) *Book {
	return &Book{journals: journals, limit: limit, pages: map[pageKey]*page{}}
}

// Outcome is what became of the ballot with that mark; false when the worker has
// not counted it yet.
func (b *Book) Outcome(ctx context.Context, key audience.RoundKey, partition int32, mark uint64) (tally.Outcome, bool, error) {
	p := b.page(pageKey{key, partition})
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.follow(ctx, b.journals, key, partition); err != nil {
		return 0, false, err
	}
	o, ok := p.state.Outcome(key, mark)
	return o, ok, nil
}

func (b *Book) page(k pageKey) *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock++
	p := b.pages[k]
	if p == nil {
		if len(b.pages) >= b.limit {
			b.evict()
		}
		p = &page{state: tally.NewPartition()}
		b.pages[k] = p
	}
	p.used = b.clock
	return p
}

// evict forgets the page that was not asked for the longest.
func (b *Book) evict() {
	var oldest pageKey
	first := true
	for k, p := range b.pages {
		if first || p.used < b.pages[oldest].used {
			oldest, first = k, false
		}
	}
	delete(b.pages, oldest)
}

// follow reads on to the journal's end.
func (p *page) follow(ctx context.Context, journals Journals, key audience.RoundKey, partition int32) error {
	for {
		entries, next, err := journals.JournalSince(ctx, eventlog.Ballots, partition, key, p.next, p.incarnation)
		var fenced *speed.Fenced
		switch {
		case errors.As(err, &fenced):
			if p.next == 0 && p.incarnation == fenced.Stored.Incarnation {
				return err
			}
			p.state, p.next, p.incarnation = tally.NewPartition(), 0, fenced.Stored.Incarnation
			continue
		case errors.Is(err, speed.ErrEmpty) && p.next == 0:
			return nil // nothing was counted yet
		case err != nil:
			return err
		}
		for _, blob := range entries {
			if err := p.state.Restore(key, blob); err != nil {
				p.state, p.next, p.incarnation = tally.NewPartition(), 0, 0
				return fmt.Errorf("restore %s, round %d, partition %d: %w", key.Poll, key.Round, partition, err)
			}
		}
		if p.next = next; len(entries) == 0 {
			return nil
		}
	}
}
