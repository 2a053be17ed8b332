package capture_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/clamor-live/clamor/services/capture/internal/connect/faketest"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// toots is the stream of a Mastodon server.
type toots struct {
	faketest.Air
	server *httptest.Server
}

func newToots(t *testing.T) *toots {
	s := &toots{}
	over, end := context.WithCancel(context.Background())
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/api/v1/streaming/") {
			_, _ = fmt.Fprint(w, "[]") // nothing was missed
			return
		}
		line := s.Connect(0)
		flush := func(text string) {
			_, _ = fmt.Fprint(w, text)
			_ = http.NewResponseController(w).Flush()
		}
		flush(":)\n")
		for {
			event, ok, _ := line.Next(over)
			if !ok {
				return
			}
			flush(event)
		}
	}))
	t.Cleanup(func() {
		end()
		s.server.Close()
	})
	return s
}

// say publishes a status of an author of its own.
func (s *toots) say(id int, text string) {
	s.Publish(fmt.Sprintf("event: update\ndata: "+`{"id":"%d","uri":"https://m.test/statuses/%d","created_at":"2026-05-01T20:00:00.000Z","visibility":"public","content":"<p>%s</p>","account":{"id":"%d","acct":"u%d"}}`+"\n\n",
		id, id, text, id, id))
}

func (s *toots) delete(id string) { s.Publish("event: delete\ndata: " + id + "\n\n") }

// source is a definition of the server as a source.
func (s *toots) source() audience.Source {
	return audience.Source{ID: "toots", Show: "show", Connector: "mastodon", Enabled: true,
		Settings: map[string]any{"url": s.server.URL, "streaming_url": s.server.URL}}
}

const toot = "mastodon:https://m.test/statuses/"

// listenTo runs the source until it has so many posts in the log.
func (h *house) listenTo(s *toots, posts int) {
	h.t.Helper()
	h.put(control.KindSourcePut, "toots", s.source())
	until(h.t, "the posts", func() bool { return len(h.log.posts()) >= posts })
}

// gone waits for the platform's word on a post.
func (h *house) gone(name string) *control.PostDecision {
	h.t.Helper()
	until(h.t, "the end of "+name, func() bool {
		d, ok := h.registry.State().Post("show", name)
		return ok && d.Deletion >= 0
	})
	h.settled()
	d, _ := h.registry.State().Post("show", name)
	return d
}

