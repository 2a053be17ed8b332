package viewstest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/views"
)

func piece(text string) views.Piece { return views.NewPiece([]byte(text)) }

func ids(pieces ...views.Piece) []views.PieceID {
	list := make([]views.PieceID, len(pieces))
	for i := range pieces {
		list[i] = pieces[i].ID
	}
	return list
}

// wantPieces holds what is stored against what was put.
func wantPieces(t *testing.T, s views.Store, want ...views.Piece) {
	t.Helper()
	got, err := s.Pieces(t.Context(), ids(want...))
	must(t, err)
	bodies := map[views.PieceID][]byte{}
	for _, p := range want {
		bodies[p.ID] = p.Body
	}
	if diff := cmp.Diff(bodies, got, same); diff != "" {
		t.Fatal(diff)
	}
}

func wantNoPiece(t *testing.T, s views.Store, gone ...views.Piece) {
	t.Helper()
	for _, p := range gone {
		_, err := s.Pieces(t.Context(), ids(p))
		wantError(t, err, views.ErrNotFound)
	}
}

func piecesComeBack(t *testing.T, open func() views.Store) {
	s := open()
	a, b, none := piece("a"), piece("b"), piece("")
	must(t, s.PutPieces(t.Context(), 1, nil))
	must(t, s.PutPieces(t.Context(), 1, []views.Piece{a, none, a}))
	must(t, s.PutPieces(t.Context(), 1, []views.Piece{b, a}))
	must(t, s.PutPieces(t.Context(), 2, []views.Piece{a}))
	wantPieces(t, open(), a, b, none, a)
	wantPieces(t, s)
	_, err := s.Pieces(t.Context(), ids(a, piece("c")))
	wantError(t, err, views.ErrNotFound)
	if err := s.PutPieces(t.Context(), 1, []views.Piece{{Body: make([]byte, views.MaxPiece+1)}}); err == nil {
		t.Error("a piece above the bound is taken")
	}
}

// piecesInBulk are more than go into one call, the largest there may be among
// them.
func piecesInBulk(t *testing.T, open func() views.Store) {
	if testing.Short() {
		t.Skip("short")
	}
	s := open()
	rng := rand.NewChaCha8([32]byte{1})
	var want []views.Piece
	for i := range 2500 {
		body := make([]byte, i%5000)
		_, _ = rng.Read(body)
		want = append(want, views.NewPiece(binary.BigEndian.AppendUint32(body, uint32(i))))
	}
	for range 2 {
		body := make([]byte, views.MaxPiece)
		_, _ = rng.Read(body)
		want = append(want, views.NewPiece(body))
	}
	for range 2 {
		must(t, s.PutPieces(t.Context(), 1, want))
	}
	got, err := s.Pieces(t.Context(), ids(want...))
	must(t, err)
	for _, p := range want {
		if !bytes.Equal(got[p.ID], p.Body) {
			t.Fatalf("piece %s of %d bytes came back with %d", p.ID, len(p.Body), len(got[p.ID]))
		}
	}
}

// subject puts the pieces of a subject with a text a minute and gives its
// manifest, and all pieces.
func subject(t *testing.T, s views.Store, number uint64, minutes map[int64]string) (views.PieceID, []views.Piece) {
	t.Helper()
	byPage := map[int64][]views.Ref{}
	var all []views.Piece
	low, high := int64(1<<62), int64(-1<<62)
	for m := range minutes {
		low, high = min(low, m), max(high, m)
	}
	for m := low; m <= high; m++ {
		if text, ok := minutes[m]; ok {
			p := piece(text)
			byPage[views.PageOf(m)] = append(byPage[views.PageOf(m)], views.Ref{Key: m, ID: p.ID})
			all = append(all, p)
		}
	}
	var pages []views.Ref
	for k := views.PageOf(low); k <= views.PageOf(high); k++ {
		if refs := byPage[k]; len(refs) > 0 {
			p := views.NewPiece(views.EncodePage(refs))
			all = append(all, p)
			pages = append(pages, views.Ref{Key: k, ID: p.ID})
		}
	}
	manifest := views.NewPiece(views.EncodeManifest(pages))
	all = append(all, manifest)
	must(t, s.PutPieces(t.Context(), number, all))
	return manifest.ID, all
}

func piecesExpire(t *testing.T, open func() views.Store) {
	s := open()
	publish := func(n uint64, manifest views.PieceID) {
		g := generation(n, 1)
		g.Topics[0].Manifest = manifest
		must(t, s.Publish(t.Context(), g, nil))
	}
	first, old := subject(t, s, 1, map[int64]string{5: "five", 6: "six", 3000: "far"})
	publish(1, first)
	second, now := subject(t, s, 2, map[int64]string{5: "five", 6: "six, corrected", 3000: "far"})
	litter := piece("put by a run that died")
	must(t, s.PutPieces(t.Context(), 2, []views.Piece{litter}))
	publish(2, second)
	minutes, err := views.ReadMinutes(t.Context(), s, second, 6, 3001)
	must(t, err)
	if diff := cmp.Diff([]views.Ref{{Key: 6, ID: piece("six, corrected").ID}, {Key: 3000, ID: piece("far").ID}}, minutes); diff != "" {
		t.Fatal(diff)
	}
	coming := piece("put for a generation that is not published yet")
	must(t, s.PutPieces(t.Context(), 3, []views.Piece{coming}))

	must(t, s.Expire(t.Context(), 1)) // both generations stay
	wantPieces(t, s, old...)
	wantPieces(t, s, now...)
	wantPieces(t, s, coming)
	wantNoPiece(t, s, litter)

	must(t, s.Expire(t.Context(), 2))
	wantPieces(t, s, now...)
	wantPieces(t, s, coming)
	wantNoPiece(t, s, piece("six"))
	_, err = views.ReadManifest(t.Context(), s, first)
	wantError(t, err, views.ErrNotFound)

	publish(3, second)
	for range 2 {
		must(t, s.Expire(t.Context(), 3))
		wantPieces(t, s, now...)
		wantNoPiece(t, s, coming)
	}
}

// sweepAndPublish lets one leader sweep all the time while another, who is
// ahead, puts back what the sweep would drop and refers to it.
func sweepAndPublish(t *testing.T, open func() views.Store) {
	s, sweeper := open(), open()
	const last = 12
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			n, err := sweeper.Current(t.Context())
			if err == nil && n > 0 {
				err = sweeper.Expire(t.Context(), n-1)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer wg.Wait()
	defer close(done)
	for n := uint64(1); n <= last; n++ {
		// The minute goes to and fro between three contents.
		manifest, all := subject(t, s, n, map[int64]string{1: "same", 2: fmt.Sprint(n % 3)})
		g := generation(n, 1)
		g.Topics[0].Manifest = manifest
		if err := s.Publish(t.Context(), g, nil); err != nil && !errors.Is(err, views.ErrPublished) {
			t.Fatal(err)
		}
		wantPieces(t, s, all...)
	}
}
