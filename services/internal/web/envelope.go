package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/fault"
)

// envelope gives every answer its request id, counts it and turns a panic into
// a problem.
func envelope(m *Metrics, ids *ids, log *slog.Logger) gin.HandlerFunc {
	failures := &reporter{log: log}
	return func(c *gin.Context) {
		start := time.Now()
		c.Writer.Header()["X-Request-Id"] = []string{ids.of(c.Request)}
		defer func() {
			if cause := recover(); cause != nil {
				onPanic(c, cause, log)
			}
			m.observe(c.FullPath(), c.Request.Method, c.Writer.Status(), time.Since(start))
			failures.report(c)
		}()
		c.Next()
	}
}

func onPanic(c *gin.Context, cause any, log *slog.Logger) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	log.Error("request panicked", "route", c.FullPath(), "request_id", RequestID(c),
		"cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
	if !c.Writer.Written() {
		fault.Write(c.Writer, RequestID(c), fmt.Errorf("panic: %v", cause))
	}
	c.Abort()
}

// ids makes request ids: eight random bytes of this process and a counter.
type ids struct {
	prefix string
	n      atomic.Uint64
}

func newIDs() *ids {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return &ids{prefix: hex.EncodeToString(b[:]) + "-"}
}

// of is the caller's own id if it is harmless in logs, else a new one.
func (g *ids) of(r *http.Request) string {
	if given := r.Header["X-Request-Id"]; len(given) == 1 && harmless(given[0]) {
		return given[0]
	}
	var buf [40]byte
	return string(strconv.AppendUint(append(buf[:0], g.prefix...), g.n.Add(1), 36))
}

func harmless(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
