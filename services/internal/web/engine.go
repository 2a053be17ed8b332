// Package web is what Clamor's HTTP services share: a Gin engine without Gin's
// globals, request ids, problem answers, body limits and per-route metrics.
//
// Its one trick: everything that every request pays for is one middleware with
// no lookups by label, because feeds are read far more often than anything else.
package web

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/clamor-live/clamor/pkg/fault"
)

// MaxBody bounds a request's body in bytes where a door says nothing else.
const MaxBody = 64 << 10

// Config says what an engine may believe of a request.
type Config struct {
	// TrustedProxies are the addresses and networks (CIDR) whose
	// X-Forwarded-For counts. Empty: none, the peer's address is the client's.
	TrustedProxies []string
	// Tracer makes a span of every request; nil: none.
	Tracer trace.Tracer
}

// New is an engine that answers problems in one way and redirects nobody:
// clients from a control room follow no redirects.
func New(cfg Config, m *Metrics, log *slog.Logger) (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // an atomic in Gin; it only silences its debug prints
	e := gin.New()
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.RedirectFixedPath = false
	e.UseRawPath = true // a %2F stays inside its id instead of making another path
	e.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := e.SetTrustedProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("read the trusted proxies: %w", err)
	}
	e.Use(envelope(m, newIDs(), log))
	if cfg.Tracer != nil {
		e.Use(traced(cfg.Tracer))
	}
	e.NoRoute(func(c *gin.Context) { Fail(c, fault.New(fault.NotFound, "no such path")) })
	e.NoMethod(func(c *gin.Context) {
		Fail(c, fault.New(fault.MethodNotAllowed, "%s is not possible here", c.Request.Method))
	})
	return e, nil
}

// Fail answers with a problem and ends the request. Causes of 5xx are logged
// by the envelope.
func Fail(c *gin.Context, err error) {
	c.Abort()
	c.Errors = append(c.Errors, &gin.Error{Err: err, Type: gin.ErrorTypePrivate})
	if c.Writer.Written() {
		return
	}
	fault.Write(c.Writer, RequestID(c), err)
}

// RequestID is the id that the answer carries.
func RequestID(c *gin.Context) string { return c.Writer.Header().Get("X-Request-Id") }

// Get registers a read for GET and HEAD.
func Get(r gin.IRoutes, path string, h ...gin.HandlerFunc) {
	r.GET(path, h...)
	r.HEAD(path, h...)
}

// Bytes writes a whole answer with its length.
func Bytes(c *gin.Context, status int, contentType string, body []byte) {
	h := c.Writer.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", fmt.Sprint(len(body)))
	c.Writer.WriteHeader(status)
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(body) // the client is gone; nobody is left to tell
	}
}
