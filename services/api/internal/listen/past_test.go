package listen

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// sumFrom counts the posts from a minute on, as an answer does.
func sumFrom(h *Hub, p *Picture, from int64) (int64, error) {
	answer := func(p *Picture) (any, error) { return p.Sum(from, p.Now+1).Posts, nil }
	n, err := h.Reaching(context.Background(), p, from, live.Form{Name: "sum"}, answer)
	if err != nil {
		return 0, err
	}
	return n.(int64), nil
}

// longAgo is a stage with a post a minute for the last ten hours, of which the
// first nine are published, and its painter after a look.
func longAgo(t *testing.T, change func(*Config)) (*stage, *painter) {
	t.Helper()
	s := newStage(1)
	s.define("a")
	for i := int64(599); i >= 0; i-- {
		if s.post(0, "a", 1, topic.MinuteOf(s.now)-i); i == 60 {
			s.cut()
			s.publish()
		}
	}
	p := s.painter(change)
	p.look(t.Context())
	return s, p
}

func picture(t *testing.T, p *painter) *Picture {
	t.Helper()
	pic, ok := p.hub.Picture("a")
	if !ok || pic.Partial {
		t.Fatal("no picture")
	}
	return pic
}

func TestSumsReachBehindTheHorizon(t *testing.T) {
	_, p := longAgo(t, nil)
	pic := picture(t, p)
	for _, w := range []topic.Window{
		{From: pic.Now - 599, To: pic.Now + 1}, {From: pic.Now - 400, To: pic.Now - 100}, {From: pic.Now - 500, To: pic.Now - 499},
		{From: pic.Now - 500, To: pic.Now - 300}, {From: pic.From - 1, To: pic.From}, {From: pic.From - 1, To: pic.From + 1},
	} {
		for _, step := range []int64{0, 1, 7, 60, 100} {
			q := Query{Window: w, Step: step, Compare: step > 0, By: topic.ByHashtag, Top: 3}
			made, err := p.hub.Reaching(t.Context(), pic, q.From(), live.Form{}, func(p *Picture) (any, error) { return p.Report(q) })
			if err != nil {
				t.Fatal(err)
			}
			r := made.(Report)
			before := min(w.Len(), max(0, w.From-(pic.Now-599)))
			if r.Posts != w.Len() || step > 0 && r.PostsChange.Before != before {
				t.Errorf("%v: %d posts, %+v", w, r.Posts, r.PostsChange)
			}
			sum := int64(0)
			for _, point := range r.Series {
				sum += point.Posts
			}
			if step > 0 && sum != w.Len() {
				t.Errorf("%v by %d: %d posts", w, step, sum)
			}
		}
	}
}

func TestThePastIsReadOnce(t *testing.T) {
	s, p := longAgo(t, nil)
	first := picture(t, p).Now - 599
	reads := func(posts int64) int {
		t.Helper()
		before := s.pieceReads
		if n, err := sumFrom(p.hub, picture(t, p), first); err != nil || n != posts {
			t.Fatal(n, err)
		}
		return s.pieceReads - before
	}
	next := func() {
		s.cut()
		s.publish()
		p.look(t.Context())
	}
	next()
	if reads(600) == 0 {
		t.Fatal("what is not held is read")
	}
	if n := reads(600); n != 0 {
		t.Errorf("%d pieces read again", n)
	}
	s.post(0, "a", 1, first+100)
	next()
	if n := reads(601); n != 3 { // the minute that changed, its page, and the manifest
		t.Errorf("%d pieces read for one minute", n)
	}
}

func TestThePastIsReadAnewWithoutRoom(t *testing.T) {
	s, p := longAgo(t, func(c *Config) { c.PastBytes = 0 })
	pic := picture(t, p)
	for range 2 {
		before := s.pieceReads
		if n, err := sumFrom(p.hub, pic, pic.Now-599); err != nil || n != 600 {
			t.Fatal(n, err)
		}
		if s.pieceReads == before {
			t.Error("nothing was read")
		}
	}
	if p.hub.PastBytes() != 0 {
		t.Errorf("%d bytes are kept", p.hub.PastBytes())
	}
}

// TestOneGenerationAnAnswer: while an answer is made, the next generation comes and
// a post of the past is taken out; the answer is that of the picture it was asked of.
func TestOneGenerationAnAnswer(t *testing.T) {
	s, p := longAgo(t, nil)
	pic := picture(t, p)
	old := s.generation
	s.post(0, "a", 1, pic.Now-500)
	s.cut()
	s.publish()
	p.look(t.Context())
	fresh := picture(t, p)
	if fresh.Generation != old.Number+1 {
		t.Fatalf("generation %d", fresh.Generation)
	}
	for _, c := range []struct {
		of   *Picture
		want int64
	}{{pic, 600}, {fresh, 601}, {pic, 600}} {
		if n, err := sumFrom(p.hub, c.of, pic.Now-599); err != nil || n != c.want {
			t.Errorf("%d posts, want %d: %v", n, c.want, err)
		}
	}
}

func TestManyWhoAskTheSameCostOneReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := longAgo(t, nil)
		pic := picture(t, p)
		first, release := pic.Now-599, make(chan struct{})
		s.reading = func(context.Context) error { <-release; return nil }
		var made atomic.Int64
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					cancel() // who has gone does not take the answer from the others
				}
				defer cancel()
				n, err := p.hub.Reaching(ctx, pic, first, live.Form{Name: "same"}, func(p *Picture) (any, error) {
					made.Add(1)
					return p.Sum(first, p.Now+1).Posts, nil
				})
				if err != nil || n.(int64) != 600 {
					t.Errorf("%v: %v", n, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("made %d times", made.Load())
		}
	})
}

func TestFewAnswersAboutThePastAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := longAgo(t, func(c *Config) { c.PastTimeout = time.Second })
		pic := picture(t, p)
		var reading, most atomic.Int64
		s.reading = func(ctx context.Context) error {
			most.Store(max(most.Load(), reading.Add(1)))
			defer reading.Add(-1)
			<-ctx.Done()
			return ctx.Err()
		}
		var slow, busy atomic.Int64
		var all sync.WaitGroup
		for i := range int64(20) {
			all.Go(func() {
				_, err := p.hub.Reaching(t.Context(), pic, pic.Now-599, live.Form{Query: string(rune('a' + i))}, func(*Picture) (any, error) { return nil, nil })
				switch {
				case errors.Is(err, ErrBusy):
					busy.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					slow.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		began := time.Now()
		all.Wait()
		if most.Load() > pastAtOnce || slow.Load() < pastAtOnce || slow.Load()+busy.Load() != 20 || time.Since(began) > 2*time.Second {
			t.Errorf("%d at once, %d too slow, %d too many, %v", most.Load(), slow.Load(), busy.Load(), time.Since(began))
		}
	})
}

// TestAStoreThatHangs is given up after one reading's time, not after an answer's.
func TestAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := longAgo(t, func(c *Config) { c.ReadTimeout = time.Second })
		pic := picture(t, p)
		s.reading = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		if _, err := sumFrom(p.hub, pic, pic.Now-599); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestDamageOfThePastIsAnError(t *testing.T) {
	s, p := longAgo(t, nil)
	pic := picture(t, p)
	for id, body := range s.pieces {
		if _, err := views.DecodeManifest(body); err == nil {
			continue
		}
		if _, err := views.DecodePage(body); err == nil {
			continue
		}
		s.pieces[id] = append([]byte{0xff}, body...)
	}
	if n, err := sumFrom(p.hub, pic, pic.Now-599); !errors.Is(err, topic.ErrCode) {
		t.Errorf("%d: %v", n, err)
	}
}

// TestBatchThatDoesNotRun: what the speed view alone has of the past is held within
// bounds. Beyond them the past is not known, until batch has run.
func TestBatchThatDoesNotRun(t *testing.T) {
	s := newStage(1)
	s.define("a")
	p := s.painter(func(c *Config) { c.Minutes = 300 })
	first := topic.MinuteOf(s.now)
	for i := range int64(450) {
		s.post(0, "a", 1, first+i)
		s.now += 60_000
		p.look(t.Context())
	}
	pic := picture(t, p)
	held := func() int { return p.fetch.parts[0].older(1 << 40) }
	if n, err := sumFrom(p.hub, pic, first); err != nil || n != 450 || held() != 450 {
		t.Fatalf("%d posts, %d held: %v", n, held(), err)
	}
	for i := range int64(200) {
		s.post(0, "a", 1, first+450+i)
		s.now += 60_000
		p.look(t.Context())
		if held() > 300+180 {
			t.Fatalf("%d held", held())
		}
	}
	pic = picture(t, p)
	if _, err := sumFrom(p.hub, pic, first); !errors.Is(err, live.ErrNotYet) {
		t.Fatal(err)
	}
	if n := pic.Sum(pic.From, pic.Now+1).Posts; n != pic.Now-pic.From {
		t.Fatalf("%d posts of the minutes %d to %d", n, pic.From, pic.Now)
	}
	s.cut()
	s.publish()
	p.look(t.Context())
	if n, err := sumFrom(p.hub, picture(t, p), first); err != nil || n != 650 {
		t.Fatalf("%d posts: %v", n, err)
	}
}

// TestTheHorizonMovesOutAgain: what was let go for want of room is held again when
// there is some.
func TestTheHorizonMovesOutAgain(t *testing.T) {
	_, p := longAgo(t, func(c *Config) { c.Minutes = 100 })
	for range 5 {
		p.look(t.Context())
		if pic := picture(t, p); total(pic) != pic.Now+1-pic.From {
			t.Fatalf("%d posts from %d to %d", total(pic), pic.From, pic.Now)
		}
	}
	near := picture(t, p)
	p.hub.cfg.Minutes = 1 << 20
	for range 5 {
		p.look(t.Context())
		if pic := picture(t, p); total(pic) != pic.Now+1-pic.From {
			t.Fatalf("%d posts from %d to %d", total(pic), pic.From, pic.Now)
		}
	}
	if pic := picture(t, p); pic.From >= near.From || len(pic.Minutes) != 180 {
		t.Errorf("%d minutes from %d, were from %d", len(pic.Minutes), pic.From, near.From)
	}
}
