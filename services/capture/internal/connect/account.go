package connect

import (
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
)

const (
	// rateOver is how much of the past a rate is taken from, in slots.
	rateOver  = time.Minute
	rateSlots = 12
	// maxDetail bounds what is told of a failure, in bytes.
	maxDetail = 300
)

// Account is what is known of a running source. It is safe for concurrent use.
type Account struct {
	now func() time.Time
	// hide turns secrets into stars: platforms and libraries repeat addresses with
	// tokens in their errors.
	hide *strings.Replacer

	mu     sync.Mutex
	begun  time.Time
	status audience.SourceStatus
	slots  [rateSlots]int64 // posts by slot of time
	slot   int64            // the newest slot
}

// NewAccount begins an account; secrets are never told.
func NewAccount(now func() time.Time, secrets []string) *Account {
	a := &Account{now: now, hide: hider(secrets), begun: now()}
	a.set(audience.SourceStarting, "", 0)
	return a
}

// Status is how the source fares.
func (a *Account) Status() audience.SourceStatus {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.roll(now)
	s := a.status
	var posts int64
	for _, n := range a.slots {
		posts += n
	}
	over := min(max(now.Sub(a.begun), rateOver/rateSlots), rateOver)
	s.PerMinute = float64(posts) * float64(time.Minute) / float64(over)
	if s.LastPostAt != 0 {
		s.LagMillis = max(0, int64(audience.MillisOf(now)-s.LastPostAt))
	}
	return s
}

// Unsampled counts posts that the budget had no room for.
func (a *Account) Unsampled(posts int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Unsampled += int64(posts)
}

// Hold says that the source waits for its own budget, until what it returns is
// called: then it is what it was before.
func (a *Account) Hold(detail string, d time.Duration) (resume func()) {
	before := a.state()
	a.set(audience.SourceWaiting, detail, d)
	return func() { a.set(before, "", 0) }
}

// Refuse says that the source's settings are not right, and gives what may be
// told of it.
func (a *Account) Refuse(err error) string { return a.fail(audience.SourceFailed, err, 0) }

// Took counts what a source brought that nobody supervises, for it calls us.
func (a *Account) Took(b Batch) {
	a.streaming()
	a.count(b)
}

func (a *Account) starting() {
	a.mu.Lock()
	failed := a.status.State == audience.SourceFailed || a.status.State == audience.SourceWaiting
	a.mu.Unlock()
	if !failed { // what failed stays so until the platform answers
		a.set(audience.SourceStarting, "", 0)
	}
}

func (a *Account) streaming() { a.set(audience.SourceStreaming, "", 0) }

func (a *Account) done() { a.set(audience.SourceDone, "", 0) }

// fail sets the state after a failure and gives what may be told of it.
func (a *Account) fail(state audience.SourceState, err error, pause time.Duration) string {
	detail := a.tell(err.Error())
	a.set(state, detail, pause)
	return detail
}

// tell is a text without secrets and of bounded length.
func (a *Account) tell(text string) string {
	text = strings.ToValidUTF8(a.hide.Replace(text), "\uFFFD")
	if len(text) <= maxDetail {
		return text
	}
	end := maxDetail
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

func (a *Account) set(state audience.SourceState, detail string, pause time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if a.status.State != state {
		a.status.Since = audience.MillisOf(now)
	}
	a.status.State, a.status.Detail, a.status.Until = state, detail, 0
	if pause > 0 {
		a.status.Until = audience.MillisOf(now.Add(pause))
	}
}

func (a *Account) count(b Batch) {
	if len(b.Posts) > 0 && a.state() != audience.SourceStreaming {
		a.streaming()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.roll(a.now())
	a.slots[a.slot%rateSlots] += int64(len(b.Posts))
	a.status.Posts += int64(len(b.Posts))
	a.status.Malformed += int64(b.Malformed)
	a.status.Lost += b.Lost
	for i := range b.Posts {
		a.status.LastPostAt = b.Posts[i].CreatedAt
	}
}

func (a *Account) state() audience.SourceState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status.State
}

// roll empties the slots whose time is over.
func (a *Account) roll(now time.Time) {
	newest := now.UnixNano() / int64(rateOver/rateSlots)
	if newest-a.slot >= rateSlots {
		a.slots = [rateSlots]int64{}
	} else {
		for a.slot < newest {
			a.slot++
			a.slots[a.slot%rateSlots] = 0
		}
	}
	a.slot = max(a.slot, newest)
}

// hider masks secrets as they are written, and as they stand in a URL.
func hider(secrets []string) *strings.Replacer {
	var pairs []string
	for _, s := range secrets {
		if len(s) < 4 {
			continue // it would hide half of every sentence
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			pairs = append(pairs, form, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}