// counter is a metric's sum over the series with a label's value.
func (h *house) counter(metric, value string) (sum float64) {
	h.t.Helper()
	families, err := h.metrics.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == metric && l.GetValue() == value {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// TestAPostThatItsPlatformDeletes is out of what was counted, with its ballot, and
// stays so; what is deleted that was never delivered, or twice, changes nothing,
// and a notice that is broken is counted.
func TestAPostThatItsPlatformDeletes(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	s := newToots(t)
	s.say(1, "anna")
	s.say(2, "anna")
	h.listenTo(s, 2)
	h.votes("p", 2)
	s.delete("1")
	d := h.gone(toot + "1")
	h.votes("p", 1)
	if d.Verdict() != audience.Rejected || d.Actor != "source:toots" || d.Reason != control.ReasonDeleted || d.Show != "show" {
		t.Errorf("%+v", d)
	}
	if diff := cmp.Diff([]string{"https://m.test/statuses/1 true source:toots"}, h.moderations()); diff != "" {
		t.Error(diff)
	}
	trail := h.registry.State().Audit("p", audience.MillisOf(h.clock.Now()))
	if last := trail[len(trail)-1]; last.Post != toot+"1" || last.Verdict != audience.Rejected || last.Actor != "source:toots" {
		t.Errorf("%+v", last)
	}

	at := h.registry.State().Offset()
	s.delete("1")
	s.delete("77")
	s.delete("?")
	s.say(3, "anna")
	until(t, "the third post", func() bool { return len(h.log.posts()) == 3 })
	for outcome, want := range map[string]float64{"taken": 1, "again": 1, "unknown": 1, "failed": 0} {
		if got := h.counter("clamor_capture_posts_gone_total", outcome); got != want {
			t.Errorf("%s: %v", outcome, got)
		}
	}
	if n := h.counter("clamor_capture_lines_refused_total", string(fault.InvalidRequest)); n != 1 {
		t.Errorf("%v broken notices", n)
	}
	if h.registry.State().Offset() != at {
		t.Error("a command without need")
	}

	h.votes("p", 2) // the second's and the third's
}

// TestARefusedApprovalBringsNoBallotBack: the post in it notwithstanding.
func TestARefusedApprovalBringsNoBallotBack(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	s := newToots(t)
	s.say(1, "anna")
	h.listenTo(s, 1)
	s.delete("1")
	h.gone(toot + "1")
	h.refuse(control.PostApprove, "https://m.test/statuses/1")
	h.refuse(control.PostFeature, "https://m.test/statuses/1")
	h.settledBeforeWords() // and behind these
	h.votes("p", 0)
	if n := len(h.moderations()); n != 2 {
		t.Errorf("%d decisions", n)
	}
}

// refuse gives a word on a captured post that is not heard.
func (h *house) refuse(command, id string) {
	h.t.Helper()
	e := control.Event{Kind: control.KindPostCommand, Subject: "mastodon:" + id, Actor: "mod"}
	if err := e.Put(control.PostCommand{Command: command, Show: "show", Post: marshalled(h.t, h.captured(id))}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.registry.Submit(h.t.Context(), e); !fault.Is(err, fault.PostNotFound) {
		h.t.Errorf("%v", err)
	}
}

func TestADeletedPostOfAPollThatCountsRejectedPosts(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	poll, _ := h.registry.State().Poll("p")
	d := poll.Definition
	d.CountsRejectedPosts = true
	h.put(control.KindPollPut, "p", d)
	h.command("p", audience.VerbOpen)
	s := newToots(t)
	s.say(1, "anna")
	h.listenTo(s, 1)
	s.delete("1")
	h.gone(toot + "1")
	h.votes("p", 1)
	if n := len(h.moderations()); n != 1 {
		t.Errorf("%d decisions", n)
	}
}

// TestDeletionsAreCarriedOutOnceAndAgain: the log was away, and then all of it is
// read again.
func TestDeletionsAreCarriedOutOnceAndAgain(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	s := newToots(t)
	for id := range 50 {
		s.say(id, "anna")
	}
	h.listenTo(s, 50)
	h.settledBeforeWords()
	h.log.fail(errors.New("away"))
	for id := range 25 {
		s.delete(fmt.Sprint(id))
	}
	until(t, "the platform's words", func() bool { return h.counter("clamor_capture_posts_gone_total", "taken") == 25 })
	h.log.fail(nil)
	h.settled()
	h.votes("p", 25)
	h.carryOutAgain()
	h.votes("p", 25)
}

// TestADecidedPostIsTakenOutByAnyInstance: what is on air was decided about, and
// the decision knows the post though another instance delivered it.
func TestADecidedPostIsTakenOutByAnyInstance(t *testing.T) {
	h := newHouse(t, nil)
	h.social("p", audience.CountAuthors, audience.MatchAnywhere)
	h.command("p", audience.VerbOpen)
	h.push(strings.ReplaceAll(postLine("m.test/1", "u1", "anna"), `"x"`, `"mastodon"`))
	h.registry.apply(t, control.Event{Kind: control.KindPostCommand, Subject: "mastodon:m.test/1", At: audience.MillisOf(h.clock.Now())},
		control.PostCommand{Command: control.PostApprove, Show: "show", Topics: []string{"goal"}, Post: marshalled(t, h.captured("m.test/1"))})
	h.settled()
	h.votes("p", 1)
	s := newToots(t)
	src := s.source()
	src.Settings["url"] = strings.Replace(s.server.URL, "127.0.0.1", "m.test", 1) // whose name stands in ids without an address
	h.put(control.KindSourcePut, "toots", src)
	s.delete("1")
	if d := h.gone("mastodon:m.test/1"); !slices.Equal(d.Topics, []string{"goal"}) {
		t.Errorf("%+v", d)
	}
	h.votes("p", 0)
}

// TestAnotherInstanceTakesBackWhatTheFirstDelivered: it reads the log back.
func TestAnotherInstanceTakesBackWhatTheFirstDelivered(t *testing.T) {
	open := realLog(t)
	instance := func(s *toots) (*house, *eventlog.Log) {
		log := open()
		h := buildHouse(t, func(_ *capture.Config, d *capture.Deps) {
			d.Log, d.Past, d.Now = log, capture.Kafka{Log: log}, time.Now
		})
		h.social("p", audience.CountAuthors, audience.MatchAnywhere)
		h.command("p", audience.VerbOpen)
		h.put(control.KindSourcePut, "toots", s.source())
		h.run()
		return h, log
	}
	begun := newToots(t)
	begun.Publish("event: update\ndata: " + `{"id":"1","uri":"http://127.0.0.1/users/u/statuses/1","created_at":"2026-05-01T20:00:00.000Z","visibility":"public","content":"anna","account":{"id":"1","acct":"u"}}` + "\n\n")
	first, log := instance(begun)
	until(t, "the post", func() bool { return len(readPosts(t, log)) == 1 })
	first.stop()

	later := newToots(t) // which repeats nothing
	later.delete("1")
	second, _ := instance(later)
	const name = "mastodon:http://127.0.0.1/users/u/statuses/1"
	until(t, "the end of the post", func() bool {
		d, ok := second.registry.State().Post("show", name)
		return ok && d.Deletion >= 0
	})
	second.stop()
	var command control.PostCommand
	if err := second.registry.last().Get(&command); err != nil {
		t.Fatal(err)
	}
	post, err := command.Captured()
	if err != nil || post.GetText() != "anna" || len(post.GetVotes()) != 1 {
		t.Error(err, post)
	}
}

func marshalled(t testing.TB, post *clamorv1.Post) []byte {
	t.Helper()
	b, err := proto.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
