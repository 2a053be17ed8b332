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
	until, named := Until(resp.Header, now)
	switch resp.StatusCode {
	case enhanceYourCalm, http.StatusTooManyRequests:
		if named {
			return &connect.Wait{Until: until, Err: err}
		}
		return &connect.Slow{Err: err}
	case http.StatusServiceUnavailable:
		if named {
			return &connect.Wait{Until: until, Err: err}
		}
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed,
		http.StatusUnprocessableEntity, http.StatusUnavailableForLegalReasons:
		return &connect.Refused{Err: err}
	}
	return err
}

// Until is when a platform wants to hear from us again: Retry-After in seconds
// or as a date, else X-RateLimit-Reset, or X-Rate-Limit-Reset, as a date or in Unix seconds. A time that
// is over, or a day away, was not named.
func Until(h http.Header, now time.Time) (time.Time, bool) {
	until, ok := after(h.Get("Retry-After"), now)
	for _, name := range []string{"X-RateLimit-Reset", "X-Rate-Limit-Reset"} { // the latter is X's
		if !ok {
			until, ok = reset(h.Get(name))
		}
	}
	return until, ok && until.After(now) && until.Sub(now) <= longest
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
