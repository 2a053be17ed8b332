package realtime

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
)

// memoryLog is one partition of a log, in memory.
type memoryLog struct {
	mu       sync.Mutex
	values   [][]byte
	oldest   int64
	more     chan struct{} // closed at the next append
	chunk    int           // most entries that Next gives
	rejected int
}

func newMemoryLog() *memoryLog { return &memoryLog{more: make(chan struct{}), chunk: 3} }

func (l *memoryLog) append(value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = append(l.values, value)
	close(l.more)
	l.more = make(chan struct{})
}

func (l *memoryLog) ballots(bs ...audience.Ballot) { l.append(eventlog.EncodeBallots(nil, bs)) }

func (l *memoryLog) cut(c audience.Cut) {
	value, err := proto.Marshal(eventlog.CutRecord(c))
	if err != nil {
		panic(err)
	}
	l.append(value)
}

func (l *memoryLog) revoke(r audience.Revocation) {
	value, err := proto.Marshal(eventlog.RevocationRecord(&r))
	if err != nil {
		panic(err)
	}
	l.append(value)
}

func (l *memoryLog) forget(below int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.oldest = max(l.oldest, below)
}

func (l *memoryLog) end() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.values))
}

func (l *memoryLog) Bounds(context.Context, string, int32) (oldest, next int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oldest, int64(len(l.values)), nil
}

func (l *memoryLog) Read(_ context.Context, _ string, _ int32, from int64) (Records, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from < l.oldest {
		return nil, eventlog.ErrOffsetGone
	}
	return &memoryRecords{log: l, next: from}, nil
}

func (l *memoryLog) Reject(context.Context, eventlog.Entry, string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rejected++
	return nil
}

func (l *memoryLog) Seats(ctx context.Context, _ string, hold func(context.Context, int32) error) error {
	return hold(ctx, 0)
}

// memoryRecords gives a few entries at a time, so that batches end anywhere.
type memoryRecords struct {
	log  *memoryLog
	next int64
}

