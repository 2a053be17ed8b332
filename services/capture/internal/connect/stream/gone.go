package stream

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// TakeBack notes posts that their platform says are gone, delivered or not: those
// that still stand in the batch are not delivered.
func TakeBack(b *connect.Batch, platform string, ids ...string) {
	for _, id := range ids {
		if id = clean(id); id == "" {
			continue
		}
		b.Posts = slices.DeleteFunc(b.Posts, func(p audience.Post) bool { return p.ID == id && p.Platform == platform })
		b.Gone = append(b.Gone, connect.NameOf(platform, id))
	}
}
