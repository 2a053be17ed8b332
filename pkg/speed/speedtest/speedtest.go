// Package speedtest is the conformance suite of the speed view: what every
// Redis has to do for it, single, behind Sentinel or as a cluster.
package speedtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/speed"
)

// servers are the variables that name real servers, and the form of address
// they are read as when they give bare host:port lists.
var servers = []struct{ name, env, scheme string }{
	{"redis", "CLAMOR_TEST_REDIS", "redis://"},
	{"cluster", "CLAMOR_TEST_REDIS_CLUSTER", "redis+cluster://"},
	{"sentinel", "CLAMOR_TEST_REDIS_SENTINEL", "redis+sentinel://"},
}

// Each runs a test on an in-process server, and on every real one that the
// environment names. Each run has keys of its own.
func Each(t *testing.T, test func(t *testing.T, store *speed.Store)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		test(t, Open(t, "redis://"+miniredis.RunT(t).Addr()))
	})
	for _, s := range servers {
		address := os.Getenv(s.env)
		if address == "" {
			continue
		}
		if !strings.Contains(address, "://") {
			address = s.scheme + address
		}
		t.Run(s.name, func(t *testing.T) { test(t, Open(t, address)) })
	}
}

// Open is a store with a key prefix of its own, closed with the test.
func Open(t testing.TB, address string) *speed.Store {
	t.Helper()
	cfg := speed.DefaultConfig()
	cfg.Prefix = fmt.Sprintf("test-%d", time.Now().UnixNano())
	store, err := speed.Open(t.Context(), address, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// caseOf is a promise, and the test of it on a partition of its own.
type caseOf struct {
	name string
	test func(t *testing.T, b bench)
}

// Run is the whole suite on one store.
func Run(t *testing.T, store *speed.Store) {
	run(t, store, "ballots", []caseOf{
		{"nothing is not zero", empty},
		{"a step moves counts, journals and offset", steps},
		{"a step that was applied is applied once", retried},
		{"a worker that was overtaken is fenced", fenced},
		{"one of many at a position gets on", contended},
		{"counts are exact above 2^53", exact},
		{"epochs are kept apart and expire", epochs},
		{"a worker behind the expiry goes on without counting", lagging},
		{"journals come back in order", journals},
		{"a rewritten journal replaces the old one", rewritten},
		{"a sealed round has no journal", sealing},
		{"a reset leaves nothing behind", reset},
		{"a step of any size is one step", large},
		{"steps that a retry would apply twice are refused", invalid},
	})
	run(t, store, "posts", []caseOf{
		{"of posts, too, nothing is not zero", emptyPosts},
		{"a step moves minutes, journal, recent posts and offset", postSteps},
		{"a step of posts that was applied is applied once", postsRetried},
		{"only what changed is read", postsChanged},
		{"any number of minutes is read", postsPaged},
		{"minutes expire with their epochs", postEpochs},
		{"topics are forgotten", postsForgotten},
		{"lists of recent posts are bounded", recentsBounded},
		{"a reset leaves no posts behind, and begins with a state", postsReset},
		{"steps of posts that make no sense are refused", postsInvalid},
	})
}

func run(t *testing.T, store *speed.Store, topic string, cases []caseOf) {
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.test(t, bench{store: store, topic: topic, partition: int32(i)})
		})
	}
}
