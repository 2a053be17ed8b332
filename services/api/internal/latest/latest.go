// Package latest holds the newest of something that is replaced now and then,
// for many readers, some of whom wait for the next.
package latest

import (
	"sync"
	"sync/atomic"
)

// Value is the newest T, nil at first. Its methods may be called from any
// goroutine; Get never waits.
type Value[T any] struct {
	newest  atomic.Pointer[T]
	mu      sync.Mutex
	changed chan struct{}
}

// Get is the newest.
func (v *Value[T]) Get() *T { return v.newest.Load() }

// Watch is the newest and a channel that is closed when there is another.
func (v *Value[T]) Watch() (*T, <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changed == nil {
		v.changed = make(chan struct{})
	}
	return v.newest.Load(), v.changed
}

// Set replaces the newest and tells those who watch.
func (v *Value[T]) Set(t *T) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.newest.Store(t)
	if v.changed != nil {
		close(v.changed)
		v.changed = nil
	}
}
