package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/services/api/internal/live"
)

const (
	// minGzip is the body below which gzip gains nothing, in bytes.
	minGzip = 256
	// settled is how many seconds a change must be back before its second can
	// see no other.
	settled = 2
)

// Header values that are the same in every answer, made once. They are shared
// between requests and never changed.
var (
	noCache   = []string{"no-cache"}
	anyOrigin = []string{"*"}
	varyGzip  = []string{"Accept-Encoding"}
	gzipOnly  = []string{"gzip"}
)

// form is an answer's bytes in one form, rendered once for all who ask.
func (s *Service) form(a *live.Stamp, f live.Form, render func() ([]byte, string)) *live.Rendered {
	return a.Rendered(f, s.cfg.Rendered, func() *live.Rendered {
		body, contentType := render()
		return dressed(body, contentType)
	})
}

// dressed puts tags and lengths to a body. Its gzipped form has a tag of its
// own, for it is other bytes.
func dressed(body []byte, contentType string) *live.Rendered {
	tag := bodyTag(body)
	r := &live.Rendered{Body: body, ContentType: contentType, ETag: `"` + tag + `"`, GzipETag: `"` + tag + `-gz"`}
	r.Plain = headers(contentType, len(body), r.ETag)
	if len(body) >= minGzip {
		r.Gzip = zipped(body)
		r.Zipped = headers(contentType, len(r.Gzip), r.GzipETag)
		r.Zipped.Encoding = gzipOnly
	}
	return r
}

func headers(contentType string, length int, tag string) live.Headers {
	return live.Headers{
		ContentType: []string{contentType}, ContentLength: []string{strconv.Itoa(length)}, ETag: []string{tag},
	}
}

// bodyTag is 96 bits of the body's hash: nobody can make two bodies share it.
func bodyTag(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is a valid one
	_, _ = w.Write(body)                            // into memory
	_ = w.Close()
	return b.Bytes()
}

// send answers with a rendered form, or 304 when the client has it.
func (s *Service) send(c *gin.Context, r *live.Rendered, a *live.Stamp) {
	req, h := c.Request, c.Writer.Header()
	form, body := &r.Plain, r.Body
	h["Vary"] = varyGzip // of short bodies too: the next one may be long
	if r.Gzip != nil {
		if accept := req.Header["Accept-Encoding"]; len(accept) > 0 && takesGzip(accept) {
			form, body = &r.Zipped, r.Gzip
		}
	}
	h["Etag"] = form.ETag
	h["Cache-Control"] = noCache
	h["Access-Control-Allow-Origin"] = anyOrigin
	now := s.deps.Now().Unix()
	h["Last-Modified"] = lastModified(a, now)
	if unchanged(req, form.ETag[0], a, now) {
		c.Writer.WriteHeader(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	h["Content-Type"] = form.ContentType
	h["Content-Length"] = form.ContentLength
	if form.Encoding != nil {
		h["Content-Encoding"] = form.Encoding
	}
	c.Writer.WriteHeader(http.StatusOK)
	if req.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	_, _ = c.Writer.Write(body) // the client is gone; nobody is left to tell
}

// lastModified is the second behind the change once that second is surely over,
// and the second of the change before. So whoever repeats it as
// If-Modified-Since while another change may still come is told of it.
func lastModified(a *live.Stamp, now int64) []string {
	if now-int64(a.AsOf)/1000 < settled {
		return a.ModifiedEarly
	}
	return a.ModifiedLate
}

// unchanged judges the request's preconditions; If-None-Match goes before
// If-Modified-Since.
func unchanged(req *http.Request, tag string, a *live.Stamp, now int64) bool {
	if match := req.Header["If-None-Match"]; len(match) > 0 {
		return matches(match, tag)
	}
	since := req.Header["If-Modified-Since"]
	if len(since) == 0 {
		return false
	}
	t, err := http.ParseTime(since[0])
	second := int64(a.AsOf) / 1000
	return err == nil && t.Unix() > second && t.Unix() <= now
}

// matches compares weakly, as If-None-Match does.
func matches(header []string, tag string) bool {
	if len(header) == 1 && header[0] == tag {
		return true
	}
	for _, line := range header {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}

// takesGzip says whether gzip was asked for and not refused (q=0).
func takesGzip(accept []string) bool {
	for _, line := range accept {
		for one := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(strings.TrimSpace(one), ";")
			if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
				continue
			}
			q := strings.TrimSpace(params)
			return !(strings.HasPrefix(q, "q=0") && strings.Trim(q[2:], "0.") == "")
		}
	}
	return false
}

// tagged answers with bytes that stand for themselves, and 304 to who has them.
func tagged(c *gin.Context, contentType string, body []byte) {
	tag := `"` + bodyTag(body) + `"`
	c.Header("ETag", tag)
	if match := c.Request.Header["If-None-Match"]; len(match) > 0 && matches(match, tag) {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	c.Header("Content-Type", contentType)
	c.Header("Content-Length", strconv.Itoa(len(body)))
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return
	}
	_, _ = c.Writer.Write(body) // the client is gone; nobody is left to tell
}
