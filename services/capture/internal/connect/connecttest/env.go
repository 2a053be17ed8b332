package connecttest

import (
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

// Word is in every text that a platform is told to say, and the term of Env's
// topic.
const Word = "clamor"

// Source is Env's source, and Other another that there is.
const (
	Source = "ear"
	Other  = "other"
)

// Env is an environment with one topic, whose rule is Word.
func Env(t testing.TB) connect.Env { return NewWants(Topic("all", Word)).Env(t) }

// Topic is a topic of a rule.
func Topic(id, rule string) audience.Topic {
	return audience.Topic{ID: id, Show: "show", Title: id, Rule: rule}
}

// Wants is what a source listens for, changed by hand.
type Wants struct {
	mu      sync.Mutex
	topics  []audience.Topic
	changed chan struct{}
}

// NewWants begins with some topics.
func NewWants(topics ...audience.Topic) *Wants {
	return &Wants{topics: topics, changed: make(chan struct{})}
}

// Set changes what the source listens for.
func (w *Wants) Set(topics ...audience.Topic) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.topics = topics
	close(w.changed)
	w.changed = make(chan struct{})
}

// Env is an environment of a real clock and a client of its own.
func (w *Wants) Env(t testing.TB) connect.Env {
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	return connect.Env{
		Now: time.Now, Source: Source, Known: func(source string) bool { return source == Source || source == Other }, HTTP: client, Logger: slog.New(slog.DiscardHandler), ReplayDir: t.TempDir(),
		Topics: func() []audience.Topic {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.topics
		},
		Track: func() []string {
			w.mu.Lock()
			defer w.mu.Unlock()
			return connect.Terms(w.topics)
		},
		Changed: func() <-chan struct{} {
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.changed
		},
	}
}
