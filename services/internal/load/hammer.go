package load

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

// Hammer casts ballots at the voters' door of any server, as fast as the
// connections go, and returns how many were acknowledged. It is how a yardstick
// is measured with the very requests that a system gets.
func Hammer(ctx context.Context, t *Target, connections int, long time.Duration) (acked int64, took time.Duration) {
	const timeout = 10 * time.Second
	workers := make([]*worker, connections)
	took = Pace{Duration: long, Workers: connections}.Run(ctx, func(n int) func(int64, time.Time) {
		w := newWorker(t, timeout)
		workers[n] = w
		return func(i int64, intended time.Time) { w.ballot(ctx, i, intended) }
	})
	for _, w := range workers {
		w.conn.Close()
		acked += Sum(w.tally.Acked)
	}
	return acked, took
}

// Read gets an address as fast as the connections go, with If-None-Match if etag
// is given, and returns how often it was answered as expected.
func Read(ctx context.Context, address, etag string, connections int, long time.Duration) (n int64, took time.Duration, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, 0, err
	}
	request, want := "GET "+u.RequestURI()+" HTTP/1.1\r\nHost: "+u.Host+"\r\n", http.StatusOK
	if etag != "" {
		request, want = request+"If-None-Match: "+etag+"\r\n", http.StatusNotModified
	}
	request += "\r\n"
	var right, wrong atomic.Int64
	conns := make([]*Conn, connections)
	took = Pace{Duration: long, Workers: connections}.Run(ctx, func(w int) func(int64, time.Time) {
		conn, scratch := NewConn(u, 10*time.Second), make([]byte, 64<<10)
		conns[w] = conn
		return func(int64, time.Time) {
			if a, err := conn.Do(ctx, []byte(request), scratch); err == nil && a.Status == want {
				right.Add(1)
			} else {
				wrong.Add(1)
			}
		}
	})
	for _, c := range conns {
		c.Close()
	}
	if wrong.Load() > 0 {
		return right.Load(), took, fmt.Errorf("%d of %d answers from %s were not %d", wrong.Load(), wrong.Load()+right.Load(), address, want)
	}
	return right.Load(), took, nil
}
