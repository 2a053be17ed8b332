package capture

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
	"github.com/clamor-live/clamor/services/capture/internal/form"
)

// desk is the memory of one request, used again by the next.
type desk struct {
	body    []byte
	form    form.Form
	choices []audience.Choice
	reply   []byte
}

// maxKept keeps one large body from staying in memory for ever.
const maxKept = 16 << 10

func (s *Service) takeDesk() *desk { return s.desks.Get().(*desk) }

func (s *Service) leaveDesk(d *desk) {
	if cap(d.body) > maxKept {
		d.body = nil
	}
	s.desks.Put(d)
}

// readBody appends the request's body to buf.
func readBody(w http.ResponseWriter, r *http.Request, limit int, buf []byte) ([]byte, error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return buf, fault.New(fault.UnsupportedMediaType, "send the body without Content-Encoding")
	}
	if r.ContentLength > int64(limit) {
		return buf, tooLarge(w, limit)
	}
	if want := int(r.ContentLength) + 1; cap(buf) < want { // one more lets the end be seen without growing
		buf = make([]byte, 0, max(want, 1024))
	}
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > limit:
			return buf, tooLarge(w, limit)
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, fault.New(fault.BadJSON, "the body ended before it was complete").Because(err)
		}
	}
}

// tooLarge also closes the connection, for the rest of the body is not read.
func tooLarge(w http.ResponseWriter, limit int) error {
	w.Header().Set("Connection", "close")
	return jsonbody.TooLarge(int64(limit))
}