func (r *memoryRecords) Next(ctx context.Context) ([]eventlog.Entry, error) {
	for {
		r.log.mu.Lock()
		end, more := int64(len(r.log.values)), r.log.more
		var entries []eventlog.Entry
		for ; r.next < end && len(entries) < r.log.chunk; r.next++ {
			entries = append(entries, eventlog.Entry{Topic: eventlog.Ballots, Offset: r.next, Raw: r.log.values[r.next]})
		}
		r.log.mu.Unlock()
		if len(entries) > 0 {
			return entries, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *memoryRecords) End() int64   { return r.log.end() }
func (r *memoryRecords) Close() error { return nil }

// segment walks over the records of an epoch that a cut ended.
func (l *memoryLog) segment(of uint64, visit func(offset int64, body eventlog.Body, err error) error) error {
	l.mu.Lock()
	values := l.values
	l.mu.Unlock()
	var epoch uint64
	var d eventlog.Decoder
	found := false
	for offset, value := range values {
		within := epoch == of
		body, err := d.Decode(value)
		if body.Cut != nil {
			epoch = max(epoch, body.Cut.Number)
		}
		if !within {
			continue
		}
		found = true
		if err := visit(int64(offset), body, err); err != nil {
			return err
		}
	}
	if !found || epoch <= of {
		return archive.ErrNotFound
	}
	return nil
}

// ReadBallots makes a memoryLog its own archive.
func (l *memoryLog) ReadBallots(_ context.Context, s archive.Segment, visit func([]archive.Row) error) (archive.File, error) {
	file := archive.File{Path: s.Path(), First: -1}
	err := l.segment(s.Epoch, func(offset int64, body eventlog.Body, err error) error {
		file.Next = offset + 1
		return visit(rowsOf(offset, body, err))
	})
	return file, err
}

// ReadPosts is ReadBallots for posts.
func (l *memoryLog) ReadPosts(_ context.Context, s archive.Segment, visit func([]archive.PostRow) error) (archive.File, error) {
	file := archive.File{Path: s.Path(), First: -1}
	err := l.segment(s.Epoch, func(offset int64, body eventlog.Body, err error) error {
		file.Next = offset + 1
		row := archive.PostRow{Offset: offset}
		switch {
		case err != nil:
		case body.Cut != nil:
			row.Type, row.Cut = archive.RowCut, *body.Cut
		case body.Post != nil:
			row.Type, row.Post = archive.RowPost, body.Post
		case body.Moderation != nil:
			row.Type, row.Moderation = archive.RowModeration, body.Moderation
		}
		return visit([]archive.PostRow{row})
	})
	return file, err
}

func rowsOf(offset int64, body eventlog.Body, err error) []archive.Row {
	row := archive.Row{Offset: offset}
	switch {
	case err != nil:
	case body.Cut != nil:
		row.Type, row.Cut = archive.RowCut, *body.Cut
	case body.Revocation != nil:
		row.Type, row.Revocation = archive.RowRevocation, *body.Revocation
	default:
		var rows []archive.Row
		for _, b := range body.Ballots {
			rows = append(rows, archive.Row{Offset: offset, Type: archive.RowBallot, Ballot: b})
		}
		return rows
	}
	return []archive.Row{row}
}

// flaky is a store whose steps can be made to fail, before or after they are
// applied.
type flaky struct {
	Store
	mu           sync.Mutex
	fail, forget int // how many steps
	stepped      chan struct{}
}

var errFlaky = errors.New("the store is away")

func (f *flaky) Advance(ctx context.Context, topic string, partition int32, step speed.Step) error {
	return f.try(func() error { return f.Store.Advance(ctx, topic, partition, step) })
}

func (f *flaky) AdvancePosts(ctx context.Context, topic string, partition int32, step speed.PostStep) error {
	return f.try(func() error { return f.Store.AdvancePosts(ctx, topic, partition, step) })
}

func (f *flaky) try(advance func() error) error {
	f.mu.Lock()
	fail, forget := f.fail > 0, f.forget > 0
	if fail {
		f.fail--
	} else if forget {
		f.forget--
	}
	f.mu.Unlock()
	if fail {
		return errFlaky
	}
	err := advance()
	if forget && err == nil {
		return fmt.Errorf("%w: after the step", errFlaky)
	}
	if f.stepped != nil && err == nil {
		select {
		case f.stepped <- struct{}{}:
		default:
		}
	}
	return err
}

// fixedOrigin is an Origin that tests move.
type fixedOrigin struct {
	mu    sync.Mutex
	start *speed.Start // nil: nothing is published
}

func (o *fixedOrigin) Origin(_ context.Context, _ int32, oldest int64) (speed.Start, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.start == nil {
		return speed.Start{Next: oldest}, nil
	}
	return *o.start, nil
}

func quickConfig() Config {
	cfg := DefaultConfig()
	cfg.Pace, cfg.Heartbeat = 0, time.Millisecond
	cfg.RetryMin, cfg.RetryMax = time.Millisecond, 5*time.Millisecond
	cfg.MaxBatch, cfg.RewriteBytes = 7, 400
	cfg.Posts.MaxBatch, cfg.Posts.Pace, cfg.Posts.Ears = 7, 0, 2
	return cfg
}

func newService(t testing.TB, cfg Config, deps Deps) *Service {
	t.Helper()
	deps.Logger = slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		deps.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	deps.Metrics, deps.Now = prometheus.NewRegistry(), time.Now
	s, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// oracle folds the whole log at one go: what each epoch counted in the records
// before an offset.
func oracle(values [][]byte) map[uint64]tally.View {
	p, epochs := tally.NewPartition(), map[uint64]tally.View{0: {}}
	var d eventlog.Decoder
	for _, value := range values {
		body, err := d.Decode(value)
		switch {
		case err != nil:
		case body.Cut != nil:
			if p.Cut(*body.Cut) {
				epochs[p.Epoch()] = tally.View{}
			}
		case body.Revocation != nil:
			p.Revoke(body.Revocation, epochs[p.Epoch()])
		default:
			for i := range body.Ballots {
				p.Ballot(&body.Ballots[i], epochs[p.Epoch()])
			}
		}
	}
	return epochs
}

// redisState is all that a Redis holds, to be put back later.
type redisState struct {
	hashes map[string]map[string]string
	lists  map[string][]string
	sets   map[string]map[string]float64
}

func saveRedis(m *miniredis.Miniredis) redisState {
	s := redisState{hashes: map[string]map[string]string{}, lists: map[string][]string{}, sets: map[string]map[string]float64{}}
	for _, key := range m.Keys() {
		if m.Type(key) == "list" {
			s.lists[key], _ = m.List(key)
			continue
		}
		if m.Type(key) == "zset" {
			s.sets[key], _ = m.SortedSet(key)
			continue
		}
		s.hashes[key] = map[string]string{}
		fields, _ := m.HKeys(key)
		for _, field := range fields {
			s.hashes[key][field] = m.HGet(key, field)
		}
	}
	return s
}

func (s redisState) restore(m *miniredis.Miniredis) {
	m.FlushAll()
	for key, list := range s.lists {
		if _, err := m.Push(key, list...); err != nil {
			panic(err)
		}
	}
	for key, members := range s.sets {
		for member, score := range members {
			if _, err := m.ZAdd(key, score, member); err != nil {
				panic(err)
			}
		}
	}
	for key, fields := range s.hashes {
		for field, value := range fields {
			m.HSet(key, field, value)
		}
	}
}

// noSeats is a log whose seats of one group cannot be had.
type noSeats struct {
	*memoryLog
	err error
}

func (l noSeats) Seats(ctx context.Context, group string, _ func(context.Context, int32) error) error {
	if group == postsGroup {
		return l.err
	}
	<-ctx.Done()
	return nil
}
