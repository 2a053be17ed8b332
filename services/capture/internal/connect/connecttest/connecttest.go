// Package connecttest says what every connector does, against a fake of its
// platform that speaks as the real one does, failures included: it starts,
// streams, goes on where it stopped, tells how and why it failed, and stops
// within a second.
package connecttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// Platform is a fake of a connector's platform. What else it can do it says by
// the smaller interfaces below; what it cannot is not tried.
type Platform interface {
	// Connector makes a connector of the fake. It looks for new posts every few
	// milliseconds, where it has to look, and takes a stream that stood for a
	// fraction of a second for stalled. It may be called more than once.
	Connector(env connect.Env) (connect.Connector, error)
	// Say publishes posts of these texts, in this order, to every connector whose
	// Streaming was called, and to those that resume from before. The texts hold
	// the word that Env's topic asks for.
	Say(texts ...string)
}

// Resender is a platform that gives the posts again that came behind a place.
// Others lose what is said while nobody listens.
type Resender interface {
	Resends()
}

// Disconnector can break off what it is sending in the middle of a message.
// Connections after that one are whole.
type Disconnector interface {
	Disconnect()
}

// Limiter can refuse with a rate limit that ends at a time, in its own headers or
// words. The zero time lifts it.
type Limiter interface {
	RateLimit(until time.Time)
}

// Slower can ask a connector to come back more slowly (HTTP 420), once.
type Slower interface {
	Slow()
}

// Failer can answer the next request with a failure of its own (HTTP 503), once.
type Failer interface {
	Fail()
}

// Expirer can take the connector's credentials away for good.
type Expirer interface {
	Expire()
}

// Garbler can send a message that is no post.
type Garbler interface {
	Malformed()
}

// Repeater can send the last post again, unasked.
type Repeater interface {
	Duplicate()
}

// Laggard can say a post late: behind others that are younger.
type Laggard interface {
	Late(text string)
}

// Staller can keep the connection and fall silent, heartbeat included.
// Connections after that one are whole.
type Staller interface {
	Stall()
}

// Withholder can say how many posts it kept back.
type Withholder interface {
	Withhold(posts int64)
}

// Deleter can delete a post that it said, and tell so in the platform's own way;
// and it can tell so of nothing: a notice that is broken.
type Deleter interface {
	Delete(text string)
	DeleteNothing()
}

// patience is how long anything may take on a busy machine; nothing waits for it
// when all is well.
const patience = 20 * time.Second

// Run proves a connector on fresh fakes.
func Run(t *testing.T, open func(t *testing.T) Platform) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, Platform)
	}{
		{"streams", streams},
		{"stops", stops},
		{"resumes", resumes},
		{"resumes behind what was durable", resumesBehindWhatWasDurable},
		{"disconnected", disconnected},
		{"limited", limited},
		{"slowed", slowed},
		{"failing", failing},
		{"refused", refused},
		{"malformed", malformed},
		{"repeated", repeated},
		{"late", late},
		{"stalled", stalled},
		{"withheld", withheld},
		{"deleted", deleted},
		{"deleted later", deletedLater},
		{"supervised", supervised},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// can is the platform's ability, or skips the test.
func can[T any](t *testing.T, p Platform) T {
	t.Helper()
	able, ok := p.(T)
	if !ok {
		t.Skipf("the platform is no %T", new(T))
	}
	return able
}

// text is the n-th thing to say.
func text(n int) string { return fmt.Sprintf("%s post%03dx", Word, n) }

func texts(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, text(n))
	}
	return all
}

func streams(t *testing.T, p Platform) {
	r := begin(t, p, "")
	p.Say(texts(1, 3)...)
	r.expect(1, 3)
	p.Say(text(4))
	r.expect(4, 4)
	ids := map[string]bool{}
	for _, post := range r.posts() {
		switch {
		case post.ID == "" || post.Platform == "":
			t.Errorf("a post without id or platform: %+v", post)
		case post.CreatedAt == 0:
			t.Errorf("a post without created_at: %+v", post)
		}
		ids[post.Platform+":"+post.ID] = true
	}
	if len(ids) < 4 {
		t.Errorf("4 posts have %d ids", len(ids))
	}
	if _, ok := p.(Resender); ok && r.place() == "" {
		t.Error("there is no place behind the posts")
	}
	r.end()
}

func stops(t *testing.T, p Platform) {
	r := begin(t, p, "")
	r.end()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.connector.Run(ctx, "", r.outlet); err != nil {
		t.Errorf("stopped before it began: %v", err)
	}
}

func resumes(t *testing.T, p Platform) {
	r := begin(t, p, "")
	p.Say(texts(1, 3)...)
	r.expect(1, 3)
	r.end()
	p.Say(texts(4, 5)...)
	next := begin(t, p, r.place())
	p.Say(text(6))
	if _, ok := p.(Resender); ok {
		next.expect(4, 5)
	}
	next.expect(6, 6)
	next.end()
	// A place that means nothing is the beginning.
	odd := begin(t, p, "~?/nonsense")
	p.Say(text(7))
	odd.expect(7, 7)
	odd.end()
}

// resumesBehindWhatWasDurable: what was delivered in vain comes again.
func resumesBehindWhatWasDurable(t *testing.T, p Platform) {
	can[Resender](t, p)
	r := begin(t, p, "")
	p.Say(texts(1, 2)...)
	r.expect(1, 2)
	full := errors.New("the log is away")
	r.outlet.refuse(full)
	p.Say(texts(3, 4)...)
	if err := r.failure(); !errors.Is(err, full) {
		t.Errorf("Run ends with %v, want the outlet's error", err)
	}
	next := begin(t, p, r.place())
	next.expect(3, 4)
	next.end()
}

