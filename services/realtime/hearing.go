package realtime

import (
	"sync"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/topic"
)

// hearing decodes and understands records, many at a time: that depends on
// nothing but the record, so it is shared out, and only the fold, which needs
// their order, is one goroutine's.
type hearing struct {
	ears []*ear
}

// ear is what one goroutine hears with.
type ear struct {
	decoder  eventlog.Decoder
	listener *topic.Listener
	records  []record
}

// row is how many entries an ear hears before it hands them over: enough to make
// that cheap, few enough to stay in the processor's cache.
const row = 16

// record is one entry as an ear found it. It lasts until the ear hears on.
type record struct {
	eventlog.Body

	err error
	u   *topic.Understood // of a post, and of the post of a moderation
}

func newHearing(ears int) *hearing {
	h := &hearing{}
	if ears > 1 {
		ears *= 2 // one row is heard while another is folded
	}
	for range ears {
		h.ears = append(h.ears, &ear{})
	}
	return h
}

// use makes a catalog the one that is heard by.
func (h *hearing) use(c *topic.Catalog) {
	for _, e := range h.ears {
		if e.listener == nil {
			e.listener = topic.NewListener(c)
			e.listener.Keep(row)
			continue
		}
		e.listener.Use(c)
	}
}

// each calls fold with each entry, in order, until fold wants no more, and gives
// how many it was called with.
func (h *hearing) each(entries []eventlog.Entry, fold func(e *eventlog.Entry, r *record) (more bool)) int {
	if len(h.ears) == 1 || len(entries) <= row {
		for i := range entries {
			if r := h.ears[0].hear(entries[i : i+1]); !fold(&entries[i], &r[0]) {
				return i + 1
			}
		}
		return len(entries)
	}
	return h.share(entries, fold)
}

// share gives the ears the rows of entries in turn; while one is folded the
// others hear those behind it.
func (h *hearing) share(entries []eventlog.Entry, fold func(e *eventlog.Entry, r *record) (more bool)) int {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	heard, next := make([]chan []record, len(h.ears)), make([]chan struct{}, len(h.ears))
	for n, e := range h.ears {
		heard[n], next[n] = make(chan []record, 1), make(chan struct{}, 1)
		wg.Go(func() {
			for i := n * row; i < len(entries); i += len(h.ears) * row {
				heard[n] <- e.hear(entries[i:min(i+row, len(entries))])
				select {
				case <-next[n]:
				case <-stop:
					return
				}
			}
		})
	}
	for i := 0; i < len(entries); i += row {
		n := i / row % len(h.ears)
		for k, r := range <-heard[n] {
			if !fold(&entries[i+k], &r) {
				return i + k + 1
			}
		}
		next[n] <- struct{}{}
	}
	return len(entries)
}

func (e *ear) hear(entries []eventlog.Entry) []record {
	e.records = e.records[:0]
	for i := range entries {
		body, err := e.decoder.Decode(entries[i].Raw)
		r := record{Body: body, err: err}
		switch {
		case err != nil:
		case body.Post != nil:
			r.u = e.listener.Hear(body.Post)
		case body.Moderation.GetPost() != nil:
			r.u = e.listener.Hear(body.Moderation.GetPost())
		}
		e.records = append(e.records, r)
	}
	return e.records
}
