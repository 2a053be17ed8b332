package control_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
)

// postBytes is a captured post that voted in the polls named.
func postBytes(t testing.TB, id string, polls ...string) []byte {
	t.Helper()
	post := &clamorv1.Post{Platform: "x", Id: id, Show: "gala", Text: "go " + id}
	for _, poll := range polls {
		post.Votes = append(post.Votes, &clamorv1.Vote{Poll: poll, Round: 1, Slots: []uint32{1}})
	}
	b, err := proto.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheLastWordOnAPost(t *testing.T) {
	d := newDesk(t)
	said := func(command, reason string) *control.PostDecision {
		d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: command, Reason: reason, Show: "gala", Topics: []string{"goal"}, Post: postBytes(t, "1")})
		p, ok := d.m.State().Post("gala", "x:1")
		if !ok {
			t.Fatal("nobody has decided")
		}
		return p
	}
	if p := said(control.PostReject, "spam"); p.Verdict() != audience.Rejected || p.Approved != -1 || p.Actor != "ada" {
		t.Errorf("%+v", p)
	}
	first := said(control.PostFeature, "")
	if first.Verdict() != audience.Featured || first.Approved != first.Offset {
		t.Errorf("%+v", first)
	}
	last := said(control.PostApprove, "on second thought")
	if last.Approved != first.Offset {
		t.Errorf("approved first at %d, not %d", first.Offset, last.Approved)
	}
	var words []string
	for _, w := range last.Earlier {
		words = append(words, w.Command+" "+w.Reason)
	}
	if diff := cmp.Diff([]string{"reject spam", "feature "}, words); diff != "" {
		t.Error(diff)
	}
	if got := d.m.State().Decided("gala"); len(got) != 1 || got[0].Command != control.PostApprove {
		t.Errorf("%v", got)
	}
	if got := d.m.State().Decided("other"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	post, err := last.Captured()
	if err != nil || post.GetText() != "go 1" {
		t.Errorf("%v %v", post, err)
	}
}

func TestAPostsHistoryIsBounded(t *testing.T) {
	d := newDesk(t)
	for range 100 {
		d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostReject, Show: "gala"})
	}
	p, _ := d.m.State().Post("gala", "x:1")
	if len(p.Earlier) != 32 || p.Earlier[31].Offset != p.Offset-1 {
		t.Errorf("%d words, the last at %d", len(p.Earlier), p.Earlier[len(p.Earlier)-1].Offset)
	}
}

func TestAWordOnAPostStandsInThePollsTrail(t *testing.T) {
	d := onStage(t, nil)
	d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostReject, Reason: "spam", Show: "gala", Post: postBytes(t, "1", "final", "gone")})
	trail := d.m.State().Audit("final", d.now)
	last := trail[len(trail)-1]
	if last.Kind != control.KindPostCommand || last.Post != "x:1" || last.Verdict != audience.Rejected || last.Reason != "spam" || last.Actor != "ada" {
		t.Errorf("%+v", last)
	}
}

func TestAPostThatCannotBeRead(t *testing.T) {
	d := newDesk(t)
	d.refused(fault.InvalidRequest, control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostReject, Post: []byte{0xff, 0xff}})
	if _, ok := d.m.State().Post("gala", "x:1"); ok {
		t.Error("a refused word counts")
	}
}

func TestRulesAreJudgedWhereTheyAreWritten(t *testing.T) {
	d := newDesk(t)
	at := func(v control.Verdict, pointer string) {
		t.Helper()
		if len(v.Err.Fields) != 1 || v.Err.Fields[0].Pointer != pointer || v.Err.Fields[0].Detail == "" {
			t.Errorf("%+v", v.Err.Fields)
		}
	}
	at(d.refused(fault.InvalidRequest, control.KindTopicPut, "t", 0, audience.Topic{Show: "gala", Title: "T", Rule: "gol AND (x"}), "/rule")
	at(d.refused(fault.InvalidRequest, control.KindShowPut, "s", 0, audience.Show{
		Title: "S", Timezone: "UTC", Locale: "en", Moderation: &audience.Moderation{Reject: `"open`},
	}), "/moderation/reject")
	d.must(control.KindShowPut, "s", 0, audience.Show{
		Title: "S", Timezone: "UTC", Locale: "en", Moderation: &audience.Moderation{Reject: "bad OR worse", Approve: "from:us"},
	})
}

