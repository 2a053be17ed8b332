package connect

import (
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
)

func TestTerms(t *testing.T) {
	got := Terms([]audience.Topic{
		{Rule: `gol OR "fora de jogo" OR #copa`}, {Rule: `(`}, {Rule: `lang:pt`}, {Rule: `gol OR @ana`},
	})
	if want := []string{"gol", "fora de jogo", "#copa", "@ana"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
