package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/internal/web"
)

const jsonType = "application/json; charset=utf-8"

// handle makes a handler of a function that either answered or says why not.
func handle(f func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := f(c); err != nil {
			web.Fail(c, err)
		}
	}
}

// reply answers with JSON. Producers' answers are not for caches.
func reply(c *gin.Context, status int, v any) error {
	body, err := marshal(v)
	if err != nil {
		return err
	}
	if c.Writer.Header().Get("Cache-Control") == "" {
		c.Header("Cache-Control", "no-store")
	}
	web.Bytes(c, status, jsonType, body)
	return nil
}

// marshal writes JSON as people wrote it, without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write an answer: %w", err)
	}
	return b.Bytes(), nil
}

// replyRevised answers with a thing and its revision as ETag. What was made just
// now may hold a secret, which no cache is to keep.
func replyRevised(c *gin.Context, status int, revision uint64, v any) error {
	c.Header("ETag", revisionTag(revision))
	if status != http.StatusCreated {
		c.Header("Cache-Control", "no-cache")
	}
	return reply(c, status, v)
}

func revisionTag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// ifMatch judges the precondition of a PUT: 428 without one, 412 if it names
// another revision than the current one. It returns the revision to build on.
func ifMatch(c *gin.Context, current uint64) (uint64, error) {
	header := strings.TrimSpace(strings.Join(c.Request.Header.Values("If-Match"), ","))
	if header == "" {
		return 0, fault.New(fault.PreconditionRequired, "send If-Match with the ETag that the change is based on")
	}
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" || tag == revisionTag(current) || tag == strconv.FormatUint(current, 10) {
			return current, nil
		}
	}
	return 0, stale(current)
}

func stale(current uint64) error {
	return fault.New(fault.PreconditionFailed, "the current revision is %d: read it again and repeat the change", current).
		With("revision", current)
}

// submit writes an event and waits for what becomes of it.
func (s *Service) submit(c *gin.Context, kind, subject string, base uint64, payload any) (control.Verdict, error) {
	e := control.Event{Actor: actor(c), Kind: kind, Subject: subject, Base: base}
	if payload != nil {
		body, err := json.Marshal(payload)
		if err != nil {
			return control.Verdict{}, fmt.Errorf("write %s: %w", kind, err)
		}
		e.Payload = body
	}
	v, err := s.deps.Control.Submit(c.Request.Context(), e)
	switch {
	case err != nil:
		return v, unavailable(err)
	case v.Err != nil:
		return v, v.Err
	}
	return v, nil
}

// unavailable makes a problem of what the log or a store says.
func unavailable(err error) error {
	if _, ok := fault.As(err); ok {
		return err
	}
	switch {
	case errors.Is(err, eventlog.ErrOverloaded):
		return fault.New(fault.Overloaded, "try again in a moment").Because(err).After(time.Second)
	case errors.Is(err, eventlog.ErrTooLarge):
		return fault.New(fault.BodyTooLarge, "the definition is larger than a record of the log")
	case errors.Is(err, eventlog.ErrUnavailable), errors.Is(err, eventlog.ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.LogUnavailable, "the log did not answer in time; whether the change was made is not known: look before repeating it").
			Because(err).After(time.Second)
	}
	return err
}

// amendment reads a PUT: its precondition, and the body that is to replace the
// thing at a revision. The body may leave its id out and may not change it;
// afterwards it is filled in. It returns the revision to build on.
func amendment(c *gin.Context, revision uint64, id string, form any, named *string) (uint64, error) {
	base, err := ifMatch(c, revision)
	if err != nil {
		return 0, err
	}
	if err := body(c, form); err != nil {
		return 0, err
	}
	if *named != "" && *named != id {
		return 0, fault.Invalid(fault.Field{Pointer: "/id", Detail: "cannot change: the path says " + id})
	}
	*named = id
	return base, nil
}

// replaced turns the conflict of a PUT that lost a race into 412.
func replaced(err error) error {
	if e, ok := fault.As(err); ok && e.Code == fault.RevisionConflict {
		p := fault.New(fault.PreconditionFailed, "%s", e.Detail)
		p.Extra = e.Extra
		return p
	}
	return err
}

// Bounds of a page.
const (
	defaultPage = 100
	maxPage     = 500
)

// paging is which page of a list is wanted.
func paging(c *gin.Context) (limit int, after string, err error) {
	limit = defaultPage
	if text := c.Query("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return 0, "", fault.New(fault.InvalidRequest, "limit is a whole number from 1 to %d", maxPage)
		}
	}
	return limit, c.Query("after"), nil
}

// list answers with a page of things that are in order of key.
func list[T any](c *gin.Context, all []T, key func(T) string, show func(T) any) error {
	limit, after, err := paging(c)
	if err != nil {
		return err
	}
	start := 0
	if after != "" {
		at, found := slices.BinarySearchFunc(all, after, func(v T, after string) int { return strings.Compare(key(v), after) })
		if start = at; found {
			start++
		}
	}
	page := struct {
		Items []any  `json:"items"`
		Next  string `json:"next,omitempty"`
	}{Items: []any{}}
	for i := start; i < len(all) && len(page.Items) < limit; i++ {
		page.Items = append(page.Items, show(all[i]))
	}
	if end := start + len(page.Items); end < len(all) && len(page.Items) > 0 {
		page.Next = key(all[end-1])
	}
	return reply(c, http.StatusOK, page)
}

// only keeps what the predicate takes.
func only[T any](all []T, take func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool { return !take(v) })
}

// body decodes a producer's request.
func body(c *gin.Context, into any) error { return web.Body(c, web.MaxBody, into) }
