package answer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

var now = time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		status        int
		header, value string
		until         time.Duration // of a Wait
		slow, refused bool
	}{
		{status: 429, header: "Retry-After", value: "90", until: 90 * time.Second},
		{status: 429, header: "Retry-After", value: "Fri, 01 May 2026 20:05:00 GMT", until: 5 * time.Minute},
		{status: 429, header: "X-RateLimit-Reset", value: "2026-05-01T20:10:00.000Z", until: 10 * time.Minute},
		{status: 429, header: "X-RateLimit-Reset", value: "1777665660", until: time.Minute},
		{status: 420, slow: true},
		{status: 429, slow: true},
		{status: 429, header: "Retry-After", value: "soon", slow: true},
		{status: 429, header: "Retry-After", value: "-5", slow: true},
		{status: 429, header: "Retry-After", value: "99999999", slow: true},
		{status: 429, header: "X-RateLimit-Reset", value: "1000", slow: true},
		{status: 503, header: "Retry-After", value: "10", until: 10 * time.Second},
		{status: 503, header: "X-Rate-Limit-Reset", value: "1777666500"}, // X and Mastodon tell with every answer when the window ends
		{status: 503}, {status: 500}, {status: 502}, {status: 304}, {status: 400},
		{status: 401, refused: true}, {status: 403, refused: true}, {status: 404, refused: true},
	} {
		resp := &http.Response{StatusCode: c.status, Header: http.Header{}}
		resp.Header.Set(c.header, c.value)
		err := Judge(resp, now)
		var wait *connect.Wait
		var slow *connect.Slow
		var refused *connect.Refused
		switch {
		case err == nil:
			t.Errorf("%+v is fine", c)
		case errors.As(err, &wait) != (c.until > 0) || errors.As(err, &slow) != c.slow || errors.As(err, &refused) != c.refused:
			t.Errorf("%+v is %T", c, err)
		case wait != nil && !wait.Until.Equal(now.Add(c.until)):
			t.Errorf("%+v waits until %v", c, wait.Until)
		}
	}
	if err := Judge(&http.Response{StatusCode: http.StatusOK}, now); err != nil {
		t.Error(err)
	}
}

// TestLimitsThatAreNotUsedUp: what is refused though its limit has room is
// refused for another reason, whose end nobody named.
func TestLimitsThatAreNotUsedUp(t *testing.T) {
	for name, c := range map[string]struct {
		header map[string]string
		until  time.Duration // of a Wait; 0: a Slow
	}{
		"X, used up":          {map[string]string{"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1777666500"}, 15 * time.Minute},
		"X, with room":        {map[string]string{"x-rate-limit-remaining": "12", "x-rate-limit-reset": "1777666500"}, 0},
		"X, of the day":       {map[string]string{"x-rate-limit-remaining": "12", "x-rate-limit-reset": "1777666500", "x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": "1777687200"}, 6 * time.Hour},
		"X, both":             {map[string]string{"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1777666500", "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": "1777687200"}, 6 * time.Hour},
		"X, the day has room": {map[string]string{"x-rate-limit-remaining": "0", "x-rate-limit-reset": "1777666500", "x-app-limit-24hour-remaining": "9", "x-app-limit-24hour-reset": "1777687200"}, 15 * time.Minute},
		"Mastodon, with room": {map[string]string{"X-RateLimit-Remaining": "299", "X-RateLimit-Reset": "2026-05-01T20:05:00.000000Z"}, 0},
		"Mastodon, used up":   {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-05-01T20:05:00.000000Z"}, 5 * time.Minute},
		"Retry-After first":   {map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2026-05-01T20:05:00.000000Z"}, 7 * time.Second},
	} {
		resp := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}
		for k, v := range c.header {
			resp.Header.Set(k, v)
		}
		err := Judge(resp, now)
		var wait *connect.Wait
		var slow *connect.Slow
		switch {
		case c.until == 0 && !errors.As(err, &slow):
			t.Errorf("%s is %T", name, err)
		case c.until > 0 && (!errors.As(err, &wait) || !wait.Until.Equal(now.Add(c.until))):
			t.Errorf("%s is %T %+v", name, err, wait)
		}
	}
}

func TestFailure(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 0, connect.ErrStalled)
	defer cancel()
	if err := Failure(ctx, ctx.Err()); !errors.Is(err, connect.ErrStalled) {
		t.Error(err)
	}
	if err := Failure(t.Context(), io.EOF); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestBody(t *testing.T) {
	resp := func() *http.Response { return &http.Response{Body: io.NopCloser(strings.NewReader("12345"))} }
	if got, err := Body(resp(), 5); err != nil || string(got) != "12345" {
		t.Error(got, err)
	}
	if _, err := Body(resp(), 4); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}
