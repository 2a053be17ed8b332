package connecttest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// supervised runs the connector as capture does: its states are told, and after
// a failure it goes on by itself.
func supervised(t *testing.T, p Platform) {
	out := newOutlet("")
	sup := &connect.Supervisor{
		Account: connect.NewAccount(Env(t).Now, nil),
		Make:    func() (connect.Connector, error) { return p.Connector(Env(t)) },
		Place: func() connect.Place {
			out.mu.Lock()
			defer out.mu.Unlock()
			return out.behind
		},
		Outlet: out, Logger: slog.New(slog.DiscardHandler),
	}
	if s := sup.Status().State; s != audience.SourceStarting {
		t.Errorf("before it runs it is %s", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, outlet: out, cancel: cancel, done: make(chan struct{})}
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		defer close(r.done)
		sup.Run(ctx)
	})
	r.until("an answer of the platform", func() bool { return out.streaming })
	p.Say(texts(1, 2)...)
	r.expect(1, 2)
	if d, ok := p.(Disconnector); ok {
		out.tell(func() { out.streaming = false })
		d.Disconnect()
		r.until("another answer", func() bool { return out.streaming })
	}
	p.Say(text(3))
	r.expect(3, 3)
	if d, ok := p.(Deleter); ok { // what was said on the connection before, too
		d.Delete(text(1))
		r.gone(1)
	}
	r.end()
	if s := sup.Status(); s.State != audience.SourceStreaming || s.Posts < 3 || s.LastPostAt == 0 || s.PerMinute == 0 {
		t.Errorf("at the end its status is %+v", s)
	}
}
