package certificate_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/batch/certificate"
)

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func some(t testing.TB) []byte {
	t.Helper()
	s := &certificate.Statement{Version: certificate.Version, Poll: "final", Round: 1, Offsets: map[int32]int64{0: 4}}
	s.Count(audience.Poll{ID: "final", Kind: audience.Choose, Options: []audience.Option{{ID: "a", Label: "Anna"}}}, &tally.Round{Votes: []int64{3}})
	doc, err := certificate.Sign(s, key)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// FuzzOpen: what opens under the key says what was signed.
func FuzzOpen(f *testing.F) {
	doc := some(f)
	f.Add(doc)
	f.Add([]byte(`{"statement":{},"algorithm":"Ed25519","public_key":"","signature":""}`))
	f.Add([]byte(`null`))
	signed, public, err := certificate.Open(doc, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, _, err := certificate.Open(b, public)
		if err == nil && (s.Totals != signed.Totals || s.Poll != signed.Poll || s.Round != signed.Round) {
			t.Fatalf("opened %+v", s)
		}
	})
}

// FuzzCanonical: the canonical form is its own canonical form.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{"b":1,"a":[1.50,"<&>é"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		once, err := certificate.Canonical(b)
		if err != nil {
			return
		}
		twice, err := certificate.Canonical(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%s is not the canonical form of %s: %v", twice, once, err)
		}
	})
}
