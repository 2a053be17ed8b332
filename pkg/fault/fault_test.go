package fault_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/fault"
)

func TestEveryCodeHasAStatusAndATitle(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	for _, c := range fault.Codes() {
		if !kebab.MatchString(string(c)) {
			t.Errorf("%q is not kebab-case", c)
		}
		if s := c.Status(); s < 400 || s > 599 {
			t.Errorf("%s: status %d", c, s)
		}
		if c.Title() == "" {
			t.Errorf("%s: no title", c)
		}
	}
}

func TestStatusesOfTheContract(t *testing.T) {
	want := map[fault.Code]int{
		fault.VoterRequired: 401, fault.VoterInvalid: 401, fault.PollNotFound: 404, fault.PollNotOpen: 409,
		fault.InvalidBallot: 422, fault.RateLimited: 429, fault.LogUnavailable: 503, fault.Overloaded: 503,
		fault.BodyTooLarge: 413, fault.BadJSON: 400, fault.InvalidRequest: 422, fault.RoundNotFound: 404,
		fault.Forbidden: 403, fault.PreconditionRequired: 428, fault.PreconditionFailed: 412,
		fault.NeedsReset: 409, fault.RevisionConflict: 409, fault.WrongPhase: 409, fault.NoClosingTime: 422,
		fault.RevealNever: 409, fault.AlreadyExists: 409, fault.TokenRequired: 401, fault.TokenInvalid: 401,
		fault.SourceKeyInvalid: 401, fault.MethodNotAllowed: 405, fault.UnsupportedMediaType: 415,
		"never-heard-of": 500,
	}
	for c, status := range want {
		if got := c.Status(); got != status {
			t.Errorf("%s: status %d, want %d", c, got, status)
		}
	}
}

func write(t *testing.T, err error) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	w.Header().Set("ETag", `"7"`)
	fault.Write(w, "req-1", err)
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("document %q: %v", w.Body, err)
	}
	return w, doc
}

func TestWrite(t *testing.T) {
	cause := errors.New("broker 3 said no")
	e := fault.New(fault.LogUnavailable, "try the same ballot_id again").After(1500*time.Millisecond).
		Because(cause).With("code", "spoofed").With("phase", "open")
	e.Fields = []fault.Field{{Pointer: "/choices/0", Detail: "unknown option"}}
	w, doc := write(t, fmt.Errorf("cast: %w", e))

	want := map[string]any{
		"type": "urn:clamor:problem:log-unavailable", "title": "The log cannot be reached", "status": 503.0,
		"code": "log-unavailable", "detail": "try the same ballot_id again", "phase": "open", "request_id": "req-1",
		"errors": []any{map[string]any{"pointer": "/choices/0", "detail": "unknown option"}},
	}
	if diff := cmp.Diff(want, doc); diff != "" {
		t.Error(diff)
	}
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != fault.ContentType ||
		w.Header().Get("Retry-After") != "2" || w.Header().Get("X-Request-Id") != "req-1" || w.Header().Get("ETag") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestWriteKeepsOurOwnErrorsToOurselves(t *testing.T) {
	for _, err := range []error{
		io.ErrUnexpectedEOF,
		fmt.Errorf("dial 10.0.0.7: %w", errors.New("secret text")),
		fault.New("no-such-code", "secret text"),
	} {
		w, doc := write(t, err)
		if w.Code != 500 || doc["code"] != "internal" || strings.Contains(w.Body.String(), "secret") ||
			strings.Contains(w.Body.String(), "EOF") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
}

func TestWriteSurvivesAnExtraWithoutJSONForm(t *testing.T) {
	_, doc := write(t, fault.New(fault.WrongPhase, "closed").With("f", func() {}))
	if doc["code"] != "wrong-phase" || doc["detail"] != "closed" {
		t.Errorf("%v", doc)
	}
}

func TestUnauthorizedNamesTheScheme(t *testing.T) {
	w, _ := write(t, fault.New(fault.TokenRequired, "send Authorization: Bearer"))
	if w.Header().Get("WWW-Authenticate") == "" {
		t.Error("no WWW-Authenticate")
	}
}

func TestAs(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("open p7: %w", fault.New(fault.WrongPhase, "it is %s: %w", "closed", cause))
	e, ok := fault.As(err)
	if !ok || e.Code != fault.WrongPhase || !errors.Is(err, cause) || !fault.Is(err, fault.WrongPhase) {
		t.Errorf("%v %v", e, ok)
	}
	if _, ok := fault.As(cause); ok || fault.Is(cause, fault.Internal) {
		t.Error("a plain error is no problem of the caller")
	}
	if got := fault.Invalid(fault.Field{Pointer: "/title", Detail: "must not be empty"}).Error(); got != "invalid-request: /title: must not be empty" {
		t.Error(got)
	}
}
