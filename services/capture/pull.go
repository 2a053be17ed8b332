package capture

import (
	"context"
	"log/slog"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/budget"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// pull is one pulled source that runs.
type pull struct {
	seat    *seat
	src     *control.Source
	account *connect.Account
	posts   *delivered
	log     *slog.Logger
	cancel  context.CancelFunc
	done    chan struct{}
}

// start runs a source until its definition changes or the seat goes.
func (st *seat) start(ctx context.Context, src *control.Source) *pull {
	s := st.service
	settings, secrets, err := s.settings(src)
	p := &pull{seat: st, src: src, posts: st.delivered(src.ID), account: connect.NewAccount(s.now, secrets), done: make(chan struct{})}
	p.log = p.account.Logger(s.logger).With("source", src.ID, "connector", src.Connector)
	st.resume(src.ID)
	sup := &connect.Supervisor{
		Account: p.account,
		Make: func() (connect.Connector, error) {
			if err != nil {
				return nil, err
			}
			c, err := s.pullers[src.Connector](settings, s.envOf(src, p.log))
			if r, ok := c.(connect.Recaller); ok && err == nil {
				p.posts.tell(r)
			}
			return c, err
		},
		Place: func() connect.Place { return st.place(src.ID) }, Outlet: p, Logger: p.log,
	}
	ctx, p.cancel = context.WithCancel(ctx)
	s.accounts.put(src, p.account)
	go func() {
		defer close(p.done)
		defer s.accounts.remove(p.account)
		sup.Run(ctx)
		<-ctx.Done() // a source that has no more still has a status
	}()
	return p
}

// resume goes on with what the source spent on another instance.
func (st *seat) resume(id string) {
	st.mu.Lock()
	k := st.places[id]
	st.mu.Unlock()
	st.service.budgets.Restore(id, budget.Spent{Window: k.Window, Posts: k.Posts, Units: k.Units})
}

// Streaming does nothing: the account knows.
func (p *pull) Streaming() {}

// Deliver puts a batch into the log, at the pace of the source's budget, trying
// again until it is there.
func (p *pull) Deliver(ctx context.Context, b connect.Batch) error {
	s := p.seat.service
	if b.Malformed > 0 {
		s.metrics.lines.WithLabelValues(p.src.Connector, codeOf(b.First)).Add(float64(b.Malformed))
		p.log.Warn("messages are no posts", "messages", b.Malformed, "first", b.First)
	}
	s.metrics.lost.WithLabelValues(p.src.Connector).Add(float64(b.Lost))
	if err := p.retractor().takeBack(ctx, b.Gone); err != nil { // before posts, which may have to wait for their budget
		return err
	}
	for posts := b.Posts; len(posts) > 0; {
		n, rate, wait := s.afford(p.src, len(posts))
		if err := p.push(ctx, posts[:n], rate); err != nil {
			s.refund(p.src, n)
			return err
		}
		if posts = posts[n:]; len(posts) > 0 {
			if err := p.hold(ctx, "posts", wait); err != nil {
				return err // part of the batch will come again
			}
		}
	}
	p.seat.move(p.src.ID, b.Behind)
	return nil
}

func (p *pull) push(ctx context.Context, posts []audience.Post, rate float64) error {
	s := p.seat.service
	for {
		got, err := s.take(ctx, p.src, posts, rate)
		if err == nil {
			if takesBack(p.src.Connector) {
				p.posts.keep(got.entries)
			}
			s.charge(p.src, p.account, got)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p.log.Warn("posts do not get into the log", "posts", len(posts), "error", err)
		if err := sleep.For(ctx, logPause); err != nil {
			return err
		}
	}
}

// Spend takes API units from the budget.
func (p *pull) Spend(ctx context.Context, units int64) error {
	s := p.seat.service
	for {
		wait := s.budgets.Units(&p.src.Source, units, s.now())
		if wait == 0 {
			s.warn(p.src)
			return ctx.Err()
		}
		if err := p.hold(ctx, "units", wait); err != nil {
			return err
		}
	}
}

// worthTelling is the least wait for a budget that people are told of: paced
// units wait all the time.
const worthTelling = time.Minute

// hold waits for the budget.
func (p *pull) hold(ctx context.Context, what string, wait time.Duration) error {
	if wait >= worthTelling {
		p.log.Info("the budget is spent", "of", what, "per", p.src.Budget.Per)
		until := wait
		if wait == budget.Never {
			until = 0
		}
		defer p.account.Hold("the budget of "+what+" per "+p.src.Budget.Per+" is spent", until)()
	}
	return sleep.For(ctx, wait)
}
