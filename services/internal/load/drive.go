package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/clamor-live/clamor/pkg/sleep"
)

// Tally is what one worker was told; the workers' tallies are added up at the end.
type Tally struct {
	Acked   []int64 // ballots acknowledged, by option
	Unknown []int64 // ballots whose answer never came, by option
	Refused map[string]int64
	Retries int64
	Acks    []Ack
	Latency *Latencies
}

// Ack is n ballots acknowledged at an instant.
type Ack struct {
	At time.Time
	N  int64
}

func newTally(options int) *Tally {
	return &Tally{Acked: make([]int64, options), Unknown: make([]int64, options), Refused: map[string]int64{}, Latency: NewLatencies()}
}

func (t *Tally) add(o *Tally) {
	for i := range t.Acked {
		t.Acked[i] += o.Acked[i]
		t.Unknown[i] += o.Unknown[i]
	}
	for code, n := range o.Refused {
		t.Refused[code] += n
	}
	t.Retries += o.Retries
	t.Acks = append(t.Acks, o.Acks...)
	t.Latency.Merge(o.Latency)
}

// Sum adds up by-option counts.
func Sum(counts []int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}

// maxAttempts bounds how often one request is sent again; the ids make that harmless.
const maxAttempts = 20

// worker sends requests over one connection.
type worker struct {
	target  *Target
	conn    *Conn
	tally   *Tally
	request []byte
	body    []byte
	scratch [64 << 10]byte
}

func newWorker(t *Target, timeout time.Duration) *worker {
	return &worker{target: t, conn: NewConn(t.URL, timeout), tally: newTally(len(t.Options))}
}

// post renders a request around w.body.
func (w *worker) post(path, credential string) {
	b := append(w.request[:0], "POST "...)
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, w.target.URL.Host...)
	b = append(b, "\r\nContent-Type: application/json\r\nAuthorization: Bearer "...)
	b = append(b, credential...)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(w.body)), 10)
	b = append(b, "\r\n\r\n"...)
	w.request = append(b, w.body...)
}

// send sends the request until it is answered for good; ok is false when it may
// have been recorded without our being told: no answer came, or a 503 did.
func (w *worker) send(ctx context.Context) (a Answer, ok bool) {
	doubtful := false
	for attempt := range maxAttempts {
		var err error
		a, err = w.conn.Do(ctx, w.request, w.scratch[:])
		again := err != nil || a.Status == http.StatusServiceUnavailable
		doubtful = doubtful || again
		if !again && a.Status != http.StatusTooManyRequests {
			return a, true
		}
		if sleep.For(ctx, backoff(attempt, a.RetryAfter)) != nil {
			break
		}
		w.tally.Retries++
	}
	return a, !doubtful
}

func backoff(attempt int, retryAfter string) time.Duration {
	wait := min(25*time.Millisecond<<attempt, time.Second)
	if s, err := strconv.Atoi(retryAfter); err == nil && s > 0 {
		wait = min(time.Duration(s)*time.Second, 2*time.Second)
	}
	return wait
}

// ballot casts the i-th ballot at the voters' door.
func (w *worker) ballot(ctx context.Context, i int64, intended time.Time) {
	option := w.target.Option(i)
	w.body = append(w.body[:0], `{"ballot_id":"`...)
	w.body = append(w.body, w.target.BallotID(i)...)
	w.body = append(w.body, `","choices":["`...)
	w.body = append(w.body, w.target.Options[option]...)
	w.body = append(w.body, `"]}`...)
	w.post("/v1/polls/"+w.target.Poll+"/ballots", w.target.Voters[i%int64(len(w.target.Voters))])
	a, ok := w.send(ctx)
	switch {
	case !ok:
		w.tally.Unknown[option]++
	case a.Status == http.StatusAccepted:
		w.acknowledged(1, intended)
		w.tally.Acked[option]++
	default:
		w.tally.Refused[refusal(a)]++
	}
}

func (w *worker) acknowledged(n int64, intended time.Time) {
	now := time.Now()
	Record(w.tally.Latency, now.Sub(intended))
	w.tally.Acks = append(w.tally.Acks, Ack{now, n})
}

// batch sends the i-th batch of n ballots at the gateway's door.
func (w *worker) batch(ctx context.Context, i int64, n int, intended time.Time) {
	counts := make([]int64, len(w.target.Options))
	w.body = w.body[:0]
	for k := i * int64(n); k < (i+1)*int64(n); k++ {
		option := w.target.Option(k)
		counts[option]++
		w.body = append(w.body, `{"ballot_id":"`...)
		w.body = append(w.body, w.target.BallotID(k)...)
		w.body = append(w.body, `","voter_ref":"v`...)
		w.body = strconv.AppendInt(w.body, k, 10)
		w.body = append(w.body, `","choices":["`...)
		w.body = append(w.body, w.target.Options[option]...)
		w.body = append(w.body, "\"]}\n"...)
	}
	w.post("/v1/polls/"+w.target.Poll+"/ballots:batch", w.target.Gateway)
	w.lines(ctx, counts, intended)
}

// posts sends the i-th post, which votes for an option by its hashtag.
func (w *worker) posts(ctx context.Context, i int64, intended time.Time) {
	option := w.target.Option(i)
	counts := make([]int64, len(w.target.Options))
	counts[option] = 1
	w.body = fmt.Appendf(w.body[:0], `{"id":"%s","author":{"id":"author-%d"},"text":"I am for #%s tonight","created_at":%q}`+"\n",
		w.target.BallotID(i), i, keyword(w.target.Options[option]), intended.UTC().Format(time.RFC3339Nano))
	w.post("/v1/sources/"+w.target.Push.Source+"/posts", w.target.Push.Key)
	w.lines(ctx, counts, intended)
}

// lines sends NDJSON whose answer counts lines.
func (w *worker) lines(ctx context.Context, counts []int64, intended time.Time) {
	a, ok := w.send(ctx)
	var said struct {
		Accepted int64 `json:"accepted"`
		Rejected int64 `json:"rejected"`
		Errors   []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	total := Sum(counts)
	switch {
	case ok && a.Status != http.StatusOK:
		w.tally.Refused[refusal(a)] += total
		return
	case ok && json.Unmarshal(a.Body, &said) == nil && said.Accepted == total:
		w.acknowledged(total, intended)
		for o, n := range counts {
			w.tally.Acked[o] += n
		}
		return
	}
	for _, e := range said.Errors {
		w.tally.Refused["line: "+e.Code]++
	}
	for o, n := range counts { // which lines were taken is not known here
		w.tally.Unknown[o] += n
	}
}

func refusal(a Answer) string {
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(a.Body, &p) // whatever it is, the status says enough
	return strconv.Itoa(a.Status) + " " + p.Code
}
