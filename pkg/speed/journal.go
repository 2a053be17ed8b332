package speed

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

//go:embed scripts/since.lua
var sinceSource string

const (
	// chunkBytes is about how much of a journal one reply carries.
	chunkBytes = 4 << 20
	// sinceEntries bounds a reply of JournalSince.
	sinceEntries = 512
)

const sealed = "sealed"

// Journals gives every entry of every live round's journal, each round's in
// order. What it gives belongs to a position only as long as that position
// stands: an Advance from it proves that.
func (s *Store) Journals(ctx context.Context, topic string, partition int32, fn func(audience.RoundKey, []byte) error) error {
	k := s.keys(topic, partition)
	rounds, err := s.rounds(ctx, k)
	if err != nil {
		return fmt.Errorf("read rounds of %s/%d: %w", topic, partition, err)
	}
	for round, bytes := range rounds {
		if bytes == sealed {
			continue
		}
		err := s.journal(ctx, k.journal(roundName(round)), bytes, func(entry []byte) error { return fn(round, entry) })
		if err != nil {
			return fmt.Errorf("read journal of %s in %s/%d: %w", roundName(round), topic, partition, err)
		}
	}
	return nil
}

// PostJournal gives every entry of the journal of a partition of posts, in order;
// it is Journals for them.
func (s *Store) PostJournal(ctx context.Context, log string, partition int32, fn func([]byte) error) error {
	k := s.keys(log, partition)
	reply, err := s.client.HMGet(ctx, k.rounds(), "inc", fold).Result()
	switch {
	case err != nil:
		err = damage(err)
	case reply[0] == nil:
		err = fmt.Errorf("%w: the index of lists", ErrDamaged)
	case reply[1] != nil:
		bytes, _ := reply[1].(string)
		err = s.journal(ctx, k.journal(fold), bytes, fn)
	}
	if err != nil {
		return fmt.Errorf("read journal of %s/%d: %w", log, partition, err)
	}
	return nil
}

// Sealed are the rounds whose voters are forgotten: their ballots are late.
func (s *Store) Sealed(ctx context.Context, topic string, partition int32) ([]audience.RoundKey, error) {
	rounds, err := s.rounds(ctx, s.keys(topic, partition))
	if err != nil {
		return nil, fmt.Errorf("read sealed rounds of %s/%d: %w", topic, partition, err)
	}
	var keys []audience.RoundKey
	for round, bytes := range rounds {
		if bytes == sealed {
			keys = append(keys, round)
		}
	}
	return keys, nil
}

// rounds gives, by round, the bytes of its journal or "sealed".
func (s *Store) rounds(ctx context.Context, k keys) (map[audience.RoundKey]string, error) {
	fields, err := s.client.HGetAll(ctx, k.rounds()).Result()
	if err != nil {
		return nil, damage(err)
	}
	if fields["inc"] == "" {
		return nil, fmt.Errorf("%w: the list of rounds", ErrDamaged)
	}
	rounds := make(map[audience.RoundKey]string, len(fields))
	for name, bytes := range fields {
		if name == "inc" || strings.HasSuffix(name, "+") {
			continue
		}
		round, err := parseRound(name)
		if err != nil {
			return nil, err
		}
		rounds[round] = bytes
	}
	return rounds, nil
}

// journal gives the entries of a list that holds so many bytes.
func (s *Store) journal(ctx context.Context, name, bytes string, fn func([]byte) error) error {
	want, err := strconv.ParseInt(bytes, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: its length is %q", ErrDamaged, bytes)
	}
	entries, err := s.client.LLen(ctx, name).Result()
	if err != nil {
		return damage(err)
	}
	var got int64
	chunk := max(1, min(10_000, chunkBytes*entries/max(1, want)))
	for from := int64(0); from < entries; from += chunk {
		blobs, err := s.client.LRange(ctx, name, from, from+chunk-1).Result()
		if err != nil {
			return damage(err)
		}
		for _, blob := range blobs {
			got += int64(len(blob))
			if err := fn([]byte(blob)); err != nil {
				return err
			}
		}
	}
	// More is what a worker pushed meanwhile; its step fences this one.
	if got < want {
		return fmt.Errorf("%w: %d of %d bytes are there", ErrDamaged, got, want)
	}
	return nil
}

// JournalSince gives the entries of a round's journal from an index on, a few
// hundred at most, and the index behind them. Index 0 is the beginning. *Fenced
// says that the journal was written anew, or that Redis went back: begin again
// at 0 with the incarnation it names. ErrSealed when the journal is gone for
// good.
func (s *Store) JournalSince(ctx context.Context, topic string, partition int32, round audience.RoundKey, index, incarnation int64) (entries [][]byte, next int64, err error) {
	k := s.keys(topic, partition)
	name := roundName(round)
	reply, err := s.scripts.since.Run(ctx, s.client, []string{k.meta(), k.rounds(), k.journal(name)},
		decimal(incarnation), decimal(index), name, sinceEntries).Result()
	if err := verdict(reply, err); err != nil {
		return nil, index, fmt.Errorf("read journal of %s in %s/%d: %w", name, topic, partition, err)
	}
	fields, _ := reply.([]any)
	if len(fields) != 3 {
		return nil, index, fmt.Errorf("read journal of %s: %w", name, ErrDamaged)
	}
	text, _ := fields[1].(string)
	list, _ := fields[2].([]any)
	next, err = strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, index, fmt.Errorf("read journal of %s: %w: index %q", name, ErrDamaged, text)
	}
	for _, entry := range list {
		blob, _ := entry.(string)
		entries = append(entries, []byte(blob))
	}
	return entries, next + int64(len(entries)), nil
}
