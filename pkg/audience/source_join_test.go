package audience

import (
	"reflect"
	"testing"
)

func TestJoinStatus(t *testing.T) {
	one := SourceStatus{
		State: SourceStreaming, Posts: 1, PerMinute: 2, Malformed: 3, Lost: 4, Unsampled: 5, LastPostAt: 10, LagMillis: 90,
		Budget: &BudgetStatus{Per: "hour", Posts: &BudgetLine{Spent: 1, Of: 9}, SampleRate: 1},
	}
	two := one
	two.State, two.LastPostAt, two.LagMillis = SourceWaiting, 20, 80
	two.Budget = &BudgetStatus{Per: "hour", Posts: &BudgetLine{Spent: 2, Of: 9}, Warned: true, SampleRate: 0.5}
	got := JoinStatus([]SourceStatus{one, two})
	want := SourceStatus{
		State: SourceStreaming, Posts: 2, PerMinute: 4, Malformed: 6, Lost: 8, Unsampled: 10, LastPostAt: 20, LagMillis: 80,
		Budget: &BudgetStatus{Per: "hour", Posts: &BudgetLine{Spent: 3, Of: 9}, Warned: true, SampleRate: 0.5},
	}
	if !reflect.DeepEqual(got, want) || one.Budget.Posts.Spent != 1 {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := JoinStatus([]SourceStatus{one}); !reflect.DeepEqual(got, one) {
		t.Errorf("%+v", got)
	}
}
