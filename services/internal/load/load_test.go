package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/audience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPaceIsAnOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// One worker that stalls for a second: the requests behind it count their
		// wait from when they were meant to leave.
		var worst time.Duration
		p := Pace{Rate: 100, Duration: 2 * time.Second, Workers: 1}
		n := 0
		took := p.Run(t.Context(), func(int) func(int64, time.Time) {
			return func(i int64, intended time.Time) {
				if i == 50 {
					time.Sleep(time.Second)
				}
				worst = max(worst, time.Since(intended))
				n++
			}
		})
		if n != 200 || worst != time.Second || took < 1990*time.Millisecond {
			t.Errorf("%d requests, worst %v, took %v", n, worst, took)
		}
	})
}

func TestPaceEndsByCountAndByContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		count := func(int) func(int64, time.Time) { return func(int64, time.Time) { n.Add(1) } }
		Pace{Requests: 1000, Workers: 8}.Run(t.Context(), count)
		if n.Load() != 1000 {
			t.Errorf("%d requests", n.Load())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n.Store(0)
		Pace{Rate: 10, Duration: time.Hour, Workers: 4}.Run(ctx, count)
		if n.Load() < 10 || n.Load() > 11 {
			t.Errorf("%d requests in a second at 10/s", n.Load())
		}
	})
}

func TestVisibility(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	acks := []Ack{{at(20), 1}, {at(10), 1}, {at(30), 5}}
	seen := []Sight{{at(15), 100}, {at(50), 101}, {at(60), 104}, {at(100), 107}}
	h := Visibility(acks, seen, 100)
	// 101 shows the first (40 ms), 104 the second only (40 ms), 107 the five (70 ms).
	if h.TotalCount() != 3 || h.Max() < 69_000 || h.Max() > 71_000 || h.ValueAtQuantile(50) < 39_000 || h.ValueAtQuantile(50) > 41_000 {
		t.Errorf("%d, p50 %d, max %d", h.TotalCount(), h.ValueAtQuantile(50), h.Max())
	}
}

func TestBallotsAndOptions(t *testing.T) {
	target := &Target{Options: []string{"a", "b", "c", "d"}, salt: 0xdeadbeefcafef00d}
	ids, shares := map[string]bool{}, map[int]int{}
	for i := range int64(10_000) {
		id := target.BallotID(i)
		if _, err := audience.ParseBallotID(id); err != nil || ids[id] {
			t.Fatalf("%s: %v, seen before: %v", id, err, ids[id])
		}
		ids[id] = true
		shares[target.Option(i)]++
	}
	for o := 1; o < 4; o++ {
		if shares[o] == 0 || shares[o] >= shares[o-1] {
			t.Errorf("shares %v: they should fall", shares)
		}
	}
}

// fake is a system that acknowledges ballots and counts them its own way.
type fake struct {
	mu      sync.Mutex
	seen    map[string]bool
	votes   map[string]int
	calls   int
	forgets bool // now and then it loses a ballot it acknowledged
	flaky   bool // now and then it answers 503
	extra   int  // votes out of nowhere
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch path := r.URL.Path; {
	case path == "/v1/voters":
		fmt.Fprint(w, `{"voter_token":"t"}`)
	case strings.HasSuffix(path, "/state"):
		fmt.Fprint(w, `{"phase":"open","show":"s","options":[{"id":"a"},{"id":"b"}]}`)
	case strings.HasSuffix(path, "/ballots"):
		f.ballot(w, r)
	case strings.HasSuffix(path, "/results"):
		fmt.Fprintf(w, `{"totals":{"votes":%d},"options":[{"id":"a","votes":%d},{"id":"b","votes":%d}]}`,
			f.votes["a"]+f.votes["b"], f.votes["a"], f.votes["b"])
	case strings.HasPrefix(path, "/feeds/"):
		fmt.Fprintf(w, `[{"total_votes":%d}]`, f.votes["a"]+f.votes["b"])
	default:
		fmt.Fprint(w, `{"id":"x","token":"t","key":"k"}`)
	}
}

func (f *fake) ballot(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	f.calls++
	if f.flaky && f.calls%7 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := body.String()
	if !f.seen[id] && (!f.forgets || f.calls%50 != 0) {
		f.votes[id[len(id)-4:len(id)-3]]++
	}
	if !f.seen[id] && f.extra > 0 {
		f.votes["a"]++
		f.extra--
	}
	f.seen[id] = true
	w.WriteHeader(http.StatusAccepted)
}

func TestRunHoldsTheSystemToItsWord(t *testing.T) {
	cases := map[string]struct {
		system *fake
		exit   int
		says   string
	}{
		"honest":          {&fake{}, exitExact, "EXACT"},
		"often busy":      {&fake{flaky: true}, exitExact, "EXACT"},
		"forgets":         {&fake{forgets: true}, exitDiffers, "DIFFERS: acknowledged 200, counted 196 (-4)"},
		"counts too much": {&fake{extra: 2}, exitDiffers, "DIFFERS: acknowledged 200, counted 202 (+2)"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.system.seen, c.system.votes = map[string]bool{}, map[string]int{}
			srv := httptest.NewServer(c.system)
			defer srv.Close()
			var out, errs bytes.Buffer
			code := Run(t.Context(), []string{"--token=x", "--poll=p", "--rate=0", "--ballots=200", "--voters=1", "--connections=4",
				"--settle=300ms", srv.URL}, &out, &errs)
			if code != c.exit || !strings.Contains(out.String(), c.says) {
				t.Errorf("%d, want %d and %q:\n%s%s", code, c.exit, c.says, out.String(), errs.String())
			}
		})
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--rate=-1", "--token=x"}, "rate: it is negative"},
		{[]string{"--token="}, "token-file"},
		{[]string{"--token=x", "--door=back"}, "door"},
		{[]string{"--token-file=/nowhere/at/all"}, "no such file"},
		{[]string{"--token=x", "http://127.0.0.1:1"}, "refused"},
	} {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), c.args, &out, &errs); code != exitNotRun || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: %d %s", c.args, code, errs.String())
		}
	}
}

func TestConnDialsAgain(t *testing.T) {
	n := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n%2 == 0 {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, "yes")
	}))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := NewConn(u, time.Second)
	defer c.Close()
	for range 5 {
		a, err := c.Do(t.Context(), []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 16))
		if err != nil || a.Status != 200 || string(a.Body) != "yes" {
			t.Fatalf("%+v %v", a, err)
		}
	}
}
