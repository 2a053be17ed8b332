package live

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// Stamp is when an answer was made, and the forms rendered from it: what serving
// it needs, whatever it is about.
type Stamp struct {
	// Seq grows with every change; AsOf is when this one came.
	Seq  int64
	AsOf audience.Millis

	// ModifiedEarly and ModifiedLate are Last-Modified while the second of AsOf
	// may still see another change, and behind it.
	ModifiedEarly, ModifiedLate []string

	forms *atomic.Pointer[map[Form]*Rendered]
}

// NewStamp marks an answer.
func NewStamp(seq int64, asOf audience.Millis) Stamp {
	second := time.Unix(int64(asOf)/1000, 0).UTC()
	return Stamp{
		Seq: seq, AsOf: asOf, forms: &atomic.Pointer[map[Form]*Rendered]{},
		ModifiedEarly: []string{second.Format(http.TimeFormat)},
		ModifiedLate:  []string{second.Add(time.Second).Format(http.TimeFormat)},
	}
}

// Form names one rendering of an answer.
type Form struct {
	// For is the destination, whose settings shape it; nil: everybody's.
	For   *control.Destination
	Name  string
	Query string
}

// Rendered is an answer's bytes in one form, ready to send.
type Rendered struct {
	Body        []byte
	ContentType string
	// ETag is strong; of the plain body and of the gzipped one.
	ETag, GzipETag string
	Gzip           []byte
	// Plain and Zipped are the header values that go with them, made once.
	Plain, Zipped Headers
}

// Headers are values that need no allocation to send.
type Headers struct {
	ContentType, ContentLength, ETag, Encoding []string
}

// Rendered is the form, rendered once. At most limit forms are kept; further
// ones are rendered each time.
func (s *Stamp) Rendered(f Form, limit int, render func() *Rendered) *Rendered {
	if r := s.Find(f); r != nil {
		return r
	}
	r := render()
	for {
		old := s.forms.Load()
		grown := make(map[Form]*Rendered, 8)
		if old != nil {
			if kept := (*old)[f]; kept != nil {
				return kept
			}
			if len(*old) >= limit {
				return r
			}
			for k, v := range *old {
				grown[k] = v
			}
		}
		grown[f] = r
		if s.forms.CompareAndSwap(old, &grown) {
			return r
		}
	}
}

// Find is the form if it was rendered before.
func (s *Stamp) Find(f Form) *Rendered {
	if forms := s.forms.Load(); forms != nil {
		return (*forms)[f]
	}
	return nil
}
