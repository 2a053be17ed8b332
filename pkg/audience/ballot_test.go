package audience_test

import (
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
)

func TestSortedRounds(t *testing.T) {
	want := []audience.RoundKey{{Poll: "final", Round: 2}, {Poll: "final", Round: 10}, {Poll: "final-2", Round: 1}, {Poll: "semi", Round: 1}}
	all := map[audience.RoundKey]bool{}
	for _, k := range want {
		all[k] = true
	}
	if got := audience.SortedRounds(all); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
