package capture

import (
	"slices"
	"sync"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keyword"
	"github.com/clamor-live/clamor/services/capture/internal/book"
)

// ear is what posts of one show can vote in, compiled from definitions that are
// in force together.
type ear struct {
	state   *control.State
	ids     []string       // polls of the show that listen to posts in some round
	moments []*book.Moment // what the matcher was compiled from, by ids
	matcher *keyword.Matcher
}

// ears keeps one ear a show.
type ears struct {
	mu     sync.Mutex
	byShow map[string]*ear
}

// of is the show's ear at an instant; it is compiled again only when one of its
// polls changed.
func (e *ears) of(state *control.State, polls *book.Book, show string, now audience.Millis) *ear {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.byShow[show]
	fresh := &ear{state: state}
	if old != nil && old.state == state {
		fresh.ids = old.ids
	} else {
		fresh.ids = listeners(state, show)
	}
	for _, id := range fresh.ids {
		if m, ok := polls.Poll(state, id, now); ok && listens(m) {
			fresh.moments = append(fresh.moments, m)
		}
	}
	if old != nil && slices.Equal(old.moments, fresh.moments) {
		fresh.matcher = old.matcher
	} else {
		fresh.matcher = compile(fresh.moments)
	}
	if e.byShow == nil {
		e.byShow = map[string]*ear{}
	}
	e.byShow[show] = fresh
	return fresh
}

func listeners(state *control.State, show string) (ids []string) {
	for _, p := range state.Polls(show) {
		ids = append(ids, p.Definition.ID)
	}
	return ids
}

// listens says whether a post may be a ballot of the poll: a post names one
// option and gives no score.
func listens(m *book.Moment) bool {
	return m.Poll.Social != nil && m.Poll.Kind != audience.Score && m.Poll.Limits.MinChoices <= 1 && m.Captures()
}

func compile(moments []*book.Moment) *keyword.Matcher {
	polls := make([]keyword.Poll, len(moments))
	for i, m := range moments {
		polls[i].Exact = m.Poll.Social.Match == audience.MatchExact
		for o := range m.Poll.Options {
			polls[i].Options = append(polls[i].Options, m.Poll.Options[o].Keywords)
		}
	}
	return keyword.Compile(polls)
}