func disconnected(t *testing.T, p Platform) {
	able := can[Disconnector](t, p)
	r := begin(t, p, "")
	p.Say(text(1))
	r.expect(1, 1)
	able.Disconnect()
	passing(t, r.failure())
	p.Say(text(2))
	next := begin(t, p, r.place())
	p.Say(text(3))
	if _, ok := p.(Resender); ok {
		next.expect(2, 2)
	}
	next.expect(3, 3)
	next.end()
}

// passing judges that a failure is worth another try, at any time.
func passing(t *testing.T, err error) {
	t.Helper()
	var no *connect.Refused
	var wait *connect.Wait
	if err == nil || errors.As(err, &no) || errors.As(err, &wait) {
		t.Errorf("Run ends with %v, want a passing failure", err)
	}
}

func limited(t *testing.T, p Platform) {
	able := can[Limiter](t, p)
	until := time.Now().Add(10 * time.Minute)
	able.RateLimit(until)
	r := start(t, p, "")
	err := r.failure()
	var wait *connect.Wait
	if !errors.As(err, &wait) || wait.Until.Sub(until).Abs() > time.Minute {
		t.Fatalf("Run ends with %v, want a Wait until %v", err, until)
	}
	able.RateLimit(time.Time{})
	next := begin(t, p, "")
	p.Say(text(1))
	next.expect(1, 1)
	next.end()
}

func slowed(t *testing.T, p Platform) {
	can[Slower](t, p).Slow()
	err := start(t, p, "").failure()
	var slow *connect.Slow
	if !errors.As(err, &slow) {
		t.Errorf("Run ends with %v, want a Slow", err)
	}
}

func failing(t *testing.T, p Platform) {
	can[Failer](t, p).Fail()
	passing(t, start(t, p, "").failure())
}

func refused(t *testing.T, p Platform) {
	able := can[Expirer](t, p)
	r := begin(t, p, "")
	able.Expire()
	if d, ok := p.(Disconnector); ok {
		d.Disconnect() // an open stream may live on; the next connection does not
		_ = r.failure()
	} else {
		r.cancel()
		<-r.done
	}
	err := start(t, p, r.place()).failure()
	var no *connect.Refused
	if !errors.As(err, &no) {
		t.Errorf("Run ends with %v, want a Refused", err)
	}
}

func malformed(t *testing.T, p Platform) {
	able := can[Garbler](t, p)
	r := begin(t, p, "")
	p.Say(text(1))
	r.expect(1, 1)
	able.Malformed()
	p.Say(text(2))
	r.expect(2, 2)
	r.until("the malformed message", func() bool { return r.outlet.malformed > 0 && r.outlet.first != nil })
	r.end()
}

func repeated(t *testing.T, p Platform) {
	able := can[Repeater](t, p)
	r := begin(t, p, "")
	p.Say(text(1))
	r.expect(1, 1)
	able.Duplicate()
	p.Say(text(2))
	r.expect(1, 2)
	name := ""
	for _, post := range r.posts() {
		if !strings.Contains(post.Text, text(1)) {
			continue
		}
		if name != "" && name != post.Platform+":"+post.ID {
			t.Errorf("the same post is %s and %s:%s", name, post.Platform, post.ID)
		}
		name = post.Platform + ":" + post.ID
	}
	r.end()
}

func late(t *testing.T, p Platform) {
	able := can[Laggard](t, p)
	r := begin(t, p, "")
	p.Say(texts(1, 2)...)
	r.expect(1, 2)
	able.Late(text(3))
	r.expect(3, 3)
	r.end()
}

func stalled(t *testing.T, p Platform) {
	able := can[Staller](t, p)
	r := begin(t, p, "")
	p.Say(text(1))
	r.expect(1, 1)
	able.Stall()
	if err := r.failure(); !errors.Is(err, connect.ErrStalled) {
		t.Errorf("Run ends with %v, want ErrStalled", err)
	}
	next := begin(t, p, r.place())
	able.Stall()
	next.end() // a silent stream is stopped as fast as any
}

func withheld(t *testing.T, p Platform) {
	able := can[Withholder](t, p)
	r := begin(t, p, "")
	able.Withhold(7)
	p.Say(text(1))
	r.expect(1, 1)
	r.until("the posts kept back", func() bool { return r.outlet.lost == 7 })
	r.end()
}

func deleted(t *testing.T, p Platform) {
	able := can[Deleter](t, p)
	r := begin(t, p, "")
	p.Say(texts(1, 3)...)
	r.expect(1, 3)
	able.DeleteNothing()
	able.Delete(text(2))
	p.Say(text(4))
	r.expect(4, 4)
	r.gone(2)
	r.until("the broken notice", func() bool { return r.outlet.malformed > 0 && r.outlet.first != nil })
	for _, n := range []int{1, 3, 4} {
		if slices.Contains(r.outlet.taken(), r.name(n)) {
			t.Errorf("post %d is gone, too", n)
		}
	}
	r.end()
}

// deletedLater: another connector takes back what the one before it delivered.
func deletedLater(t *testing.T, p Platform) {
	able := can[Deleter](t, p)
	r := begin(t, p, "")
	p.Say(texts(1, 2)...)
	r.expect(1, 2)
	r.end()
	next := startAfter(t, p, r.place(), r.posts())
	next.until("an answer of the platform", func() bool { return next.outlet.streaming })
	able.Delete(text(1))
	name := r.name(1)
	next.until("the end of "+name, func() bool { return slices.Contains(next.outlet.gone, name) })
	next.end()
}
