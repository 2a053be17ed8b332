package x

import (
	"context"
	"errors"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// maxFailures is how often a search may fail before what it was for is given up.
const maxFailures = 10

// Gap follows a stream's place, which stays before what was missed until that is
// filled, however often the search is refused and whatever the stream brings
// meanwhile.
type Gap struct {
	newest int64 // id of the newest post seen; 0: none
	open   bool
	begins int64 // where the open gap begins; 0: with the first post
	search Debt
	// reached is how far down each query was searched, from the newest post to the
	// oldest: what was refused half-way goes on there.
	reached map[string]reach
}

type reach struct {
	id   int64 // all from it on are found; 0: none
	done bool
}

// GapAt is behind a place, with no gap.
func GapAt(from connect.Place) Gap { return Gap{newest: ID(from)} }

// Saw notes a post.
func (g *Gap) Saw(id int64) { g.newest = max(g.newest, id) }

// Newest is the id of the newest post seen; 0: none.
func (g *Gap) Newest() int64 { return g.newest }

// Open says that what came behind the place may have been missed, though it was
// searched before.
func (g *Gap) Open() {
	if !g.open {
		g.open, g.begins = true, g.newest
	}
	g.search.Owe()
	g.reached = nil
}

// Begins is the id of the post behind which the gap is; 0: there was none.
func (g *Gap) Begins() int64 { return g.begins }

// Searched says how far down a query was searched: all posts from an id on are
// found, 0 is none. Done is all of it.
func (g *Gap) Searched(query string) (id int64, done bool) {
	r := g.reached[query]
	return r.id, r.done
}

// Found notes that the posts of a query were delivered from an id on.
func (g *Gap) Found(query string, id int64, done bool) {
	if g.reached == nil {
		g.reached = map[string]reach{}
	}
	g.reached[query] = reach{id, done}
}

// Close says that the gap is filled.
func (g *Gap) Close() { g.open, g.begins, g.search, g.reached = false, 0, Debt{}, nil }

// Place is before the gap, or behind all that was seen.
func (g *Gap) Place() connect.Place {
	if g.open {
		return placeOf(g.begins)
	}
	return placeOf(g.newest)
}

// Fill searches what was missed, if that is owed and due, and closes the gap. What
// is not to be had is given up: not every server that streams can search.
func (g *Gap) Fill(ctx context.Context, env *connect.Env, out connect.Outlet, search func() error) error {
	if !g.open {
		return nil
	}
	err := g.search.Pay(ctx, env, "a search for what was missed", search)
	var refused *connect.Refused
	switch {
	case errors.As(err, &refused) || g.search.failures >= maxFailures:
		env.Logger.Warn("what was missed cannot be searched for", "error", err)
	case err != nil || g.search.is:
		return err
	}
	g.Close()
	if err := out.Deliver(ctx, connect.Batch{Behind: g.Place()}); err != nil {
		return &Undelivered{err}
	}
	return nil
}
