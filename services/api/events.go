package api

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// events sends a stream as server-sent events.
func (s *Service) events(c *gin.Context, src source) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	h := c.Writer.Header()
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	h["Cache-Control"] = noCache
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.Writer.WriteHeader(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		c.Writer.WriteHeaderNow()
		return nil
	}
	t := &talk{out: &eventWriter{c.Writer, http.NewResponseController(c.Writer)}, now: s.deps.Now}
	t.seen, _ = strconv.ParseInt(c.GetHeader("Last-Event-ID"), 10, 64)
	s.follow(c.Request.Context(), t, src)
	return nil
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (e *eventWriter) event(name string, id int64, data []byte) bool {
	return e.write(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", id, name, data))
}

func (e *eventWriter) ping(data []byte) bool {
	return e.write(fmt.Appendf(nil, "event: ping\ndata: %s\n\n", data))
}

func (e *eventWriter) write(frame []byte) bool {
	_ = e.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // a writer without deadlines still writes
	if _, err := e.w.Write(frame); err != nil {
		return false
	}
	return e.rc.Flush() == nil
}
