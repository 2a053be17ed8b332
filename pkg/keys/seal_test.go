package keys

import (
	"errors"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"pgregory.net/rapid"
)

func TestSeal(t *testing.T) {
	r := open(t, 1, nil)
	rapid.Check(t, func(t *rapid.T) {
		secret, place := rapid.String().Draw(t, "secret"), rapid.String().Draw(t, "place")
		sealed := r.Seal(place, "token", secret)
		if got, err := r.Unseal(place, "token", sealed); err != nil || got != secret {
			t.Fatalf("%q %v", got, err)
		}
		if !strings.HasPrefix(sealed, audience.SealMark) || len(secret) > 3 && strings.Contains(sealed, secret) || sealed == r.Seal(place, "token", secret) {
			t.Fatal("it is not sealed")
		}
		if _, err := r.Unseal(place+"t", "oken", sealed); !errors.Is(err, ErrSealed) {
			t.Fatalf("elsewhere: %v", err)
		}
		forged := []byte(sealed)
		at := rapid.IntRange(0, len(forged)-1).Draw(t, "at")
		forged[at] ^= 1
		if _, err := r.Unseal(place, "token", string(forged)); !errors.Is(err, ErrSealed) {
			t.Fatalf("forged at %d: %v", at, err)
		}
	})
	if _, err := open(t, 2, nil).Unseal("p", "t", r.Seal("p", "t", "s")); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	for _, text := range []string{"", "plain", "sealed:1:", "sealed:1:AAAA", "sealed:2:AAAA"} {
		if _, err := r.Unseal("p", "t", text); !errors.Is(err, ErrSealed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
