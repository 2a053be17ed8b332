package keys

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSeal(t *testing.T) {
	r := open(t, 1, nil)
	rapid.Check(t, func(t *rapid.T) {
		secret, place := rapid.String().Draw(t, "secret"), rapid.String().Draw(t, "place")
		sealed := r.Seal(place, secret)
		if got, err := r.Unseal(place, sealed); err != nil || got != secret {
			t.Fatalf("%q %v", got, err)
		}
		if !Sealed(sealed) || len(secret) > 3 && strings.Contains(sealed, secret) || sealed == r.Seal(place, secret) {
			t.Fatal("it is not sealed")
		}
		if _, err := r.Unseal(place+"x", sealed); !errors.Is(err, ErrSealed) {
			t.Fatalf("elsewhere: %v", err)
		}
		forged := []byte(sealed)
		at := rapid.IntRange(0, len(forged)-1).Draw(t, "at")
		forged[at] ^= 1
		if _, err := r.Unseal(place, string(forged)); !errors.Is(err, ErrSealed) {
			t.Fatalf("forged at %d: %v", at, err)
		}
	})
	if _, err := open(t, 2, nil).Unseal("p", r.Seal("p", "s")); !errors.Is(err, ErrSealed) {
		t.Error(err)
	}
	for _, text := range []string{"", "plain", "sealed:1:", "sealed:1:AAAA", "sealed:2:AAAA"} {
		if _, err := r.Unseal("p", text); !errors.Is(err, ErrSealed) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
