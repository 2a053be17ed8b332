// Package eventlog is the log.
package eventlog

import (
	"context"
	"errors"
	"log/slog"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/prometheus/client_golang/prometheus"
)

var (
	ErrOverloaded  = errors.New("the log has too much in flight")
	ErrUnavailable = errors.New("the log did not acknowledge in time")
	ErrOffsetGone  = errors.New("the offset is below the oldest that the log keeps")
	ErrTooLarge    = errors.New("the record is larger than the log takes")
	ErrClosed      = errors.New("the log is closed")
)

type Log struct{}

func Open(ctx context.Context, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Log, error) {
	return nil, errors.ErrUnsupported
}

func (l *Log) Close() error                { return nil }
func (l *Log) Partitions(topic string) int { return 0 }
func (l *Log) Append(ctx context.Context, topic string, partition int32, rec *clamorv1.Record) (offset int64, err error) {
	return 0, errors.ErrUnsupported
}
func (l *Log) AppendRaw(ctx context.Context, topic string, partition int32, value []byte) (offset int64, err error) {
	return 0, errors.ErrUnsupported
}
func (l *Log) Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error) {
	return 0, 0, errors.ErrUnsupported
}

type Entry struct {
	Topic     string
	Partition int32
	Offset    int64
	Record    *clamorv1.Record
	Raw       []byte
	Err       error
}

type Reader struct{}

func (l *Log) Read(ctx context.Context, topic string, partition int32, from int64) (*Reader, error) {
	return nil, errors.ErrUnsupported
}

// ReadRaw is Read without decoding: Entry.Record stays nil, and the caller runs its own Decoder
// over Entry.Raw (several times faster for ballots) and calls Reject for what is no Record.
func (l *Log) ReadRaw(ctx context.Context, topic string, partition int32, from int64) (*Reader, error) {
	return nil, errors.ErrUnsupported
}

func (r *Reader) Next(ctx context.Context) ([]Entry, error) { return nil, errors.ErrUnsupported }
func (r *Reader) End() int64                                { return 0 }
func (r *Reader) Close() error                              { return nil }

func (l *Log) Reject(ctx context.Context, e Entry, reason string) error {
	return errors.ErrUnsupported
}

func (l *Log) Seats(ctx context.Context, group string, hold func(ctx context.Context, seat int32) error) error {
	return errors.ErrUnsupported
}
func (l *Log) CommitSeat(ctx context.Context, group string, seat int32, metadata string) error {
	return errors.ErrUnsupported
}
func (l *Log) SeatMetadata(ctx context.Context, group string, seat int32) (string, error) {
	return "", errors.ErrUnsupported
}

// Body is one decoded record: exactly one of its parts is set. Ballots and the
// Cut's seals are reused by the next call of the Decoder.
type Body struct {
	Ballots    []audience.Ballot
	Revocation *audience.Revocation
	Cut        *audience.Cut
	Post       *clamorv1.Post
	Control    *clamorv1.Control
}

// Decoder decodes records; it keeps the strings it has seen. Not for concurrent use.
type Decoder struct{}

func (d *Decoder) Decode(raw []byte) (Body, error) { return Body{}, errors.ErrUnsupported }

func BallotsFrom(rec *clamorv1.Ballots, dst []audience.Ballot) ([]audience.Ballot, error) {
	return nil, errors.ErrUnsupported
}
func EncodeBallots(dst []byte, bs []audience.Ballot) []byte { return nil }

func RevocationFrom(r *clamorv1.Revocation) (audience.Revocation, error) {
	return audience.Revocation{}, errors.ErrUnsupported
}
func CutFrom(c *clamorv1.Cut) audience.Cut                     { return audience.Cut{} }
func PostFrom(p *clamorv1.Post) audience.Post                  { return audience.Post{} }
func RevocationRecord(r *audience.Revocation) *clamorv1.Record { return nil }
func CutRecord(c audience.Cut) *clamorv1.Record                { return nil }

// PostOf fills the part of a Post record that a source gives; the caller adds source, show, received_at, topics, votes.
func PostOf(p *audience.Post) *clamorv1.Post { return nil }