func TestReplay(t *testing.T) {
	l := newTape()
	c := follow(t, l, nil)
	for i := range 3 {
		e := event(t, control.KindPostCommand, fmt.Sprintf("x:%d", i), 0, control.PostCommand{Command: control.PostReject})
		if _, err := c.Submit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	enough := errors.New("enough")
	var seen []string
	err := c.Replay(context.Background(), 1, func(events []control.Placed, next int64) error {
		for _, e := range events {
			seen = append(seen, e.Subject)
			if _, ok := c.State().Post("", e.Subject); !ok || c.State().Offset() <= e.Offset {
				t.Errorf("%s comes before the state holds it", e.Subject)
			}
		}
		if next == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"x:1", "x:2"}, seen); diff != "" {
		t.Error(diff)
	}
}

func TestATopicsRevisionNeverComesBack(t *testing.T) {
	d := newDesk(t)
	put := audience.Topic{Show: "gala", Title: "T", Rule: "gol"}
	d.must(control.KindTopicPut, "t", 0, put)
	if v := d.must(control.KindTopicPut, "t", 1, put); v.Revision != 2 {
		t.Errorf("revision %d", v.Revision)
	}
	d.must(control.KindTopicDelete, "t", control.Current, nil)
	if v := d.must(control.KindTopicPut, "t", 0, put); v.Revision != 3 {
		t.Errorf("made anew at revision %d, which counted something else", v.Revision)
	}
}

// TestEachShowDecidesForItself about a post that two have heard.
func TestEachShowDecidesForItself(t *testing.T) {
	d := newDesk(t)
	d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostApprove, Show: "gala", Post: postBytes(t, "1")})
	d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostReject, Deleted: true, Show: "other", Post: postBytes(t, "1")})
	d.must(control.KindPostCommand, "x:1", 0, control.PostCommand{Command: control.PostFeature, Show: "gala"})
	mine, _ := d.m.State().Post("gala", "x:1")
	theirs, _ := d.m.State().Post("other", "x:1")
	if mine.Verdict() != audience.Featured || len(mine.Earlier) != 1 || theirs.Verdict() != audience.Rejected || len(theirs.Earlier) != 0 {
		t.Errorf("%+v and %+v", mine, theirs)
	}
	if _, ok := d.m.State().Post("third", "x:1"); ok || len(d.m.State().Decided("gala")) != 1 {
		t.Error("a show that said nothing has a word")
	}
}

// TestATitleCostsNoFigure: only what changes the counting makes another count.
func TestATitleCostsNoFigure(t *testing.T) {
	d := newDesk(t)
	put := func(base uint64, title, rule string, more *audience.TopicFilters, crowd bool) (revision, counted uint64, offset int64) {
		d.must(control.KindTopicPut, "t", base, audience.Topic{Show: "gala", Title: title, Rule: rule, Filters: more, Crowd: crowd})
		now, _ := d.m.State().Topic("t")
		return now.Revision, now.Counted, now.Offset
	}
	br := func() *audience.TopicFilters { return &audience.TopicFilters{Countries: []string{"BR"}} }
	_, _, first := put(0, "T", "gol", br(), false)
	if revision, counted, offset := put(1, "Another", "gol", br(), false); revision != 2 || counted != 1 || offset != first {
		t.Errorf("a title: revision %d, counted as %d from %d", revision, counted, offset)
	}
	for revision, change := range []struct {
		rule  string
		more  *audience.TopicFilters
		crowd bool
	}{{"gol OR copa", br(), false}, {"gol OR copa", nil, false}, {"gol OR copa", nil, true}} {
		at := uint64(revision) + 3
		if _, counted, offset := put(at-1, "Another", change.rule, change.more, change.crowd); counted != at || offset <= first {
			t.Errorf("%+v is counted as %d from %d", change, counted, offset)
		}
	}
}

// TestADeletedPostStaysRejected: what its platform took back no moderator shows
// again, and its text is not kept for lists.
func TestADeletedPostStaysRejected(t *testing.T) {
	d := newDesk(t)
	word := func(command string, deleted bool) control.PostCommand {
		return control.PostCommand{Command: command, Deleted: deleted, Show: "gala", Post: postBytes(t, "1")}
	}
	d.must(control.KindPostCommand, "x:1", 0, word(control.PostApprove, false))
	d.must(control.KindPostCommand, "x:1", 0, word(control.PostReject, true))
	first, _ := d.m.State().Post("gala", "x:1")
	if first.Verdict() != audience.Rejected || first.Deletion != first.Offset || len(first.Post) != 0 || len(d.m.State().Decided("gala")) != 0 {
		t.Errorf("%+v", first)
	}
	for _, command := range []string{control.PostApprove, control.PostFeature} {
		d.refused(fault.PostNotFound, control.KindPostCommand, "x:1", 0, word(command, false))
	}
	d.must(control.KindPostCommand, "x:1", 0, word(control.PostReject, false))
	d.must(control.KindPostCommand, "x:1", 0, word(control.PostReject, true))
	last, _ := d.m.State().Post("gala", "x:1")
	if last.Deletion != first.Offset || len(last.Post) != 0 || len(last.Earlier) != 3 {
		t.Errorf("%+v", last)
	}
	if err := control.ValidatePostCommand(&control.PostCommand{Command: control.PostApprove, Deleted: true}); err == nil || err.Fields[0].Pointer != "/deleted" {
		t.Errorf("%v", err)
	}
}
