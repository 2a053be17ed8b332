package archive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
)

// MarkOutcome is what became of the ballot with that mark; the outcome is
// tally's, in one byte.
type MarkOutcome struct {
	Mark    uint64
	Outcome uint8
}

// A receipts file is a header, the marks in ascending order, eight bytes each,
// and then their outcomes, one byte each, in the same order. Marks are hashes,
// so where one lies is guessed from its value and one read mostly hits it.
const (
	receiptsMagic  = "clamor receipts1"
	receiptsHeader = len(receiptsMagic) + 8
	// receiptsWindow is how many marks are read at a time.
	receiptsWindow = 2048
)

func receiptsPath(key audience.RoundKey, partition int32) string {
	return fmt.Sprintf("receipts/%s/round=%d/partition=%d.marks", key.Poll, key.Round, partition)
}

// PutReceipts writes what became of every ballot of a sealed round in one
// partition. marks are sorted in place; of equal ones the lower outcome stands.
func (a *Archive) PutReceipts(ctx context.Context, key audience.RoundKey, partition int32, marks []MarkOutcome) error {
	slices.SortFunc(marks, func(x, y MarkOutcome) int {
		switch {
		case x.Mark < y.Mark:
			return -1
		case x.Mark > y.Mark:
			return 1
		}
		return int(x.Outcome) - int(y.Outcome)
	})
	marks = slices.CompactFunc(marks, func(x, y MarkOutcome) bool { return x.Mark == y.Mark })
	body := make([]byte, 0, receiptsHeader+9*len(marks))
	body = append(body, receiptsMagic...)
	body = binary.BigEndian.AppendUint64(body, uint64(len(marks)))
	for _, m := range marks {
		body = binary.BigEndian.AppendUint64(body, m.Mark)
	}
	for _, m := range marks {
		body = append(body, m.Outcome)
	}
	return a.Put(ctx, receiptsPath(key, partition), body)
}

// Receipt looks one mark up, reading a few kilobytes of the file. found is false
// when the round has no such ballot in that partition; ErrNotFound when the
// round has no receipts there.
func (a *Archive) Receipt(ctx context.Context, key audience.RoundKey, partition int32, mark uint64) (outcome uint8, found bool, err error) {
	path := receiptsPath(key, partition)
	src, err := a.source(ctx, path)
	if err != nil {
		return 0, false, err
	}
	defer src.Close()
	outcome, found, err = src.lookUp(mark)
	if err != nil {
		return 0, false, corrupt(path, err)
	}
	return outcome, found, nil
}

func (s *source) lookUp(mark uint64) (outcome uint8, found bool, err error) {
	head := make([]byte, receiptsHeader)
	if _, err := s.fetch(head, 0); err != nil {
		return 0, false, err
	}
	if string(head[:len(receiptsMagic)]) != receiptsMagic {
		return 0, false, errors.New("no receipts")
	}
	count := binary.BigEndian.Uint64(head[len(receiptsMagic):])
	if count > uint64(s.size) || s.size != int64(receiptsHeader)+9*int64(count) {
		return 0, false, fmt.Errorf("%d bytes for %d marks", s.size, count)
	}
	place, found, err := s.search(mark, int64(count))
	if err != nil || !found {
		return 0, false, err
	}
	var b [1]byte
	if _, err := s.fetch(b[:], int64(receiptsHeader)+8*int64(count)+place); err != nil {
		return 0, false, err
	}
	return b[0], true, nil
}

// search narrows [low, high) by reading windows around where mark should be.
func (s *source) search(mark uint64, count int64) (place int64, found bool, err error) {
	low, high := int64(0), count
	guess := int64(float64(mark) / (1 << 64) * float64(count))
	buffer := make([]byte, 8*receiptsWindow)
	for low < high {
		from := min(max(guess-receiptsWindow/2, low), max(high-receiptsWindow, low))
		n := min(receiptsWindow, high-from)
		if _, err := s.fetch(buffer[:8*n], int64(receiptsHeader)+8*from); err != nil {
			return 0, false, err
		}
		at := func(i int64) uint64 { return binary.BigEndian.Uint64(buffer[8*i:]) }
		switch {
		case mark < at(0):
			high = from
		case mark > at(n-1):
			low = from + n
		default:
			for i := range n {
				if at(i) == mark {
					return from + i, true, nil
				}
			}
			return 0, false, nil
		}
		guess = low + (high-low)/2
	}
	return 0, false, nil
}
