package faketest

import (
	"sync"
	"time"
)

// Limit is a platform's rate limit.
type Limit struct {
	mu    sync.Mutex
	until time.Time
}

// RateLimit refuses all until a time; the zero time lifts it.
func (l *Limit) RateLimit(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until = until
}

// Until is when the limit ends, if there is one.
func (l *Limit) Until() (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until, !l.until.IsZero()
}

// once is something that happens to one request.
type once struct {
	mu  sync.Mutex
	due bool
}

func (o *once) set() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.due = true
}

func (o *once) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	due := o.due
	o.due = false
	return due
}

// Failure is a platform's own fault.
type Failure struct{ once once }

// Fail lets the next request fail.
func (f *Failure) Fail() { f.once.set() }

// Failing says so, once.
func (f *Failure) Failing() bool { return f.once.take() }

// Calm is a platform that asks others to be slower.
type Calm struct{ once once }

// Slow asks the next request to come back more slowly.
func (c *Calm) Slow() { c.once.set() }

// Slowing says so, once.
func (c *Calm) Slowing() bool { return c.once.take() }

// Credentials may expire.
type Credentials struct {
	mu  sync.Mutex
	end bool
}

// Expire takes them away for good.
func (c *Credentials) Expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = true
}

// Expired says so.
func (c *Credentials) Expired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// Silence is a request that gets no answer.
type Silence struct{ once once }

// Stall keeps the next request waiting for ever.
func (s *Silence) Stall() { s.once.set() }

// Silent says so, once.
func (s *Silence) Silent() bool { return s.once.take() }

// Break is an answer that is broken off.
type Break struct{ once once }

// Disconnect breaks the next answer off in its middle.
func (b *Break) Disconnect() { b.once.set() }

// Broken says so, once.
func (b *Break) Broken() bool { return b.once.take() }
