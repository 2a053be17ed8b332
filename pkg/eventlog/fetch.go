package eventlog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// fetcher asks the partition's leader for what comes next, over a connection of
// its own: a wait for new records would hold up whoever shares it.
type fetcher struct {
	log       *Log
	topic     string
	partition int32
	next      int64
	decode    bool
	size      int32
	bad       int
	pause     time.Duration

	broker *sarama.Broker
	mu     sync.Mutex
	wire   *wire
}

const (
	// idleWait is how long the brokers hold a fetch that finds nothing.
	idleWait = time.Second
	// minPause and maxPause space out the tries to find a leader.
	minPause, maxPause = 20 * time.Millisecond, time.Second
	// badTries is how often a damaged batch is asked for again.
	badTries = 5
	// aheadTries is how often a log that ends too early is asked again: a leader
	// just elected may not know its end yet. With maxPause, about ten seconds.
	aheadTries = 12
)

// more returns the next entries, none after an idle wait or a broken
// connection; an error is final.
func (f *fetcher) more(ctx context.Context, end *atomic.Int64) ([]Entry, error) {
	block, err := f.ask(ctx)
	if err == nil && !errors.Is(block.Err, sarama.ErrNoError) {
		err = block.Err
	}
	if err != nil {
		return nil, f.recover(ctx, err)
	}
	f.pause, f.bad = 0, 0
	end.Store(block.HighWaterMarkOffset)
	return f.entries(ctx, block)
}

func (f *fetcher) ask(ctx context.Context) (*sarama.FetchResponseBlock, error) {
	if err := f.connect(ctx); err != nil {
		return nil, err
	}
	size := max(f.size, f.log.cfg.FetchBytes)
	if f.bad > 0 {
		size = 1 // one batch: those before a damaged one are still read
	}
	req := &sarama.FetchRequest{
		Version: 11, MinBytes: 1, MaxBytes: size,
		MaxWaitTime: int32(idleWait.Milliseconds()), SessionEpoch: -1,
	}
	name := f.log.topic(f.topic)
	req.AddBlock(name, f.partition, f.next, size, -1)
	resp, err := f.broker.Fetch(req)
	if err != nil {
		return nil, err
	}
	if block := resp.GetBlock(name, f.partition); block != nil {
		return block, nil
	}
	return nil, sarama.ErrIncompleteResponse
}

func (f *fetcher) connect(ctx context.Context) error {
	if f.broker != nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	leader, err := f.log.client.Leader(f.log.topic(f.topic), f.partition)
	if err != nil {
		return err
	}
	conf := f.log.cfg.base()
	conf.Net.Proxy.Dialer = f.newWire(ctx)
	broker := sarama.NewBroker(leader.Addr())
	if err := broker.Open(conf); err != nil {
		return err
	}
	if ok, err := broker.Connected(); !ok {
		return errors.Join(sarama.ErrNotConnected, err)
	}
	f.broker = broker
	return nil
}

func (f *fetcher) newWire(ctx context.Context) *wire {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wire = f.log.cfg.wire(ctx)
	return f.wire
}

// cut ends a wait inside the brokers, when the reader's life is over.
func (f *fetcher) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wire != nil {
		f.wire.cut()
	}
}

func (f *fetcher) hangUp() {
	if f.broker != nil {
		_ = f.broker.Close()
		f.broker = nil
	}
}

// recover decides what a failed fetch means: nil to go on after a pause, or the
// error that ends the reader.
func (f *fetcher) recover(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, sarama.ErrOffsetOutOfRange) {
		if err := f.outOfRange(ctx); err != nil {
			return err
		}
	}
	var damaged sarama.PacketDecodingError
	if errors.As(err, &damaged) {
		if f.bad++; f.bad > badTries {
			return fmt.Errorf("read %s/%d at %d: %w: %w", f.topic, f.partition, f.next, ErrCorrupt, err)
		}
	}
	if f.pause == 0 {
		f.log.log.Warn("a reader lost its broker", "topic", f.topic, "partition", f.partition, "offset", f.next, "error", err)
		f.log.metrics.breaks.WithLabelValues(f.topic).Inc()
	}
	f.hangUp()
	f.pause = min(max(2*f.pause, minPause), maxPause)
	if sleep.For(ctx, f.pause) != nil {
		return context.Cause(ctx)
	}
	// An error here shows again at the next ask.
	_ = f.log.client.RefreshMetadata(f.log.topic(f.topic))
	return nil
}

// outOfRange tells an offset that is gone from one that is ahead.
func (f *fetcher) outOfRange(ctx context.Context) error {
	oldest, next, err := f.log.Bounds(ctx, f.topic, f.partition)
	switch {
	case err != nil:
		return err
	case f.next < oldest:
		return fmt.Errorf("read %s/%d at %d, the oldest is %d: %w", f.topic, f.partition, f.next, oldest, ErrOffsetGone)
	case f.next > next:
		if f.bad++; f.bad > aheadTries {
			return fmt.Errorf("read %s/%d at %d, the next is %d: %w", f.topic, f.partition, f.next, next, ErrOffsetAhead)
		}
	}
	return nil
}

// entries takes the records at and above the reader's place out of a response.
func (f *fetcher) entries(ctx context.Context, block *sarama.FetchResponseBlock) ([]Entry, error) {
	count := 0
	for _, set := range block.RecordsSet {
		if set.RecordBatch != nil {
			count += len(set.RecordBatch.Records)
		}
	}
	out := make([]Entry, 0, count)
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil || batch.PartialTrailingRecord {
			continue
		}
		if !batch.Control {
			out = f.take(ctx, batch, out)
		}
		f.next = max(f.next, batch.LastOffset()+1)
	}
	return out, f.grow(block, len(out))
}

func (f *fetcher) take(ctx context.Context, batch *sarama.RecordBatch, out []Entry) []Entry {
	for _, rec := range batch.Records {
		offset := batch.FirstOffset + rec.OffsetDelta
		if offset < f.next {
			continue
		}
		out = append(out, Entry{Topic: f.topic, Partition: f.partition, Offset: offset, Raw: rec.Value})
		if f.decode {
			f.decoded(ctx, &out[len(out)-1])
		}
		f.next = offset + 1
	}
	return out
}

// grow asks for more at once when a batch did not fit into the fetch.
func (f *fetcher) grow(block *sarama.FetchResponseBlock, got int) error {
	if got > 0 {
		f.size = 0
		return nil
	}
	partial := block.Partial
	for _, set := range block.RecordsSet {
		partial = partial || set.RecordBatch != nil && set.RecordBatch.PartialTrailingRecord
	}
	const largest = 1 << 28
	if partial {
		f.size = 2 * max(f.size, f.log.cfg.FetchBytes)
		if f.size > largest {
			return fmt.Errorf("read %s/%d at %d: a batch above %d bytes", f.topic, f.partition, f.next, largest)
		}
	}
	return nil
}
