package views_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/pkg/views/viewstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openStore(t *testing.T, address string) views.Store {
	t.Helper()
	s, err := views.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestBolt(t *testing.T) {
	viewstest.Test(t, func(t *testing.T) func() views.Store {
		// The file is locked by the one process that has it: one store for all.
		s := openStore(t, "file:"+filepath.Join(t.TempDir(), "new", "views.db"))
		return func() views.Store { return s }
	})
}

// TestMongo needs CLAMOR_TEST_MONGO, a mongodb:// address without a database.
func TestMongo(t *testing.T) {
	address := os.Getenv("CLAMOR_TEST_MONGO")
	if address == "" {
		t.Skip("CLAMOR_TEST_MONGO is not set")
	}
	n := 0
	viewstest.Test(t, func(t *testing.T) func() views.Store {
		n++
		database := fmt.Sprintf("%s/clamor_test_%d_%d", strings.TrimRight(address, "/"), time.Now().UnixNano(), n)
		return func() views.Store { return openStore(t, database) }
	})
}

func TestBoltIsLocked(t *testing.T) {
	address := "file:" + filepath.Join(t.TempDir(), "views.db")
	openStore(t, address)
	if _, err := views.Open(t.Context(), address); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatalf("opened twice: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for address, want := range map[string]string{
		"":                       "neither",
		"views.db":               "neither",
		"file:":                  "names no path",
		"redis://127.0.0.1":      "neither",
		"mongodb://u:secret@[::": "cannot be read",
	} {
		_, err := views.Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("open %q: %v", address, err)
		}
	}
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := views.Open(t.Context(), "file:"+path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("open a text: %v", err)
	}
}

func someView(t *rapid.T) tally.View {
	v := tally.View{}
	counts := rapid.SliceOfN(rapid.Int64(), 0, 4)
	for range rapid.IntRange(0, 4).Draw(t, "rounds") {
		r := v.Of(audience.RoundKey{Poll: rapid.StringMatching("[a-z0-9]{1,5}").Draw(t, "poll"), Round: rapid.Uint32().Draw(t, "round")})
		r.Votes, r.Sums = counts.Draw(t, "votes"), counts.Draw(t, "sums")
		r.Voters, r.Late, r.Duplicates = rapid.Int64().Draw(t, "voters"), rapid.Int64().Draw(t, "late"), rapid.Int64().Draw(t, "duplicates")
		r.Limit, r.Revoked, r.Superseded = rapid.Int64().Draw(t, "limit"), rapid.Int64().Draw(t, "revoked"), rapid.Int64().Draw(t, "superseded")
		r.Series = rapid.MapOfN(rapid.Int64Range(-1<<40, 1<<40), counts, 0, 4).Draw(t, "series")
	}
	return v
}

func TestViewsComeBackFromBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := someView(t)
		b := views.Encode(v)
		got, err := views.Decode(b)
		if err != nil || !got.Equal(v) || len(got) != len(v) {
			t.Fatalf("%v, %v; want %v", got, err, v)
		}
		if string(views.Encode(got)) != string(b) {
			t.Fatal("other bytes the second time")
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(views.Encode(tally.View{{Poll: "a", Round: 1}: {Votes: []int64{1}, Series: map[int64][]int64{3: {1}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := views.Decode(b); err == nil && len(v) > len(b) {
			t.Fatal("more rounds than bytes")
		}
	})
}
