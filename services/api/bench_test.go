package api_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/services/api"
)

// BenchmarkFeed reads a feed over loopback, and the same bytes (head and body)
// from a bare Gin handler, turn about in slices of the same run. The ratio is
// ours to theirs.
func BenchmarkFeed(b *testing.B) {
	r := newRig(b, func(c *api.Config) { c.Refresh = 100 * time.Millisecond })
	r.stage("p7", map[string]any{"reveal": "open"})
	r.order("p7", "open")
	for v := range 100 {
		r.cast("p7", v, uint16(1+v%3))
	}
	path := "/feeds/" + r.feed(nil) + "/polls/p7/feed.json"
	r.until("/v1/polls/p7/results", votes(100))
	a := r.get(path)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	tag := a.header.Get("ETag")
	engine.GET("/bare/:token/polls/:poll/feed.json", func(c *gin.Context) {
		for _, key := range []string{"ETag", "Cache-Control", "Access-Control-Allow-Origin", "Last-Modified", "Vary"} {
			c.Header(key, a.header.Get(key))
		}
		if c.GetHeader("If-None-Match") == tag {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, "application/json; charset=utf-8", a.body)
	})
	bare := httptest.NewServer(engine)
	defer bare.Close()
	for _, kind := range []struct{ name, match string }{{"200", ""}, {"304", tag}} {
		b.Run(kind.name, func(b *testing.B) {
			ours := reader{url: r.server.URL + path, match: kind.match}
			theirs := reader{url: bare.URL + "/bare/token/polls/p7/feed.json", match: kind.match}
			const slice = 1000
			var took, worked [2][]time.Duration
			for i := range max(5, b.N/slice) {
				for k := range 2 {
					which := (k + i) % 2
					start, began := time.Now(), cpu()
					[]reader{ours, theirs}[which].run(b, slice)
					took[which], worked[which] = append(took[which], time.Since(start)), append(worked[which], cpu()-began)
				}
			}
			// Medians: what else the machine does falls on some slices only.
			mine, other := median(took[0]), median(took[1])
			b.ReportMetric(slice/mine.Seconds(), "feed/s")
			b.ReportMetric(slice/other.Seconds(), "bare/s")
			b.ReportMetric(other.Seconds()/mine.Seconds(), "ratio")
			b.ReportMetric(median(worked[1]).Seconds()/median(worked[0]).Seconds(), "cpu-ratio")
			b.ReportMetric(float64(len(a.body)), "bytes")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// reader asks with a few connections at a time.
type reader struct{ url, match string }

func (rd reader) run(b *testing.B, n int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(n))
	done := make(chan error, 16)
	for range cap(done) {
		go func() { done <- rd.read(client, &left) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func (rd reader) read(client *http.Client, left *atomic.Int64) error {
	var buf bytes.Buffer
	for left.Add(-1) >= 0 {
		req, err := http.NewRequest(http.MethodGet, rd.url, nil)
		if err != nil {
			return err
		}
		if rd.match != "" {
			req.Header.Set("If-None-Match", rd.match)
		}
		res, err := client.Do(req)
		if err != nil {
			return err
		}
		buf.Reset()
		_, err = buf.ReadFrom(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkFeedHandler is the handler alone, without a connection.
func BenchmarkFeedHandler(b *testing.B) {
	r := newRig(b)
	r.stage("p7", map[string]any{"reveal": "open"})
	path := "/feeds/" + r.feed(nil) + "/polls/p7/feed.json"
	a := r.get(path)
	engine := gin.New()
	engine.GET("/feeds/:token/polls/:poll/feed.json", func(c *gin.Context) {
		c.Header("ETag", a.header.Get("ETag"))
		c.Data(http.StatusOK, "application/json; charset=utf-8", a.body)
	})
	for name, h := range map[string]http.Handler{"feed": r.api.Handler(), "bare": engine} {
		b.Run(name+"/"+strconv.Itoa(len(a.body)), func(b *testing.B) {
			req := httptest.NewRequest(http.MethodGet, path, nil)
			w := &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				h.ServeHTTP(w, req)
			}
		})
	}
}

type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

// cpu is the time this process has worked: reader and handler together.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(0, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkTopicFeedHandler is the handler of a topic's feeds beside that of a
// poll's, of about the same size: both answer with bytes that are held.
func BenchmarkTopicFeedHandler(b *testing.B) {
	r := newRig(b)
	r.about("goal", "goal", nil)
	r.stage("p7", map[string]any{"reveal": "open"})
	for n := range 300 {
		r.say(strconv.Itoa(n), author(n), "goal #"+[]string{"anna", "ben", "cleo"}[n%3])
	}
	r.until("/v1/topics/goal/stats", posts(300))
	base := "/feeds/" + r.feed(map[string]any{"audience": "producer"})
	for _, path := range []string{
		"/polls/p7/feed.json", "/topics/goal/feed.json", "/topics/goal/feed.xml?shape=wide", "/topics/goal/feed.json?by=country&top=10",
		"/topics/goal/trends.json", "/topics/goal/topic.json", "/topics/goal/map.json", "/topics/goal/posts.json",
	} {
		b.Run(path, func(b *testing.B) {
			r.get(base+path).is(200, "")
			req := httptest.NewRequest(http.MethodGet, base+path, nil)
			w := &sink{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				r.api.Handler().ServeHTTP(w, req)
			}
		})
	}
}
