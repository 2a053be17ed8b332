package speed

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestSources(t *testing.T) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	s := New(client, DefaultConfig())
	one := audience.SourceStatus{
		State: audience.SourceStreaming, Posts: 3, LastPostAt: 1790000000000, Detail: "fine",
		Budget: &audience.BudgetStatus{Per: "day", Units: &audience.BudgetLine{Spent: 1, Of: 2}, SampleRate: 1},
	}
	if err := s.KeepSources(t.Context(), "i1", map[string]audience.SourceStatus{"a": one, "b": {State: audience.SourceFailed}}); err != nil {
		t.Fatal(err)
	}
	old, err := json.Marshal(told{audience.MillisOf(time.Now().Add(-2 * sourceTold)), audience.SourceStatus{State: audience.SourceDone}})
	if err != nil {
		t.Fatal(err)
	}
	server.HSet(s.sourceKey("a"), "i2", string(old))
	server.HSet(s.sourceKey("a"), "i3", "{nonsense")
	got, err := s.Sources(t.Context(), []string{"a", "b", "none"})
	want := map[string][]audience.SourceStatus{"a": {one}, "b": {{State: audience.SourceFailed}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(diff, err)
	}
	if fields, err := server.HKeys(s.sourceKey("a")); err != nil || len(fields) != 1 {
		t.Errorf("what is told no more is kept: %v %v", fields, err)
	}
	later, err := json.Marshal(told{audience.MillisOf(time.Now().Add(time.Second)), audience.SourceStatus{State: audience.SourceWaiting}})
	if err != nil {
		t.Fatal(err)
	}
	server.HSet(s.sourceKey("a"), "i4", string(later))
	if got, err = s.Sources(t.Context(), []string{"a"}); err != nil || len(got["a"]) != 2 || got["a"][0].State != audience.SourceWaiting {
		t.Errorf("%+v %v", got, err)
	}
	server.FastForward(3 * sourceTold)
	if got, err = s.Sources(t.Context(), []string{"a", "b"}); err != nil || len(got) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	server.Close()
	if _, err = s.Sources(t.Context(), []string{"a"}); err == nil {
		t.Error("no error though redis is away")
	}
	if s.KeepSources(t.Context(), "i1", map[string]audience.SourceStatus{"a": one}) == nil {
		t.Error("no error though redis is away")
	}
}
