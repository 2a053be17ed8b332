package tally_test

import (
	"math/big"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

func TestWholePercents(t *testing.T) {
	for _, tt := range []struct{ votes, want []int64 }{
		{[]int64{12, 4, 1}, []int64{71, 23, 6}},
		{[]int64{1, 1, 1}, []int64{33, 33, 33}},
		{[]int64{0, 0}, []int64{0, 0}},
		{[]int64{5}, []int64{100}},
		{[]int64{5, 0}, []int64{100, 0}},
		{[]int64{999, 1}, []int64{99, 1}},
		{[]int64{99_999, 1}, []int64{99, 1}},
		{[]int64{2, 1}, []int64{67, 33}},
		{[]int64{1, 1, 1, 1, 1, 1}, []int64{16, 16, 16, 16, 16, 16}},
		{[]int64{2, 2, 2, 1}, []int64{28, 28, 28, 15}},
		{[]int64{1 << 62, 1 << 61}, []int64{67, 33}},
	} {
		var got []int64
		for _, p := range tally.WholePercents(tt.votes) {
			got = append(got, int64(p))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.votes, got, tt.want)
		}
	}
}

// The promises to the screen, for any counts.
func TestWholePercentsKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		votes := rapid.SliceOfN(rapid.Int64Range(0, 1_000_000), 1, 12).Draw(t, "votes")
		pct := tally.WholePercents(votes)
		sum, total := 0, int64(0)
		for i := range votes {
			sum, total = sum+pct[i], total+votes[i]
			for j := range votes {
				switch {
				case votes[i] == votes[j] && pct[i] != pct[j]:
					t.Fatalf("a tie is split: %v %v", votes, pct)
				case votes[i] > votes[j] && pct[i] < pct[j]:
					t.Fatalf("order is inverted: %v %v", votes, pct)
				case pct[i] == 100 && i != j && votes[j] > 0:
					t.Fatalf("100 while another has votes: %v %v", votes, pct)
				}
			}
		}
		if sum > 100 {
			t.Fatalf("sum %d: %v %v", sum, votes, pct)
		}
		for i := range votes {
			if off := big.NewRat(int64(pct[i])*total-100*votes[i], max(total, 1)); new(big.Rat).Abs(off).Cmp(big.NewRat(1, 1)) > 0 {
				t.Fatalf("off by more than one: %v %v", votes, pct)
			}
		}
	})
}

func optionsOf(n int) []audience.Option { return make([]audience.Option, n) }

func TestFigureRanks(t *testing.T) {
	poll := audience.Poll{Kind: audience.Choose, Options: optionsOf(4)}
	f := tally.Figure(&poll, &tally.Round{Votes: []int64{5, 9, 5, 1}, Voters: 20})
	var got [][4]int
	for _, o := range f.Options {
		got = append(got, [4]int{o.Rank, o.UniqueRank, o.TieCount, int(o.Pct)})
	}
	want := [][4]int{{2, 2, 2, 25_000}, {1, 1, 1, 45_000}, {2, 3, 2, 25_000}, {4, 4, 1, 5_000}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !f.Options[1].Leader || f.Options[0].Leader || f.Options[1].Bar != 1 {
		t.Errorf("leader and bar: %+v", f.Options)
	}
}

func TestFigureWithoutVotes(t *testing.T) {
	poll := audience.Poll{Kind: audience.Choose, Options: optionsOf(2)}
	f := tally.Figure(&poll, nil)
	for _, o := range f.Options {
		if o.Rank != 1 || o.TieCount != 2 || o.Leader || o.Pct != 0 || o.Bar != 0 {
			t.Errorf("%+v", o)
		}
	}
	if f.PctSum != 0 {
		t.Errorf("pct_sum %d", f.PctSum)
	}
}

func TestFigureOfVoters(t *testing.T) {
	poll := audience.Poll{Kind: audience.Choose, Denominator: audience.OfVoters, Options: optionsOf(3)}
	f := tally.Figure(&poll, &tally.Round{Votes: []int64{1000, 999, 5}, Voters: 1000})
	if f.Options[0].PctInt != 100 || f.Options[1].PctInt != 99 || f.Options[1].Pct != 99_900 || f.Options[2].PctInt != 1 {
		t.Errorf("%+v", f.Options)
	}
}

func TestFigureOfScores(t *testing.T) {
	poll := audience.Poll{Kind: audience.Score, Options: optionsOf(3), Limits: audience.Limits{ScoreMin: 1, ScoreMax: 5}}
	f := tally.Figure(&poll, &tally.Round{Votes: []int64{2, 4, 0}, Sums: []int64{8, 16, 0}})
	a, b, none := f.Options[0], f.Options[1], f.Options[2]
	if a.Mean != 4 || a.Pct != 75_000 || a.PctInt != 75 || a.Rank != 2 {
		t.Errorf("%+v", a)
	}
	if b.Rank != 1 || !b.Leader {
		t.Errorf("equal means: more votes come first: %+v", b)
	}
	if none.Mean != 0 || none.Pct != 0 || none.Bar != 0 || none.Rank != 3 {
		t.Errorf("%+v", none)
	}
}

func TestSteps(t *testing.T) {
	r := &tally.Round{Series: map[int64][]int64{6: {1}, 11: {2, 1}, 18: {4}}}
	got, err := r.Steps(60_000, 0, 0, 2)
	want := []tally.Step{{At: 60_000, Votes: []int64{3, 1}}, {At: 120_000, Votes: []int64{0, 0}}, {At: 180_000, Votes: []int64{4, 0}}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v: %s", err, cmp.Diff(want, got))
	}
	for _, step := range []audience.Millis{0, -10_000, 15_000} {
		if _, err := r.Steps(step, 0, 0, 2); err == nil {
			t.Errorf("step %d is taken", step)
		}
	}
	if got, _ := (*tally.Round)(nil).Steps(10_000, 0, 0, 2); len(got) != 0 {
		t.Errorf("of nothing: %v", got)
	}
	if got := r.PerMinute(125_000, 2); !cmp.Equal(got, []int64{3, 1}) {
		t.Errorf("last full minute: %v", got)
	}
}
