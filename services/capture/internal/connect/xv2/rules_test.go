package xv2

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/google/go-cmp/cmp"
)

// texts runs a connector until it delivered so many posts.
func texts(t *testing.T, c connect.Connector, from connect.Place, posts int, streaming func()) (got []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = c.Run(ctx, from, connecttest.Opened{Into: func(b connect.Batch) error {
		for _, p := range b.Posts {
			got = append(got, p.Text)
		}
		if len(got) >= posts {
			cancel()
		}
		return nil
	}, Answers: streaming})
	return got, err
}

// TestANewRuleThatIsNoneLeavesTheOthers: a topic that the platform does not take
// must not end a source in the middle of a show, nor keep it from beginning.
func TestANewRuleThatIsNoneLeavesTheOthers(t *testing.T) {
	s := newServer(t)
	wants := connecttest.NewWants(connecttest.Topic("a", "gol"))
	c, err := s.Connector(wants.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := texts(t, c, "", 2, func() {
			s.Say("gol 1")
			wants.Set(connecttest.Topic("a", "gol"), connecttest.Topic("b", "forbidden"))
			s.Say("gol 2")
		})
		if err != nil || len(got) != 2 {
			t.Errorf("%q %v", got, err)
		}
	}
}

func TestTwoSourcesOfOneApp(t *testing.T) {
	s := newServer(t)
	open := func(source string, topics ...audience.Topic) connect.Connector {
		env := connecttest.NewWants(topics...).Env(t)
		env.Source = source
		c, err := s.Connector(env)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	mine := open(connecttest.Source, connecttest.Topic("a", "gol"), connecttest.Topic("b", "both"))
	theirs := open(connecttest.Other, connecttest.Topic("a", "penalty"), connecttest.Topic("b", "both"))
	if _, err := texts(t, theirs, "", 1, func() { s.Say("penalty!") }); err != nil {
		t.Fatal(err)
	}
	got, err := texts(t, mine, "", 2, func() { s.Say("penalty?", "gol", "both") })
	if want := []string{"gol", "both"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q: %v", got, want, err)
	}
	if got, want := s.values(), []string{"both", "penalty", "gol"}; !slices.Equal(got, want) {
		t.Errorf("the rules are %q, want %q", got, want)
	}
}

// TestARuleThatSomebodyDeletedComesBack, though no topic changed.
func TestARuleThatSomebodyDeletedComesBack(t *testing.T) {
	s := newServer(t)
	c, err := s.Connector(connecttest.NewWants(connecttest.Topic("a", "gol")).Env(t))
	if err != nil {
		t.Fatal(err)
	}
	c.(*Connector).inStep = 5 * time.Millisecond
	_, err = texts(t, c, "", 1, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rules, s.changed = nil, func() { s.Say("gol") }
	})
	if err != nil || !slices.Equal(s.values(), []string{"gol"}) {
		t.Errorf("%q %v", s.values(), err)
	}
}

// TestADuplicateRuleIsThere: between the list and the change somebody was faster.
func TestADuplicateRuleIsThere(t *testing.T) {
	s := newServer(t)
	s.rules = []filter{{ID: "5", Value: "gol", Tag: "theirs"}}
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ids, err := c.(*Connector).change(t.Context(), map[string]any{"add": []filter{{Value: "gol"}, {Value: "new"}}})
	if diff := cmp.Diff([]string{"1", "5"}, ids); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestRulesOfUnknownIdsAreKnownByTheirTags: a server need not say what it made.
func TestRulesOfUnknownIdsAreKnownByTheirTags(t *testing.T) {
	s := newServer(t)
	s.terse, s.rules = true, []filter{{ID: "9", Value: "foreign", Tag: "theirs"}}
	c, err := s.Connector(connecttest.NewWants(connecttest.Topic("a", "gol")).Env(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := texts(t, c, "", 1, func() { s.Say("foreign", "gol") })
	if err != nil || !slices.Equal(got, []string{"gol"}) {
		t.Errorf("%q %v", got, err)
	}
}

func TestWhatTheSearchDoesNotTake(t *testing.T) {
	s := newServer(t)
	s.Put("gol before", time.Minute)
	from := x.GapAt("")
	from.Saw(x.IDAt(time.Now().Add(-30 * 24 * time.Hour))) // longer ago than a search looks
	c, err := s.Connector(connecttest.NewWants(connecttest.Topic("a", "gol"), connecttest.Topic("b", "unsearchable")).Env(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := texts(t, c, from.Place(), 1, func() {})
	if err != nil || !slices.Equal(got, []string{"gol before"}) {
		t.Errorf("%q %v", got, err)
	}
	if oldest := x.IDAt(time.Now().Add(-7 * 24 * time.Hour)); s.since < oldest {
		t.Errorf("posts behind %d are asked for; the oldest to be had is %d", s.since, oldest)
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		kind   any // nil: a passing failure
		told   string
	}{
		"no rules": {409, `{"title":"ConnectionException","detail":"You must define rules.","connection_issue":"RuleConfigurationIssue","type":"https://api.twitter.com/2/problems/streaming-connection"}`,
			nil, "You must define rules."},
		"a bad request": {400, `{"title":"Invalid Request","detail":"One or more parameters to your request was invalid.","type":"https://api.twitter.com/2/problems/invalid-request"}`,
			new(*connect.Refused), "One or more parameters"},
		"no access": {403, `{"client_id":"1","detail":"When authenticating requests, you must use keys and tokens from a developer App attached to a Project.","reason":"client-not-enrolled","title":"Client Forbidden","required_enrollment":"Standard Basic","type":"https://api.twitter.com/2/problems/client-forbidden"}`,
			new(*connect.Refused), "attached to a Project"},
		"the month is over": {429, `{"account_id":1,"product_name":"standard-basic","title":"UsageCapExceeded","period":"Monthly","scope":"Product","detail":"Usage cap exceeded: Monthly product cap","type":"https://api.twitter.com/2/problems/usage-capped"}`,
			new(*connect.Slow), "Monthly product cap"},
		"a proxy's page": {502, `<html>`, nil, "502"},
	} {
		s := newServer(t)
		conn, err := s.Connector(connecttest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		s.Answer(c.status, c.body)
		err = conn.Run(t.Context(), "", connecttest.Into(nil))
		var wait *connect.Wait
		var slow *connect.Slow
		var refused *connect.Refused
		if err == nil || c.kind != nil && !errors.As(err, c.kind) || errors.As(err, &wait) || c.kind == nil && (errors.As(err, &slow) || errors.As(err, &refused)) || !strings.Contains(err.Error(), c.told) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
}
