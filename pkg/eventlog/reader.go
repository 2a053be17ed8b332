package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Entry is one record at its place.
type Entry struct {
	Topic     string
	Partition int32
	Offset    int64
	// Record is the decoded value; nil when Err is set, and from ReadRaw.
	Record *clamorv1.Record
	// Raw is the value as it stands in the log. It may be kept.
	Raw []byte
	// Err says why the value is no Record. The Reader has already written it to
	// the dead letters; the caller moves on.
	Err error
}

// Reader follows one partition. One goroutine may use it at a time.
type Reader struct {
	fetch  *fetcher
	chunks chan chunk
	rest   []Entry
	err    error
	end    atomic.Int64
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// chunk is what one fetch brought, or the error that ends the reader.
type chunk struct {
	entries []Entry
	err     error
}

// MaxEntries bounds what one Next returns.
const MaxEntries = 8192

// Read follows a partition from an offset on. It fails with ErrOffsetGone when
// the offset is below the oldest that is kept, and with ErrOffsetAhead when the
// log ends before it.
func (l *Log) Read(ctx context.Context, topic string, partition int32, from int64) (*Reader, error) {
	return l.read(ctx, topic, partition, from, true)
}

// ReadRaw is Read without decoding: Entry.Record stays nil, and the caller runs
// its own Decoder over Entry.Raw, which is several times faster for ballots, and
// calls Reject for what is no Record.
func (l *Log) ReadRaw(ctx context.Context, topic string, partition int32, from int64) (*Reader, error) {
	return l.read(ctx, topic, partition, from, false)
}

func (l *Log) read(ctx context.Context, topic string, partition int32, from int64, decode bool) (*Reader, error) {
	oldest, next, err := l.Bounds(ctx, topic, partition)
	if err != nil {
		return nil, err
	}
	if from < oldest {
		return nil, fmt.Errorf("read %s/%d from %d, the oldest is %d: %w", topic, partition, from, oldest, ErrOffsetGone)
	}
	if from > next {
		return nil, fmt.Errorf("read %s/%d from %d, the next is %d: %w", topic, partition, from, next, ErrOffsetAhead)
	}
	life, cancel := context.WithCancelCause(l.life)
	r := &Reader{
		fetch:  &fetcher{log: l, topic: topic, partition: partition, next: from, decode: decode},
		chunks: make(chan chunk),
		cancel: cancel,
		done:   make(chan struct{}),
	}
	r.end.Store(next)
	go r.run(life)
	return r, nil
}

// run fetches one chunk ahead of the caller until the reader ends.
func (r *Reader) run(ctx context.Context) {
	defer close(r.done)
	defer close(r.chunks)
	defer r.fetch.hangUp()
	stop := context.AfterFunc(ctx, r.fetch.cut)
	defer stop()
	for {
		entries, err := r.fetch.more(ctx, &r.end)
		if err != nil && ctx.Err() != nil {
			return
		}
		if len(entries) > 0 || err != nil {
			select {
			case r.chunks <- chunk{entries, err}:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Next returns the entries that are there, at least one and at most MaxEntries,
// waiting if there are none. The slice is valid until the next call. An error
// other than the context's is final.
func (r *Reader) Next(ctx context.Context) ([]Entry, error) {
	if len(r.rest) == 0 {
		if err := r.refill(ctx); err != nil {
			return nil, err
		}
	}
	n := min(len(r.rest), MaxEntries)
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	last := out[n-1]
	f := r.fetch
	f.log.metrics.read.WithLabelValues(f.topic).Add(float64(n))
	f.log.metrics.lagOf(f.topic, f.partition).Set(float64(max(0, r.end.Load()-last.Offset-1)))
	return out, nil
}

func (r *Reader) refill(ctx context.Context) error {
	if r.err != nil {
		return r.err
	}
	select {
	case c, ok := <-r.chunks:
		if !ok {
			c.err = ErrClosed
		}
		r.rest, r.err = c.entries, c.err
		if len(r.rest) > 0 {
			return nil
		}
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// End is the offset behind the last record of the partition, as last seen.
func (r *Reader) End() int64 { return r.end.Load() }

// Close ends the reader and frees its connection.
func (r *Reader) Close() error {
	r.cancel(ErrClosed)
	<-r.done
	return nil
}

// decoded fills in the entry's Record, or rejects it.
func (f *fetcher) decoded(ctx context.Context, e *Entry) {
	rec := new(clamorv1.Record)
	err := proto.Unmarshal(e.Raw, rec)
	if err == nil && rec.GetBody() == nil {
		err = errors.New("an empty record")
	}
	if err == nil {
		e.Record = rec
		return
	}
	e.Err = fmt.Errorf("decode %s/%d/%d: %w", e.Topic, e.Partition, e.Offset, err)
	if err := f.log.Reject(ctx, *e, e.Err.Error()); err != nil {
		f.log.log.Error("a dead letter could not be written", "error", err)
	}
}
