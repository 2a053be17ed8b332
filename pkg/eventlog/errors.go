package eventlog

import (
	"errors"

	"github.com/IBM/sarama"
)

var (
	// ErrOverloaded says that too much is in flight already; nothing was sent.
	ErrOverloaded = errors.New("the log has too much in flight")
	// ErrUnavailable says that the brokers did not acknowledge. Whether the record
	// is in the log is unknown, unless ErrRefused is wrapped too.
	ErrUnavailable = errors.New("the log did not acknowledge in time")
	// ErrRefused says that the brokers will not take records now; an embedded log says so
	// when its disk is full.
	ErrRefused = errors.New("the log refuses records; is its disk full?")
	// ErrTooLarge says that the record is above Config.MaxRecordBytes; nothing was sent.
	ErrTooLarge = errors.New("the record is larger than the log takes")
	// ErrOffsetGone says that retention has passed the offset asked for.
	ErrOffsetGone = errors.New("the offset is below the oldest that the log keeps")
	// ErrOffsetAhead says that the log ends before the offset asked for, so it is another
	// log than the one that gave the offset, or it has lost its end.
	ErrOffsetAhead = errors.New("the log ends before the offset")
	// ErrCorrupt says that the brokers hold a batch that fails its checksum.
	ErrCorrupt = errors.New("the log holds a damaged batch")
	// ErrClosed says that the Log or the Reader was closed.
	ErrClosed = errors.New("the log is closed")
	// ErrSeat says that the seat is not held by this process.
	ErrSeat = errors.New("the seat is held by another member")
)

// refusal says whether the brokers answered that they stored nothing.
func refusal(err error) bool { return errors.Is(err, sarama.ErrPolicyViolation) }
