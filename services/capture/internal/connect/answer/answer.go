// Package answer judges what a platform's HTTP server answered, the same way for
// every connector that has no better words from its platform.
package answer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

const (
	// enhanceYourCalm is what X and its likes say instead of 429.
	enhanceYourCalm = 420
	// longest is how long a platform may send us away; what is longer is a mistake
	// of one of the two clocks.
	longest = 24 * time.Hour
)

// ErrTooLarge is an answer that is larger than anybody needs.
var ErrTooLarge = errors.New("the answer is too large")

// Judge is nil for a success. Otherwise it is a *connect.Wait if the platform
// said until when, a *connect.Slow for other rate limits, a *connect.Refused for
// what only other settings mend, and a passing failure for the rest.
func Judge(resp *http.Response, now time.Time) error {
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	err := fmt.Errorf("the platform answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch resp.StatusCode {
	case enhanceYourCalm, http.StatusTooManyRequests:
		if until, named := Until(resp.Header, now); named {
			return &connect.Wait{Until: until, Err: err}
		}
		return &connect.Slow{Err: err}
	case http.StatusServiceUnavailable: // whatever stands there of limits, which is with every answer
		if until, named := after(resp.Header.Get("Retry-After"), now); named && sensible(until, now) {
			return &connect.Wait{Until: until, Err: err}
		}
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed,
		http.StatusUnprocessableEntity, http.StatusUnavailableForLegalReasons:
		return &connect.Refused{Err: err}
	}
	return err
}

// Until is when a platform that refuses for a limit wants to hear from us again:
// Retry-After in seconds or as a date, else the last end of the limits that are
// used up. A time that is over, or more than a day away, was not named.
func Until(h http.Header, now time.Time) (time.Time, bool) {
	until, ok := after(h.Get("Retry-After"), now)
	if !ok {
		for _, name := range limits() {
			if end, named := reset(h.Get(name + "Reset")); named && usedUp(h.Get(name+"Remaining")) && end.After(until) {
				until, ok = end, true
			}
		}
	}
	return until, ok && sensible(until, now)
}

// limits are what the headers of a limit begin with: Mastodon's, whose end is a
// date, and X's, in Unix seconds, for a window and for a day.
func limits() []string {
	return []string{"X-RateLimit-", "X-Rate-Limit-", "X-App-Limit-24hour-", "X-User-Limit-24hour-"}
}

// usedUp says whether nothing is known to remain of a limit. What is refused
// though its limit has room is refused for something else.
func usedUp(remaining string) bool {
	n, err := strconv.ParseInt(remaining, 10, 64)
	return err != nil || n <= 0
}

func sensible(until, now time.Time) bool {
	return until.After(now) && until.Sub(now) <= longest
}

func after(text string, now time.Time) (time.Time, bool) {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return now.Add(time.Duration(seconds) * time.Second), true
	}
	at, err := http.ParseTime(text)
	return at, err == nil
}

func reset(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// Failure is why a call failed: what its context was given as the cause, for one
// that took too long, or err.
func Failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, connect.ErrStalled) {
		return cause
	}
	return err
}

// Body reads all of an answer, at most so many bytes.
func Body(resp *http.Response, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err == nil && int64(len(data)) > most {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return data, nil
}
