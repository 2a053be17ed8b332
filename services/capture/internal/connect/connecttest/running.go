package connecttest

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// running is a connector that runs.
type running struct {
	t         *testing.T
	connector connect.Connector
	outlet    *outlet
	cancel    context.CancelFunc
	done      chan struct{}
	err       error // after done
}

// start runs a connector from a place.
func start(t *testing.T, p Platform, from connect.Place) *running {
	t.Helper()
	return startAfter(t, p, from, nil)
}

// startAfter is start for a source that has delivered posts before.
func startAfter(t *testing.T, p Platform, from connect.Place, before []audience.Post) *running {
	t.Helper()
	c, err := p.Connector(Env(t))
	if err != nil {
		t.Fatal(err)
	}
	if able, ok := c.(connect.Recaller); ok {
		for _, post := range before {
			able.Recall(connect.Delivered{ID: post.ID, Author: post.Author.ID, RepostOf: post.RepostOf})
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, connector: c, outlet: newOutlet(from), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = c.Run(ctx, from, r.outlet)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r
}

// begin is start, and waits until the platform answers.
func begin(t *testing.T, p Platform, from connect.Place) *running {
	t.Helper()
	r := start(t, p, from)
	r.until("an answer of the platform", func() bool { return r.outlet.streaming })
	return r
}

// until waits for something that the connector tells its outlet.
func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		r.outlet.mu.Lock()
		fine, news := ok(), r.outlet.news
		r.outlet.mu.Unlock()
		if fine {
			return
		}
		select {
		case <-news:
		case <-r.done:
			r.outlet.mu.Lock()
			fine = ok()
			r.outlet.mu.Unlock()
			if !fine {
				r.t.Fatalf("%s does not come: Run ended with %v", what, r.err)
			}
			return
		case <-deadline:
			r.t.Fatalf("%s does not come", what)
		}
	}
}

// expect waits for the posts of the texts from one number to another.
func (r *running) expect(from, to int) {
	r.t.Helper()
	for n := from; n <= to; n++ {
		r.until(text(n), func() bool {
			return slices.ContainsFunc(r.outlet.posts, func(p audience.Post) bool { return strings.Contains(p.Text, text(n)) })
		})
	}
}

// name is what the post of the text with a number is called.
func (r *running) name(n int) string {
	for _, p := range r.posts() {
		if strings.Contains(p.Text, text(n)) {
			return connect.NameOf(p.Platform, p.ID)
		}
	}
	r.t.Fatalf("there is no %s", text(n))
	return ""
}

// gone waits until the post of the text with a number is taken back.
func (r *running) gone(n int) {
	r.t.Helper()
	name := r.name(n)
	r.until("the end of "+name, func() bool { return slices.Contains(r.outlet.gone, name) })
}

// failure waits for the connector to give up, and is why.
func (r *running) failure() error {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Fatal("the connector does not notice")
	}
	if r.err == nil {
		r.t.Fatal("Run ended without an error, though it was not stopped")
	}
	return r.err
}

// end stops the connector.
func (r *running) end() {
	r.t.Helper()
	r.cancel()
	select {
	case <-r.done:
	case <-time.After(time.Second):
		r.t.Fatal("the connector does not stop within a second")
	}
	if r.err != nil {
		r.t.Errorf("stopped, Run ends with %v", r.err)
	}
}

func (r *running) posts() []audience.Post {
	r.outlet.mu.Lock()
	defer r.outlet.mu.Unlock()
	return slices.Clone(r.outlet.posts)
}

func (r *running) place() connect.Place {
	r.outlet.mu.Lock()
	defer r.outlet.mu.Unlock()
	return r.outlet.behind
}

// outlet keeps all that a connector delivers.
type outlet struct {
	mu        sync.Mutex
	news      chan struct{}
	streaming bool
	posts     []audience.Post
	malformed int
	first     error
	lost      int64
	gone      []string
	spent     int64
	behind    connect.Place
	refusal   error
}

func newOutlet(from connect.Place) *outlet { return &outlet{news: make(chan struct{}), behind: from} }

// tell lets those look again who wait.
func (o *outlet) tell(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
	close(o.news)
	o.news = make(chan struct{})
}

// refuse lets every Deliver fail from now on.
func (o *outlet) refuse(err error) { o.tell(func() { o.refusal = err }) }

func (o *outlet) Deliver(ctx context.Context, b connect.Batch) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	o.tell(func() {
		if err = o.refusal; err != nil {
			return
		}
		if len(b.Behind) > connect.MaxPlace {
			panic("a place is longer than MaxPlace: " + string(b.Behind))
		}
		o.posts, o.gone = append(o.posts, b.Posts...), append(o.gone, b.Gone...)
		o.malformed, o.lost, o.behind = o.malformed+b.Malformed, o.lost+b.Lost, b.Behind
		if o.first == nil {
			o.first = b.First
		}
	})
	return err
}

// taken are the posts that are gone.
func (o *outlet) taken() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.gone)
}

func (o *outlet) Streaming() { o.tell(func() { o.streaming = true }) }

func (o *outlet) Spend(ctx context.Context, units int64) error {
	o.tell(func() { o.spent += units })
	return ctx.Err()
}
