package archive_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
)

func TestReceipts(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		key := audience.RoundKey{Poll: "final", Round: 2}
		rng := rand.New(rand.NewPCG(3, 4))
		for _, n := range []int{0, 1, 2, 5000, 30000} {
			marks := make([]archive.MarkOutcome, n)
			for i := range marks {
				marks[i] = archive.MarkOutcome{Mark: rng.Uint64(), Outcome: uint8(i%5 + 1)}
				if n == 5000 {
					marks[i].Mark >>= 40 // crowded where no guess expects them
				}
			}
			want := map[uint64]uint8{}
			for _, m := range marks {
				if was, ok := want[m.Mark]; !ok || m.Outcome < was {
					want[m.Mark] = m.Outcome
				}
			}
			if err := a.PutReceipts(t.Context(), key, 0, marks); err != nil {
				t.Fatal(err)
			}
			tries := 0
			for mark, outcome := range want {
				got, found, err := a.Receipt(t.Context(), key, 0, mark)
				if err != nil || !found || got != outcome {
					t.Fatalf("mark %x of %d: %d, %t, %v; want %d", mark, n, got, found, err, outcome)
				}
				if tries++; tries > 300 {
					break
				}
			}
			for _, mark := range []uint64{0, 1 << 63, 1<<64 - 1} {
				if _, found, err := a.Receipt(t.Context(), key, 0, mark); err != nil || found {
					t.Fatalf("stranger %x of %d: %t, %v", mark, n, found, err)
				}
			}
		}
		if _, _, err := a.Receipt(t.Context(), key, 7, 1); !errors.Is(err, archive.ErrNotFound) {
			t.Errorf("another partition: %v", err)
		}
	})
}
