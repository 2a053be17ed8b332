package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
)

// A state file is a header, the SHA-256 of its place and what follows, and the
// state. The place is hashed with it, so that a file that was moved is noticed.
const (
	stateMagic  = "clamor poststate"
	stateHeader = len(stateMagic) + sha256.Size
	statePrefix = "state/posts/"
)

func postStatePath(epoch uint64, partition int32) string {
	return fmt.Sprintf("%sepoch=%d/partition=%d.bin", statePrefix, epoch, partition)
}

// PutPostState keeps what the fold of a posts partition remembers at the
// beginning of an epoch. It appears whole or not at all, in the place of any
// other.
func (a *Archive) PutPostState(ctx context.Context, epoch uint64, partition int32, state []byte) error {
	path := postStatePath(epoch, partition)
	sum := stateSum(path, state)
	body := make([]byte, 0, stateHeader+len(state))
	body = append(append(append(body, stateMagic...), sum[:]...), state...)
	return a.Put(ctx, path, body)
}

// PostState reads what PutPostState wrote: ErrNotFound when there is none,
// ErrCorrupt when it is not whole. It can always be had again by folding the
// partition from its first epoch on.
func (a *Archive) PostState(ctx context.Context, epoch uint64, partition int32) ([]byte, error) {
	path := postStatePath(epoch, partition)
	body, err := a.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(body) < stateHeader || string(body[:len(stateMagic)]) != stateMagic {
		return nil, corrupt(path, errors.New("no state"))
	}
	if sum := stateSum(path, body[stateHeader:]); string(sum[:]) != string(body[len(stateMagic):stateHeader]) {
		return nil, corrupt(path, errors.New("wrong checksum"))
	}
	return body[stateHeader:], nil
}

func stateSum(path string, state []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(path))
	h.Write(state)
	h.Sum(sum[:0])
	return sum
}

// ExpirePostStates drops the states of epochs below one: only the latest are
// gone on from.
func (a *Archive) ExpirePostStates(ctx context.Context, below uint64) error {
	paths, err := a.List(ctx, statePrefix)
	if err != nil {
		return err
	}
	for _, path := range paths {
		var epoch uint64
		if _, err := fmt.Sscanf(strings.TrimPrefix(path, statePrefix), "epoch=%d/", &epoch); err != nil || epoch >= below {
			continue // not ours, or still wanted
		}
		if err := a.Delete(ctx, path); err != nil {
			return err
		}
	}
	return nil
}
