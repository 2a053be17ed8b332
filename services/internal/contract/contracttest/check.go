// Package contracttest holds answers and routes to the HTTP contract, in tests
// of every service that serves a part of it.
package contracttest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/clamor-live/clamor/services/internal/contract"
)

// Checker is the contract, loaded and itself found valid.
type Checker struct {
	document *openapi3.T
}

// New loads the contract.
func New(t testing.TB) *Checker {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(contract.YAML())
	if err != nil {
		t.Fatalf("load the contract: %v", err)
	}
	if err := document.Validate(context.Background()); err != nil {
		t.Fatalf("the contract is not valid OpenAPI: %v", err)
	}
	return &Checker{document: document}
}

// Operations lists method and path of every operation.
func (c *Checker) Operations() [][2]string {
	var out [][2]string
	paths := c.document.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(paths[path].Operations())) {
			out = append(out, [2]string{method, path})
		}
	}
	return out
}

// Transport checks every answer that passes through next.
func (c *Checker) Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return transport{c, t, next}
}

type transport struct {
	checker *Checker
	t       testing.TB
	next    http.RoundTripper
}

// RoundTrip passes the request on and checks its answer. Event streams are
// checked by their head only.
func (tr transport) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := tr.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	var body []byte
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(body))
		if err != nil {
			return res, err
		}
	}
	tr.checker.Check(tr.t, req, res.StatusCode, res.Header, body)
	return res, nil
}

// Check holds one answer to the contract.
func (c *Checker) Check(t testing.TB, req *http.Request, status int, header http.Header, body []byte) {
	t.Helper()
	if header.Get("X-Request-Id") == "" {
		t.Errorf("%s %s: %d without X-Request-Id", req.Method, req.URL.Path, status)
	}
	method := req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path, params := c.find(req.URL.EscapedPath())
	var operation *openapi3.Operation
	if path != "" {
		operation = c.document.Paths.Value(path).GetOperation(method)
	}
	if operation == nil {
		c.outside(t, req, status, header)
		return
	}
	c.inside(t, req, route{c.document, path, method, operation, params}, status, header, body)
}

// outside judges answers on paths and methods that the contract does not have:
// they are problems, whichever.
func (c *Checker) outside(t testing.TB, req *http.Request, status int, header http.Header) {
	t.Helper()
	switch status {
	case http.StatusNotFound:
	case http.StatusMethodNotAllowed:
		if header.Get("Allow") == "" {
			t.Errorf("%s %s: 405 without Allow", req.Method, req.URL.Path)
		}
	case http.StatusNoContent: // a preflight
		return
	default:
		t.Errorf("%s %s: the contract has no such operation, and it answered %d", req.Method, req.URL.Path, status)
	}
	if got := header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s %s: %d as %q, not a problem", req.Method, req.URL.Path, status, got)
	}
}

type route struct {
	document  *openapi3.T
	path      string
	method    string
	operation *openapi3.Operation
	params    map[string]string
}

func (c *Checker) inside(t testing.TB, req *http.Request, r route, status int, header http.Header, body []byte) {
	t.Helper()
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	isJSON := mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
	if isJSON && header.Get("Content-Encoding") == "gzip" {
		isJSON = false // other bytes of the same body
	}
	if !isJSON && status != http.StatusNotModified {
		declared(t, req, r.operation, status, mediaType)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req, PathParams: r.params,
			Route: &routers.Route{
				Spec: r.document, Path: r.path, PathItem: r.document.Paths.Value(r.path), Method: r.method, Operation: r.operation,
			},
		},
		Status: status, Header: header,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, MultiError: true, ExcludeResponseBody: !isJSON || req.Method == http.MethodHead,
		},
	}
	input.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		t.Errorf("%s %s: %d breaks the contract: %v\n%s", req.Method, req.URL.Path, status, err, clip(body))
	}
}

// declared says whether a body that is no JSON has a media type of the contract.
func declared(t testing.TB, req *http.Request, operation *openapi3.Operation, status int, mediaType string) {
	t.Helper()
	response := operation.Responses.Status(status)
	if response == nil {
		response = operation.Responses.Default()
	}
	if response == nil || len(response.Value.Content) == 0 && mediaType == "" {
		return
	}
	if response.Value.Content.Get(mediaType) == nil {
		t.Errorf("%s %s: %d as %q, which the contract does not have", req.Method, req.URL.Path, status, mediaType)
	}
}

func clip(body []byte) []byte {
	const most = 2000
	if len(body) > most {
		return append(bytes.Clone(body[:most]), "…"...)
	}
	return body
}

// find is the path of the contract that a request's path is of; literal
// segments go before parameters.
func (c *Checker) find(escaped string) (path string, params map[string]string) {
	segments := strings.Split(escaped, "/")
	best := -1
	for candidate := range c.document.Paths.Map() {
		if p, literal, ok := match(strings.Split(candidate, "/"), segments); ok && literal > best {
			path, params, best = candidate, p, literal
		}
	}
	return path, params
}

func match(pattern, segments []string) (params map[string]string, literal int, ok bool) {
	if len(pattern) != len(segments) {
		return nil, 0, false
	}
	params = map[string]string{}
	for i, p := range pattern {
		switch {
		case strings.HasPrefix(p, "{"):
			params[strings.Trim(p, "{}")] = segments[i]
		case p == segments[i]:
			literal++
		default:
			return nil, 0, false
		}
	}
	return params, literal, true
}
