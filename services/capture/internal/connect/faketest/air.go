// Package faketest is what fakes of platforms have in common: what is on air, to
// whom, and the ways in which a platform fails.
package faketest

import (
	"context"
	"sync"
)

// Air is what a platform published, and how its connections fare.
type Air struct {
	mu       sync.Mutex
	news     chan struct{}
	messages []string
	// Connections are numbered; those up to these numbers are broken or silent.
	opened, broken, silent int
}

func (a *Air) tell(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
	if a.news != nil {
		close(a.news)
	}
	a.news = make(chan struct{})
}

// Publish sends messages to every connection.
func (a *Air) Publish(messages ...string) {
	a.tell(func() { a.messages = append(a.messages, messages...) })
}

// Messages are all that were published.
func (a *Air) Messages() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.messages[:len(a.messages):len(a.messages)]
}

// Disconnect breaks all connections that are open.
func (a *Air) Disconnect() { a.tell(func() { a.broken = a.opened }) }

// Stall silences all connections that are open.
func (a *Air) Stall() { a.tell(func() { a.silent = a.opened }) }

// Connection is one listener's.
type Connection struct {
	air    *Air
	number int
	at     int
}

// Connect opens a connection that hears the messages from a number on; negative
// is from now on.
func (a *Air) Connect(from int) *Connection {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.opened++
	if from < 0 {
		from = len(a.messages)
	}
	return &Connection{air: a, number: a.opened, at: from}
}

// Next waits for the next message. It is broken if the connection has to break
// off in the middle of something, and neither once ctx has ended.
func (c *Connection) Next(ctx context.Context) (message string, ok, broken bool) {
	for {
		c.air.mu.Lock()
		if c.air.news == nil {
			c.air.news = make(chan struct{})
		}
		news := c.air.news
		broken, silent, waiting := c.number <= c.air.broken, c.number <= c.air.silent, c.at < len(c.air.messages)
		if waiting && !broken && !silent {
			message = c.air.messages[c.at]
			c.at++
		}
		c.air.mu.Unlock()
		switch {
		case broken:
			return "", false, true
		case message != "":
			return message, true, false
		}
		select {
		case <-ctx.Done():
			return "", false, false
		case <-news:
		}
	}
}

// Silent says whether the connection may not even answer.
func (c *Connection) Silent() bool {
	c.air.mu.Lock()
	defer c.air.mu.Unlock()
	return c.number <= c.air.silent
}
