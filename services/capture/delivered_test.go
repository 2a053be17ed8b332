package capture

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/capture/internal/limit"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"
)

// entryOf is a post's record.
func entryOf(t *testing.T, id, text string) entry {
	t.Helper()
	value, err := proto.Marshal(&clamorv1.Record{Body: &clamorv1.Record_Post{Post: &clamorv1.Post{Platform: "x", Id: id, Text: text}}})
	if err != nil {
		t.Fatal(err)
	}
	return entry{value: value, name: "x:" + id}
}

func (d *delivered) text(t *testing.T, id string) string {
	t.Helper()
	p, err := d.post("x:" + id)
	if err != nil {
		t.Fatal(err)
	}
	return p.GetText()
}

func TestDeliveredPostsAreBounded(t *testing.T) {
	var d delivered
	d.keep([]entry{entryOf(t, "a", "first"), entryOf(t, "a", "another")})
	d.keep([]entry{entryOf(t, "a", "a third")})
	if d.text(t, "a") != "first" || d.text(t, "b") != "" || len(d.names) != 1 {
		t.Error(d.names)
	}
	for n := range maxDelivered {
		d.keep([]entry{entryOf(t, fmt.Sprint(n), "t")})
	}
	if len(d.names) != maxDelivered || len(d.records) != maxDelivered || d.text(t, "a") != "" || d.text(t, "0") != "t" {
		t.Error(len(d.names), len(d.records))
	}
	large := make([]byte, maxDeliveredBytes/2)
	d.keep([]entry{{value: large, name: "x:b"}, {value: large, name: "x:c"}, {value: large, name: "x:d"}})
	if diff := cmp.Diff([]string{"x:c", "x:d"}, d.names); diff != "" || d.bytes != maxDeliveredBytes || len(d.records) != 2 {
		t.Error(diff, d.bytes)
	}
}

// commandDesk answers commands one after another; then it takes them all.
type commandDesk struct {
	Registry

	answers []error
	got     []control.Event
}

func (d *commandDesk) Submit(_ context.Context, e control.Event) (control.Verdict, error) {
	d.got = append(d.got, e)
	if len(d.answers) == 0 {
		return control.Verdict{}, nil
	}
	err := d.answers[0]
	d.answers = d.answers[1:]
	return control.Verdict{}, err
}

// newPull is a pull of nothing, whose commands go to a desk.
func newPull(t *testing.T, desk *commandDesk) *pull {
	t.Helper()
	m, err := newMetrics(prometheus.NewRegistry(), func() float64 { return 0 })
	if err != nil {
		t.Fatal(err)
	}
	s := &Service{control: desk, metrics: m, now: time.Now, born: time.Now(), gone: limit.New(goneRate, goneBurst, 1024)}
	return &pull{
		seat: &seat{service: s}, src: &control.Source{Source: audience.Source{ID: "sky", Show: "show", Connector: "bluesky"}},
		log: slog.New(slog.DiscardHandler), posts: &delivered{},
	}
}

// TestACommandIsWrittenUntilTheLogHasIt: under one id, for it may have been written
// the first time.
func TestACommandIsWrittenUntilTheLogHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		desk := &commandDesk{answers: []error{fault.New(fault.LogUnavailable, "away"), fault.New(fault.Overloaded, "full")}}
		begun := time.Now()
		if err := newPull(t, desk).retractor().reject(t.Context(), "x:1", &control.PostCommand{Command: control.PostReject, Deleted: true}); err != nil {
			t.Fatal(err)
		}
		if len(desk.got) != 3 || time.Since(begun) != 2*logPause {
			t.Errorf("%d times in %v", len(desk.got), time.Since(begun))
		}
		for _, e := range desk.got {
			if e.ID != desk.got[0].ID || e.At != desk.got[0].At || e.ID == "" || e.Actor != "source:sky" || e.Subject != "x:1" {
				t.Errorf("%+v", e)
			}
		}
	})
}

func TestACommandThatIsRefusedIsGivenUp(t *testing.T) {
	desk := &commandDesk{answers: []error{fault.New(fault.BodyTooLarge, "large")}}
	if err := newPull(t, desk).retractor().reject(t.Context(), "x:1", &control.PostCommand{Command: control.PostReject}); err != nil || len(desk.got) != 1 {
		t.Error(err, len(desk.got))
	}
}

// TestManyDeletionsAreWrittenSlowly, once there were very many.
func TestManyDeletionsAreWrittenSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPull(t, &commandDesk{}).retractor()
		begun := time.Now()
		for range goneBurst + goneRate {
			if err := p.pace(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begun); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("%v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if p.pace(ctx) == nil {
			t.Error("it goes on")
		}
	})
}
