package capture

import (
	"context"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture/internal/budget"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// tellEvery is how old what is told of a source may be.
const tellEvery = time.Second

// Board is where people look up how sources fare; *speed.Store has it.
type Board interface {
	// KeepSources tells how sources fare on an instance; it is forgotten unless it
	// is told again soon.
	KeepSources(ctx context.Context, instance string, all map[string]audience.SourceStatus) error
}

// accounts are those of the sources that this instance runs or hears from.
type accounts struct {
	mu sync.Mutex
	of map[string]accountOf // by source
}

type accountOf struct {
	src     *control.Source
	account *connect.Account
}

// put begins to tell of a source, in place of what was told before.
func (a *accounts) put(src *control.Source, account *connect.Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = map[string]accountOf{}
	}
	a.of[src.ID] = accountOf{src, account}
}

// caller is the account of a source that calls us, made at its first call after
// a change.
func (a *accounts) caller(src *control.Source, now func() time.Time) *connect.Account {
	a.mu.Lock()
	e, ok := a.of[src.ID]
	a.mu.Unlock()
	if ok && e.src.Revision == src.Revision {
		return e.account
	}
	account := connect.NewAccount(now, nil)
	a.put(src, account)
	return account
}

// standing is how one source fares here.
type standing struct {
	source, connector string
	status            audience.SourceStatus
}

// remove ends what is told of a source, unless another account took its place.
func (a *accounts) remove(account *connect.Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, e := range a.of {
		if e.account == account {
			delete(a.of, id)
		}
	}
}

// statuses are how the sources fare that are still defined as they run.
func (s *Service) statuses(state *control.State) (all []standing) {
	s.accounts.mu.Lock()
	defer s.accounts.mu.Unlock()
	for id, e := range s.accounts.of {
		if now, ok := state.Source(id); !ok || !now.Enabled {
			delete(s.accounts.of, id)
			continue
		}
		status := e.account.Status()
		status.Budget = s.budgets.Status(&e.src.Source, s.now())
		all = append(all, standing{id, e.src.Connector, status})
	}
	return all
}

// tellOfSources keeps the board up to date until ctx ends.
func (s *Service) tellOfSources(ctx context.Context) {
	every := time.NewTicker(tellEvery)
	defer every.Stop()
	for silent := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		all := s.statuses(s.control.State())
		s.metrics.sources(all)
		if s.board == nil {
			continue
		}
		byID := make(map[string]audience.SourceStatus, len(all))
		for _, st := range all {
			byID[st.source] = st.status
		}
		err := s.board.KeepSources(ctx, s.instance, byID)
		if err != nil && !silent && ctx.Err() == nil {
			s.logger.Warn("how sources fare cannot be told", "error", err)
		}
		silent = err != nil
	}
}

// afford asks a source's budget for posts: how many may come in now, which share
// of these is sampled, and how long the others have to wait.
func (s *Service) afford(src *control.Source, posts int) (n int, rate float64, wait time.Duration) {
	if budget.Samples(&src.Source) {
		return posts, s.budgets.Rate(&src.Source, posts, s.now()), 0
	}
	n, wait = s.budgets.Spend(&src.Source, posts, s.now())
	return n, 1, wait
}

// refund gives back what afford took for posts that were not taken in.
func (s *Service) refund(src *control.Source, posts int) {
	if !budget.Samples(&src.Source) {
		s.budgets.Return(&src.Source, posts, s.now())
	}
}

// charge counts what was taken in.
func (s *Service) charge(src *control.Source, account *connect.Account, got taken) {
	if budget.Samples(&src.Source) {
		s.budgets.Charge(&src.Source, got.posts, s.now())
	}
	if got.unsampled > 0 {
		account.Unsampled(got.unsampled)
		s.metrics.unsampled.WithLabelValues(src.Connector).Add(float64(got.unsampled))
	}
	s.warn(src)
}

// warn says once a window that a budget is nearly spent.
func (s *Service) warn(src *control.Source) {
	if s.budgets.Warn(&src.Source, s.now()) {
		b := src.Budget
		s.logger.Warn("four fifths of a source's budget are spent", "source", src.ID, "per", b.Per,
			"posts", b.Posts, "units", b.Units, "money", b.Money, "samples", budget.Samples(&src.Source))
	}
}
