package views

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// The buckets of the file:
//
//	generations  number, 8 bytes → header as JSON
//	rounds       number, 8 bytes → bucket of poll/round → counts
//	sealed       poll/round → header as JSON; poll/round# → counts
//	pieces       id → body
//	piecesfor    id → number of the last generation it was put for, 8 bytes
//	runs         id → run as JSON
//	order        place, 8 bytes → id of a run
var (
	boltGenerations = []byte("generations")
	boltRounds      = []byte("rounds")
	boltSealed      = []byte("sealed")
	boltPieces      = []byte("pieces")
	boltPiecesFor   = []byte("piecesfor")
	boltRuns        = []byte("runs")
	boltOrder       = []byte("order")
)

type boltStore struct{ db *bbolt.DB }

var _ Store = (*boltStore)(nil)

func openBolt(path string) (Store, error) {
	if path == "" {
		return nil, errors.New("open views: file: names no path")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open views: %w", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open views %s: another process has it open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open views %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{boltGenerations, boltRounds, boltSealed, boltPieces, boltPiecesFor, boltRuns, boltOrder} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open views %s: %w", path, err), db.Close())
	}
	return &boltStore{db: db}, nil
}

func (s *boltStore) Close() error { return s.db.Close() }

// generationHeader is a generation without its rounds.
type generationHeader struct {
	CreatedAt     audience.Millis     `json:"created_at"`
	Run           string              `json:"run,omitempty"`
	Offsets       map[int32]int64     `json:"offsets"`
	FloorEpoch    uint64              `json:"floor_epoch"`
	Floors        map[int32]int64     `json:"floors"`
	Rows          int64               `json:"rows"`
	Agreed        string              `json:"agreed"`
	Differences   []string            `json:"differences,omitempty"`
	LateAfterSeal []lateAfterSeal     `json:"late_after_seal,omitempty"`
	Seals         []audience.RoundKey `json:"seals,omitempty"`
	Topics        []TopicRef          `json:"topics,omitempty"`
	Build         string              `json:"build,omitempty"`
	PostOffsets   map[int32]int64     `json:"post_offsets,omitempty"`
	PostRows      int64               `json:"post_rows,omitempty"`
	Unheard       uint64              `json:"unheard,omitempty"`
	Searched      uint64              `json:"searched,omitempty"`
}

type lateAfterSeal struct {
	Key  audience.RoundKey `json:"key"`
	Late int64             `json:"late"`
}

func headerOf(g *Generation) generationHeader {
	h := generationHeader{
		CreatedAt: g.CreatedAt, Run: g.Run, Offsets: g.Offsets, FloorEpoch: g.FloorEpoch, Floors: g.Floors,
		Rows: g.Rows, Agreed: g.Agreed, Differences: g.Differences, Seals: g.Seals,
		Topics: g.Topics, Build: g.Build, PostOffsets: g.PostOffsets, PostRows: g.PostRows, Unheard: g.Unheard, Searched: g.Searched,
	}
	for _, k := range audience.SortedRounds(g.LateAfterSeal) {
		h.LateAfterSeal = append(h.LateAfterSeal, lateAfterSeal{k, g.LateAfterSeal[k]})
	}
	return h
}

func (h *generationHeader) generation(number uint64) *Generation {
	g := &Generation{
		Number: number, CreatedAt: h.CreatedAt, Run: h.Run, Offsets: h.Offsets, FloorEpoch: h.FloorEpoch, Floors: h.Floors,
		Rows: h.Rows, Agreed: h.Agreed, Differences: h.Differences, Seals: h.Seals,
		Topics: h.Topics, Build: h.Build, PostOffsets: h.PostOffsets, PostRows: h.PostRows, Unheard: h.Unheard, Searched: h.Searched,
		Rounds: tally.View{}, LateAfterSeal: map[audience.RoundKey]int64{},
	}
	for _, l := range h.LateAfterSeal {
		g.LateAfterSeal[l.Key] = l.Late
	}
	return g
}

func numberKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func roundID(k audience.RoundKey) string {
	return k.Poll + "/" + strconv.FormatUint(uint64(k.Round), 10)
}

func parseRoundID(s string) (audience.RoundKey, error) {
	poll, round, ok := strings.Cut(s, "/")
	n, err := strconv.ParseUint(round, 10, 32)
	if !ok || err != nil {
		return audience.RoundKey{}, fmt.Errorf("%w: round %q", ErrDamaged, s)
	}
	return audience.RoundKey{Poll: poll, Round: uint32(n)}, nil
}

func (s *boltStore) update(ctx context.Context, act string, f func(*bbolt.Tx) error) error {
	return within(ctx, act, s.db.Update, f)
}

func (s *boltStore) view(ctx context.Context, act string, f func(*bbolt.Tx) error) error {
	return within(ctx, act, s.db.View, f)
}

