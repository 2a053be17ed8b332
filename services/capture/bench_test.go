package capture_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/embedded"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
)

// noLog acknowledges at once.
type noLog struct{ memoryLog }

func (*noLog) AppendRaw(context.Context, string, int32, []byte) (int64, error) { return 0, nil }

// bareGin is what the ballot door is measured against: Gin, decoding the same
// body with its own binding.
func bareGin() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/v1/polls/:poll/ballots", func(c *gin.Context) {
		var b struct {
			BallotID string         `json:"ballot_id"`
			Choices  []string       `json:"choices"`
			Scores   map[string]int `json:"scores"`
		}
		if err := c.ShouldBindJSON(&b); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		c.JSON(http.StatusAccepted, gin.H{"ballot_id": b.BallotID, "poll": c.Param("poll")})
	})
	return e
}

// inFlight suits the embedded log, as in standalone.
const inFlight = 1

func benchHouse(b *testing.B, log capture.Log) *house {
	return newHouse(b, func(c *capture.Config, d *capture.Deps) {
		c.Limits.Voter, c.Limits.VoterBurst = 1e6, 1e6
		c.Flush.InFlight = inFlight
		d.Now = time.Now
		d.Log = log
		d.Logger = slog.New(slog.DiscardHandler)
	})
}

// kafka is the embedded log, on disk.
func kafka(b *testing.B) *eventlog.Log {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	cfg := embedded.DefaultConfig()
	cfg.DataDir = b.TempDir()
	servers, err := embedded.Start(b.Context(), cfg, quiet)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = servers.Close() })
	lc := eventlog.DefaultConfig()
	lc.Brokers, lc.Partitions = servers.Brokers(), 2
	log, err := eventlog.Open(b.Context(), lc, quiet, prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = log.Close() })
	return log
}

// BenchmarkBallotDoor is one ballot a request over 64 connections; compare with
// bare-gin in the same run.
func BenchmarkBallotDoor(b *testing.B) {
	b.Run("bare-gin", func(b *testing.B) {
		drive(b, bareGin(), ballotRequests(b, benchHouse(b, &noLog{})))
	})
	b.Run("no-log", func(b *testing.B) {
		h := benchHouse(b, &noLog{})
		drive(b, h.handler, ballotRequests(b, h))
	})
	b.Run("embedded-log", func(b *testing.B) {
		h := benchHouse(b, kafka(b))
		drive(b, h.handler, ballotRequests(b, h))
		b.ReportMetric(h.mean(b, "clamor_capture_record_ballots"), "ballots/record")
		b.ReportMetric(h.mean(b, "clamor_capture_append_seconds")*1e6, "append-µs")
		b.ReportMetric(h.mean(b, "clamor_capture_ack_seconds")*1e6, "ack-µs")
	})
}

// mean is that of a histogram.
func (h *house) mean(b *testing.B, name string) float64 {
	b.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0].GetHistogram()
			return m.GetSampleSum() / float64(m.GetSampleCount())
		}
	}
	return 0
}

func ballotRequests(b *testing.B, h *house) [][]byte {
	b.Helper()
	var requests [][]byte
	for n := range 20_000 {
		body := choose(n+1, string(rune('a'+n%3)))
		token := h.keys.VoterToken(keys.NewSubject(), time.Now().Add(time.Hour))
		requests = append(requests, fmt.Appendf(nil, "POST /v1/polls/final/ballots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body))
	}
	return requests
}

// BenchmarkBatchDoor is batches of 10,000 lines; its figure is ballots/s.
func BenchmarkBatchDoor(b *testing.B) {
	for name, log := range map[string]func(*testing.B) capture.Log{
		"no-log":       func(*testing.B) capture.Log { return &noLog{} },
		"embedded-log": func(b *testing.B) capture.Log { return kafka(b) },
	} {
		b.Run(name, func(b *testing.B) {
			h := benchHouse(b, log(b))
			const lines, bodies = 10_000, 8
			var requests [][]byte
			for r := range bodies {
				var body strings.Builder
				for n := range lines {
					body.WriteString(line(r*lines+n+1, "+49170"+strconv.Itoa(1e6+r*lines+n), string(rune('a'+n%3))))
					body.WriteByte('\n')
				}
				requests = append(requests, fmt.Appendf(nil, "POST /v1/polls/final/ballots:batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sms-key\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String()))
			}
			driveWith(b, h.handler, requests, 4)
			b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "ballots/s")
		})
	}
}

// BenchmarkPostsDoor is pushes of 1,000 posts, one in three a ballot.
func BenchmarkPostsDoor(b *testing.B) {
	h := benchHouse(b, kafka(b))
	h.social("p", audience.CountPosts, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	const posts = 1000
	var requests [][]byte
	for r := range 20 {
		var body strings.Builder
		for n := range posts {
			id := strconv.Itoa(r*posts + n)
			body.WriteString(postLine(id, "u"+id, []string{"go anna, you are the best of them all tonight #show", "nobody sings like that", "what a night!"}[n%3]))
			body.WriteByte('\n')
		}
		requests = append(requests, fmt.Appendf(nil, "POST /v1/sources/feed/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer push-key\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String()))
	}
	driveWith(b, h.handler, requests, 2)
	b.ReportMetric(float64(posts*b.N)/b.Elapsed().Seconds(), "posts/s")
}

func drive(b *testing.B, h http.Handler, requests [][]byte) {
	driveWith(b, h, requests, 64)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// driveWith sends b.N requests over so many connections.
func driveWith(b *testing.B, h http.Handler, requests [][]byte, connections int) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	var next atomic.Int64
	var all sync.WaitGroup
	before := cpuTime(b)
	b.ResetTimer()
	for range connections {
		all.Go(func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = c.Close() }()
			in := bufio.NewReader(c)
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if _, err := c.Write(requests[int(n)%len(requests)]); err != nil {
					b.Error(err)
					return
				}
				if err := answer(in); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used, in nanoseconds: a figure that other
// work on the machine does not spoil.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// answer reads one answer with as little work as possible, so that the client
// weighs little in the figures.
func answer(in *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 20")) {
			rest, _ := in.Peek(in.Buffered())
			return fmt.Errorf("%s%s", line, rest)
		}
		if len(line) <= 2 {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	_, err := io.CopyN(io.Discard, in, int64(length))
	return err
}

// BenchmarkAppend is what the embedded log costs for one record.
func BenchmarkAppend(b *testing.B) {
	log := kafka(b)
	value := make([]byte, 2500)
	before := cpuTime(b)
	b.ResetTimer()
	for n := range b.N {
		if _, err := log.AppendRaw(b.Context(), eventlog.Ballots, int32(n%2), value); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}
