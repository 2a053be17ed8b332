package web

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// quiet is how long nothing more is logged of what could not be answered: while a
// store is away every request says the same.
const quiet = time.Second

// reporter logs the causes of what was answered with 5xx.
type reporter struct {
	log *slog.Logger

	mu     sync.Mutex
	told   time.Time // when it was logged last that something is unavailable
	untold int       // requests since that were answered in the same way
}

func (r *reporter) report(c *gin.Context) {
	if len(c.Errors) == 0 {
		return
	}
	err := c.Errors.Last().Err
	switch c.Writer.Status() {
	case http.StatusInternalServerError:
		r.log.Error("request failed", "route", c.FullPath(), "request_id", RequestID(c), "error", err)
	case http.StatusServiceUnavailable:
		if cause := errors.Unwrap(err); cause != nil {
			r.unavailable(c, cause)
		}
	}
}

// unavailable logs one cause a while, and how many were passed over.
func (r *reporter) unavailable(c *gin.Context, cause error) {
	r.mu.Lock()
	now := time.Now()
	if now.Sub(r.told) < quiet {
		r.untold++
		r.mu.Unlock()
		return
	}
	untold := r.untold
	r.told, r.untold = now, 0
	r.mu.Unlock()
	r.log.Warn("request could not be answered now", "route", c.FullPath(), "request_id", RequestID(c),
		"cause", cause, "others", untold)
}
