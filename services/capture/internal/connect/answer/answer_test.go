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
