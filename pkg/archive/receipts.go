package archive

import (
	"context"
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
)

// MarkOutcome is what became of the ballot with that mark; the outcome is
// tally's, in one byte.
type MarkOutcome struct {
	Mark    uint64
	Outcome uint8
}

// PutReceipts writes what became of every ballot of a sealed round in one
// partition. It sorts its argument.
func (a *Archive) PutReceipts(ctx context.Context, key audience.RoundKey, partition int32, marks []MarkOutcome) error {
	return errors.ErrUnsupported
}

// Receipt looks one mark up, reading a few kilobytes of the file. found is false
// when the round has no such ballot in that partition.
func (a *Archive) Receipt(ctx context.Context, key audience.RoundKey, partition int32, mark uint64) (outcome uint8, found bool, err error) {
	return 0, false, errors.ErrUnsupported
}
