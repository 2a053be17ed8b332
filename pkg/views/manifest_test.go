package views_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/views"
)

func TestManifestsComeBackFromBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refs := make([]views.Ref, 0, 8)
		key := rapid.Int64Range(-1<<50, 1<<50).Draw(t, "first")
		for range rapid.IntRange(0, 8).Draw(t, "refs") {
			refs = append(refs, views.Ref{Key: key, ID: views.IDOf([]byte(rapid.String().Draw(t, "body")))})
			key += rapid.Int64Range(1, 1<<40).Draw(t, "step")
		}
		got, err := views.DecodeManifest(views.EncodeManifest(refs))
		if diff := cmp.Diff(refs, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		if _, err := views.DecodePage(views.EncodeManifest(refs)); !errors.Is(err, views.ErrDamaged) {
			t.Fatalf("a manifest read as a page: %v", err)
		}
	})
}

func FuzzDecodePage(f *testing.F) {
	f.Add(views.EncodePage([]views.Ref{{Key: 29409120, ID: views.IDOf(nil)}, {Key: 29409121, ID: views.IDOf([]byte("a"))}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		refs, err := views.DecodePage(b)
		if err != nil {
			return
		}
		again, err := views.DecodePage(views.EncodePage(refs))
		if diff := cmp.Diff(refs, again); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		for i := 1; i < len(refs); i++ {
			if refs[i].Key <= refs[i-1].Key {
				t.Fatal("not in order")
			}
		}
	})
}
