package listen

import (
	"context"
	"fmt"

	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
)

// shelf is what a generation holds of one subject, as encoded minutes.
type shelf struct {
	complete bool
	first    int64 // minute that was read, and is still held
	ids      map[int64]views.PieceID
	blobs    map[int64][]byte
}

// turn takes up a newly published generation, whole or not at all. If it cannot
// be read, the one at hand still gives exact figures for as long as its epochs
// are kept.
func (f *fetcher) turn(ctx context.Context, wanted map[topic.Subject]bool) {
	published, ok := f.deps.Control.State().Published()
	if !ok || published.Generation <= f.generation.Number {
		f.viewsErr = f.fill(ctx, wanted)
		return
	}
	g, err := f.deps.Views.Generation(ctx, published.Generation)
	if err != nil {
		f.viewsErr = fmt.Errorf("read generation %d: %w", published.Generation, err)
		return
	}
	shelves := map[topic.Subject]*shelf{}
	for _, ref := range g.Topics {
		s := topic.Subject{Topic: ref.Topic, Revision: ref.Revision}
		if !wanted[s] {
			continue
		}
		if shelves[s], err = f.shelve(ctx, ref, f.shelves[s]); err != nil {
			f.viewsErr = fmt.Errorf("read %s of generation %d: %w", s, published.Generation, err)
			return
		}
	}
	f.take(g, shelves)
	f.viewsErr = nil
}

// fill reads what the generation at hand has of subjects that are new here, and
// of the time that is held again.
func (f *fetcher) fill(ctx context.Context, wanted map[topic.Subject]bool) error {
	for _, ref := range f.generation.Topics {
		s := topic.Subject{Topic: ref.Topic, Revision: ref.Revision}
		old := f.shelves[s]
		if !wanted[s] || old != nil && old.first <= f.from {
			continue
		}
		fresh, err := f.shelve(ctx, ref, old)
		if err != nil {
			return fmt.Errorf("read %s of generation %d: %w", s, f.generation.Number, err)
		}
		f.shelves[s] = fresh
		for at, id := range fresh.ids {
			if old == nil || old.ids[at] != id {
				f.touch(s, at)
			}
		}
	}
	return nil
}

// shelve reads a subject's minutes within the horizon; those that the shelf
// before has as well are not read again.
func (f *fetcher) shelve(ctx context.Context, ref views.TopicRef, old *shelf) (*shelf, error) {
	refs, err := views.ReadMinutes(ctx, f.deps.Views, ref.Manifest, f.from, f.now+1)
	if err != nil {
		return nil, err
	}
	fresh := &shelf{complete: ref.Complete, first: f.from, ids: make(map[int64]views.PieceID, len(refs)), blobs: make(map[int64][]byte, len(refs))}
	var missing []views.PieceID
	for _, r := range refs {
		fresh.ids[r.Key] = r.ID
		if old != nil && old.ids[r.Key] == r.ID {
			fresh.blobs[r.Key] = old.blobs[r.Key]
		} else {
			missing = append(missing, r.ID)
		}
	}
	bodies, err := f.deps.Views.Pieces(ctx, missing)
	if err != nil {
		return nil, err
	}
	for at, id := range fresh.ids {
		if fresh.blobs[at] != nil {
			continue
		}
		fresh.blobs[at] = bodies[id]
		if _, err := topic.Decode(bodies[id]); err != nil {
			return nil, fmt.Errorf("minute %d: %w", at, err)
		}
	}
	return fresh, nil
}

// take makes a generation the one at hand and marks what it changes: minutes
// whose piece is another, and those of epochs that are in it now.
func (f *fetcher) take(g *views.Generation, shelves map[topic.Subject]*shelf) {
	for s, fresh := range shelves {
		old := f.shelves[s]
		for at, id := range fresh.ids {
			if old == nil || old.ids[at] != id {
				f.touch(s, at)
			}
		}
	}
	for s, old := range f.shelves {
		for at := range old.ids {
			if fresh := shelves[s]; fresh == nil || fresh.blobs[at] == nil {
				f.touch(s, at)
			}
		}
	}
	f.generation, f.shelves = g, shelves
	f.manifests = make(map[topic.Subject]views.PieceID, len(g.Topics))
	for _, ref := range g.Topics {
		f.manifests[topic.Subject{Topic: ref.Topic, Revision: ref.Revision}] = ref.Manifest
	}
	for p := range f.parts {
		f.parts[p].drop(g.PostCut(), f.touch)
	}
}
