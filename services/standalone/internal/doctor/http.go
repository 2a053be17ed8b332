package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

type examiner struct {
	report *Report
	http   *http.Client
}

// answer is one response, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
}

const maxBody = 8 << 20

func (e *examiner) ask(ctx context.Context, method, url string, header ...string) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	start := time.Now()
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", url, err)
	}
	e.report.Fetches++
	return &answer{resp.StatusCode, resp.Header, body, time.Since(start)}, nil
}

// look examines one address: how it is served, then what it says.
func (e *examiner) look(ctx context.Context, f format) error {
	a, err := e.ask(ctx, http.MethodGet, f.url)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		if a.status/100 == 3 {
			e.report.find(f, "no redirects", "it redirects to %s; engines do not follow", a.header.Get("Location"))
		}
		return fmt.Errorf("%s answers %d", f.url, a.status)
	}
	e.report.Looked = append(e.report.Looked, f.name)
	e.report.kinds = append(e.report.kinds, f.kind)
	e.headers(f, a)
	e.validators(ctx, f, a)
	e.compression(ctx, f, a)
	e.body(f, a.body)
	return nil
}

func (e *examiner) headers(f format, a *answer) {
	find := func(rule, detail string, args ...any) { e.report.find(f, rule, detail, args...) }
	_, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil || !strings.EqualFold(params["charset"], "utf-8") {
		find("charset", "Content-Type is %q; it must name charset=utf-8", a.header.Get("Content-Type"))
	}
	if a.header.Get("Access-Control-Allow-Origin") != "*" {
		find("CORS", "Access-Control-Allow-Origin is %q instead of *", a.header.Get("Access-Control-Allow-Origin"))
	}
	if !strings.Contains(a.header.Get("Cache-Control"), "no-cache") && !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
		find("Cache-Control", "it is %q; without no-cache an embedded browser shows yesterday's figures", a.header.Get("Cache-Control"))
	}
	if len(a.header.Values("Set-Cookie")) > 0 {
		find("no cookies", "it sets a cookie")
	}
	if !utf8.Valid(a.body) {
		find("charset", "the body is not valid UTF-8")
	}
	const slow, large = time.Second, 1 << 20
	if a.took > slow {
		find("speed", "it took %v; engines ask once a second", a.took.Round(time.Millisecond))
	}
	if len(a.body) > large {
		find("size", "it has %d bytes; engines read it once a second", len(a.body))
	}
}

// validators examines ETag, Last-Modified, 304 and HEAD.
func (e *examiner) validators(ctx context.Context, f format, a *answer) {
	find := func(rule, detail string, args ...any) { e.report.find(f, rule, detail, args...) }
	tag := a.header.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		find("strong ETag", "ETag is %q", tag)
	}
	if _, err := http.ParseTime(a.header.Get("Last-Modified")); err != nil {
		find("Last-Modified", "it is %q", a.header.Get("Last-Modified"))
	}
	if tag != "" && !e.notModified(ctx, f, tag) {
		find("304", "If-None-Match with its own ETag is not answered 304 without a body")
	}
	h, err := e.ask(ctx, http.MethodHead, f.url)
	switch {
	case err != nil:
		find("HEAD", "%v", err)
	case h.status != http.StatusOK || len(h.body) > 0:
		find("HEAD", "it answers %d with %d bytes", h.status, len(h.body))
	case h.header.Get("Content-Type") != a.header.Get("Content-Type"):
		find("HEAD", "its Content-Type is %q", h.header.Get("Content-Type"))
	}
}

// notModified tries a few times: a feed that moves changes between two looks.
func (e *examiner) notModified(ctx context.Context, f format, tag string) bool {
	for range 10 {
		a, err := e.ask(ctx, http.MethodGet, f.url, "If-None-Match", tag)
		if err != nil {
			return false
		}
		if a.status == http.StatusNotModified {
			return len(a.body) == 0
		}
		if a.header.Get("ETag") == tag { // the same version, sent again
			return false
		}
		tag = a.header.Get("ETag")
	}
	return true // it changed every time, so nothing is shown
}

func (e *examiner) compression(ctx context.Context, f format, plain *answer) {
	find := func(rule, detail string, args ...any) { e.report.find(f, rule, detail, args...) }
	if enc := plain.header.Get("Content-Encoding"); enc != "" {
		find("gzip only when asked", "it is sent as %s to who did not ask", enc)
		return
	}
	a, err := e.ask(ctx, http.MethodGet, f.url, "Accept-Encoding", "gzip")
	if err != nil || a.header.Get("Content-Encoding") != "gzip" {
		return // offering none is fine
	}
	zip, err := gzip.NewReader(bytes.NewReader(a.body))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(zip, maxBody))
	}
	if err != nil {
		find("gzip", "the compressed body cannot be read: %v", err)
	}
	if !strings.Contains(a.header.Get("Vary"), "Accept-Encoding") {
		find("gzip", "Vary does not name Accept-Encoding")
	}
	if a.header.Get("ETag") == plain.header.Get("ETag") {
		find("gzip", "the compressed body has the ETag of the plain one")
	}
}
