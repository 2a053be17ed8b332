package load

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Sight is what the poll's feed showed at an instant.
type Sight struct {
	At    time.Time
	Votes int64
}

// watchInterval is how often the feed is read: far more often than an engine
// does, as it bounds what the measured visibility can resolve.
const watchInterval = 20 * time.Millisecond

// watch reads the feed until ctx ends and notes every change of the total.
func watch(ctx context.Context, t *Target, timeout time.Duration) []Sight {
	conn := NewConn(t.URL, timeout)
	defer conn.Close()
	var seen []Sight
	var scratch [64 << 10]byte
	etag := ""
	for sleep.For(ctx, watchInterval) == nil {
		request := "GET " + t.Feed + " HTTP/1.1\r\nHost: " + t.URL.Host + "\r\nIf-None-Match: " + etag + "\r\n\r\n"
		if etag == "" {
			request = "GET " + t.Feed + " HTTP/1.1\r\nHost: " + t.URL.Host + "\r\n\r\n"
		}
		a, err := conn.Do(ctx, []byte(request), scratch[:])
		if err != nil || a.Status != http.StatusOK {
			continue
		}
		var rows []struct {
			Total int64 `json:"total_votes"`
		}
		if json.Unmarshal(a.Body, &rows) != nil || len(rows) == 0 {
			continue
		}
		etag = a.ETag
		seen = append(seen, Sight{time.Now(), rows[0].Total})
	}
	return seen
}

// Visibility matches acknowledgements with sights: the k-th ballot acknowledged
// is visible when the feed's total first stands above k. As ballots are alike,
// that is exact for the totals and says nothing about single ballots. base is
// the total before the run.
func Visibility(acks []Ack, seen []Sight, base int64) *Latencies {
	slices.SortFunc(acks, func(a, b Ack) int { return a.At.Compare(b.At) })
	h := NewLatencies()
	next, visible := 0, int64(0)
	for _, s := range seen {
		for next < len(acks) && visible+acks[next].N <= s.Votes-base {
			visible += acks[next].N
			Record(h, s.At.Sub(acks[next].At))
			next++
		}
	}
	return h
}
