package speed

import (
	"errors"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

const (
	metaKey    = "clamor:{ballots:0}:meta"
	roundsKey  = "clamor:{ballots:0}:rounds"
	epochKey   = "clamor:{ballots:0}:e:0"
	journalKey = "clamor:{ballots:0}:j:final:1"
)

// What an evicting Redis, or people, may do to single keys is noticed, and a
// reset gives a partition that counts right again.
func TestDamage(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(m *miniredis.Miniredis)
		// where it must be noticed
		position, load, advance, read bool
	}{
		"counters gone":       {harm: func(m *miniredis.Miniredis) { m.Del(epochKey) }, advance: true, read: true},
		"counters foreign":    {harm: func(m *miniredis.Miniredis) { replace(m, epochKey) }, advance: true, read: true},
		"a count is no count": {harm: func(m *miniredis.Miniredis) { m.HSet(epochKey, "final:1:v1", "x") }, advance: true, read: true},
		"an unknown counter":  {harm: func(m *miniredis.Miniredis) { m.HSet(epochKey, "final:1:w1", "1") }, read: true},
		"journal gone":        {harm: func(m *miniredis.Miniredis) { m.Del(journalKey) }, load: true},
		"journal foreign":     {harm: func(m *miniredis.Miniredis) { replace(m, journalKey) }, load: true, advance: true},
		"rounds foreign":      {harm: func(m *miniredis.Miniredis) { replace(m, roundsKey) }, load: true, advance: true},
		"rounds gone":         {harm: func(m *miniredis.Miniredis) { m.Del(roundsKey) }, load: true, advance: true},
		"series gone":         {harm: func(m *miniredis.Miniredis) { m.Del("clamor:{ballots:0}:s:0") }, advance: true},
		"no round":            {harm: func(m *miniredis.Miniredis) { m.HSet(roundsKey, "what", "1") }, load: true},
		"meta foreign":        {harm: func(m *miniredis.Miniredis) { replace(m, metaKey) }, position: true, advance: true, read: true},
		"meta halved":         {harm: func(m *miniredis.Miniredis) { m.HDel(metaKey, "next") }, position: true, read: true},
		"epochs unreadable":   {harm: func(m *miniredis.Miniredis) { m.HSet(metaKey, "epochs", "0,x") }, read: true},
	} {
		t.Run(name, func(t *testing.T) {
			m, store := stored(t)
			pos := fill(t, store, Position{})
			c.harm(m)

			_, err := store.Position(t.Context(), "ballots", 0)
			check(t, "position", err, c.position)
			err = store.Journals(t.Context(), "ballots", 0, func(audience.RoundKey, []byte) error { return nil })
			check(t, "load", err, c.load)
			_, err = store.Read(t.Context(), "ballots", 0, 0)
			check(t, "read", err, c.read)
			err = store.Advance(t.Context(), "ballots", 0, step(pos))
			var fenced *Fenced
			if c.advance {
				check(t, "advance", err, true)
			} else if err != nil && !errors.As(err, &fenced) && !errors.Is(err, ErrDamaged) {
				t.Errorf("advance: %v", err)
			}

			seen, err := store.Position(t.Context(), "ballots", 0)
			if err != nil {
				seen = Position{}
			}
			fill(t, store, seen)
			slice, err := store.Read(t.Context(), "ballots", 0, 0)
			if err != nil || !slice.Sum().Equal(tally.View{final: {Votes: []int64{1}}}) {
				t.Errorf("after a reset: %v, error %v", slice.Sum()[final], err)
			}
		})
	}
}

// stored is a store, and the Redis under it.
func stored(t *testing.T) (*miniredis.Miniredis, *Store) {
	t.Helper()
	m := miniredis.RunT(t)
	store, err := Open(t.Context(), "redis://"+m.Addr(), DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return m, store
}

var final = audience.RoundKey{Poll: "final", Round: 1}

func step(from Position) Step {
	return Step{
		Expect: from, Next: from.Next + 1, Delta: tally.View{final: {Votes: []int64{1}}},
		Journal: map[audience.RoundKey][]byte{final: []byte("abc")},
	}
}

func fill(t *testing.T, store *Store, seen Position) Position {
	t.Helper()
	pos, err := store.Reset(t.Context(), "ballots", 0, seen, Start{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Advance(t.Context(), "ballots", 0, step(pos)); err != nil {
		t.Fatal(err)
	}
	pos.Next++
	return pos
}

func check(t *testing.T, act string, err error, want bool) {
	t.Helper()
	if errors.Is(err, ErrDamaged) != want {
		t.Errorf("%s: error %v, want damage noticed: %t", act, err, want)
	}
}

func replace(m *miniredis.Miniredis, key string) {
	m.Del(key)
	if err := m.Set(key, "mine"); err != nil {
		panic(err)
	}
}

// Without its meta a partition's other keys are leftovers, never counted on.
func TestLeftoversAreNotCounted(t *testing.T) {
	m, store := stored(t)
	fill(t, store, Position{})
	m.Del(metaKey)
	pos, err := store.Reset(t.Context(), "ballots", 0, Position{}, Start{})
	if err != nil {
		t.Fatal(err)
	}
	if entries, _, err := store.JournalSince(t.Context(), "ballots", 0, final, 0, pos.Incarnation); err != nil || len(entries) > 0 {
		t.Errorf("a journal of %d entries before the first, error %v", len(entries), err)
	}
	if err := store.Advance(t.Context(), "ballots", 0, step(pos)); err != nil {
		t.Fatal(err)
	}
	slice, err := store.Read(t.Context(), "ballots", 0, 0)
	if err != nil || slice.Sum()[final].TotalVotes() != 1 {
		t.Errorf("after the meta went: %v, error %v", slice.Sum()[final], err)
	}
	if list, err := m.List(journalKey); err != nil || len(list) != 1 {
		t.Errorf("journal %q, error %v", list, err)
	}
}
