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
	heard    chan record
	next     chan struct{}
}

// record is one entry as an ear found it. It lasts until the ear hears on.
type record struct {
	eventlog.Body

	err error
	u   *topic.Understood // of a post, and of the post of a moderation
}

func newHearing(ears int) *hearing {
	h := &hearing{}
	for range ears {
		h.ears = append(h.ears, &ear{heard: make(chan record), next: make(chan struct{})})
	}
	return h
}

// use makes a catalog the one that is heard by.
func (h *hearing) use(c *topic.Catalog) {
	for _, e := range h.ears {
		if e.listener == nil {
			e.listener = topic.NewListener(c)
			continue
		}
		e.listener.Use(c)
	}
}

// alone is how few records are not worth sharing out.
const alone = 8

// each calls fold with each entry, in order, until fold wants no more, and gives
// how many it was called with.
func (h *hearing) each(entries []eventlog.Entry, fold func(e *eventlog.Entry, r record) (more bool)) int {
	if len(h.ears) == 1 || len(entries) <= alone {
		for i := range entries {
			if !fold(&entries[i], h.ears[0].hear(&entries[i])) {
				return i + 1
			}
		}
		return len(entries)
	}
	return h.share(entries, fold)
}

// share gives every ear its turn: the i-th entry is heard by ear i modulo their
// number, while the others hear those behind it.
func (h *hearing) share(entries []eventlog.Entry, fold func(e *eventlog.Entry, r record) (more bool)) int {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for n, e := range h.ears {
		wg.Go(func() {
			for i := n; i < len(entries); i += len(h.ears) {
				if !e.say(e.hear(&entries[i]), stop) {
					return
				}
			}
		})
	}
	for i := range entries {
		e := h.ears[i%len(h.ears)]
		more := fold(&entries[i], <-e.heard)
		if !more {
			return i + 1
		}
		e.next <- struct{}{}
	}
	return len(entries)
}

// say hands a record over and waits until it is folded.
func (e *ear) say(r record, stop <-chan struct{}) bool {
	select {
	case e.heard <- r:
	case <-stop:
		return false
	}
	select {
	case <-e.next:
		return true
	case <-stop:
		return false
	}
}

func (e *ear) hear(entry *eventlog.Entry) record {
	body, err := e.decoder.Decode(entry.Raw)
	r := record{Body: body, err: err}
	switch {
	case err != nil:
	case body.Post != nil:
		r.u = e.listener.Hear(body.Post)
	case body.Moderation.GetPost() != nil:
		r.u = e.listener.Hear(body.Moderation.GetPost())
	}
	return r
}