// within runs f in a transaction.
func within(ctx context.Context, act string, transaction func(func(*bbolt.Tx) error) error, f func(*bbolt.Tx) error) error {
	err := ctx.Err()
	if err == nil {
		err = transaction(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	return nil
}

// Publish is one transaction.
func (s *boltStore) Publish(ctx context.Context, g *Generation, sealed []SealedRound) error {
	return s.update(ctx, fmt.Sprintf("publish generation %d", g.Number), func(tx *bbolt.Tx) error {
		if g.Number <= boltCurrent(tx) {
			return ErrPublished
		}
		header, err := json.Marshal(headerOf(g))
		if err != nil {
			return err
		}
		if err := tx.Bucket(boltGenerations).Put(numberKey(g.Number), header); err != nil {
			return err
		}
		rounds, err := tx.Bucket(boltRounds).CreateBucketIfNotExists(numberKey(g.Number))
		if err != nil {
			return err
		}
		for k, r := range g.Rounds {
			if err := rounds.Put([]byte(roundID(k)), encodeRound(r)); err != nil {
				return err
			}
		}
		for i := range sealed {
			if err := boltSeal(tx.Bucket(boltSealed), &sealed[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

type sealedHeader struct {
	Generation  uint64          `json:"generation"`
	SealedAt    audience.Millis `json:"sealed_at"`
	Certificate []byte          `json:"certificate"`
}

func boltSeal(b *bbolt.Bucket, s *SealedRound) error {
	id := roundID(s.Key)
	if b.Get([]byte(id)) != nil {
		return nil
	}
	header, err := json.Marshal(sealedHeader{s.Generation, s.SealedAt, s.Certificate})
	if err != nil {
		return err
	}
	if err := b.Put([]byte(id), header); err != nil {
		return err
	}
	return b.Put([]byte(id+"#"), encodeRound(s.Round))
}

func boltCurrent(tx *bbolt.Tx) uint64 {
	k, _ := tx.Bucket(boltGenerations).Cursor().Last()
	if k == nil {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}

func (s *boltStore) Current(ctx context.Context) (number uint64, err error) {
	err = s.view(ctx, "read the current generation's number", func(tx *bbolt.Tx) error {
		number = boltCurrent(tx)
		return nil
	})
	return number, err
}

func (s *boltStore) Generation(ctx context.Context, number uint64) (g *Generation, err error) {
	err = s.view(ctx, fmt.Sprintf("read generation %d", number), func(tx *bbolt.Tx) error {
		if g, err = boltGeneration(number, tx.Bucket(boltGenerations).Get(numberKey(number))); err != nil {
			return err
		}
		rounds := tx.Bucket(boltRounds).Bucket(numberKey(number))
		if rounds == nil {
			return ErrDamaged
		}
		return rounds.ForEach(func(id, body []byte) error {
			k, err := parseRoundID(string(id))
			if err != nil {
				return err
			}
			g.Rounds[k], err = decodeRound(body)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func boltGeneration(number uint64, header []byte) (*Generation, error) {
	if header == nil {
		return nil, ErrNotFound
	}
	var h generationHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return h.generation(number), nil
}

func (s *boltStore) Generations(ctx context.Context, limit int) (list []Generation, err error) {
	err = s.view(ctx, "list generations", func(tx *bbolt.Tx) error {
		c := tx.Bucket(boltGenerations).Cursor()
		for k, v := c.Last(); k != nil && len(list) < limit; k, v = c.Prev() {
			g, err := boltGeneration(binary.BigEndian.Uint64(k), v)
			if err != nil {
				return err
			}
			g.Rounds = nil
			list = append(list, *g)
		}
		return nil
	})
	return list, err
}

func (s *boltStore) Sealed(ctx context.Context, key audience.RoundKey) (out *SealedRound, err error) {
	err = s.view(ctx, "read sealed round "+roundID(key), func(tx *bbolt.Tx) error {
		b := tx.Bucket(boltSealed)
		header := b.Get([]byte(roundID(key)))
		if header == nil {
			return ErrNotFound
		}
		var h sealedHeader
		if err := json.Unmarshal(header, &h); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		r, err := decodeRound(b.Get([]byte(roundID(key) + "#")))
		out = &SealedRound{Key: key, Generation: h.Generation, SealedAt: h.SealedAt, Certificate: h.Certificate, Round: r}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *boltStore) Expire(ctx context.Context, below uint64) error {
	return s.update(ctx, fmt.Sprintf("expire generations below %d", below), func(tx *bbolt.Tx) error {
		below = min(below, boltCurrent(tx))
		b := tx.Bucket(boltGenerations)
		c := b.Cursor()
		for k, _ := c.First(); k != nil && binary.BigEndian.Uint64(k) < below; k, _ = c.First() {
			if err := tx.Bucket(boltRounds).DeleteBucket(k); err != nil {
				return err
			}
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return boltSweep(tx)
	})
}
