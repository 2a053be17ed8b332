package commit

import "sync/atomic"

// ticket waits for a number of items. It can be used again once wait returned.
type ticket struct {
	left atomic.Int32
	err  atomic.Pointer[error]
	done chan struct{}
}

func newTicket() ticket { return ticket{done: make(chan struct{}, 1)} }

func (t *ticket) expect(items int) {
	t.err.Store(nil)
	t.left.Store(int32(items))
}

// finish says what became of one item; the first error is kept.
func (t *ticket) finish(err error) {
	if err != nil {
		first := err // a copy, so that a success costs no allocation
		t.err.CompareAndSwap(nil, &first)
	}
	if t.left.Add(-1) == 0 {
		t.done <- struct{}{}
	}
}

func (t *ticket) wait() error {
	<-t.done
	if err := t.err.Load(); err != nil {
		return *err
	}
	return nil
}
