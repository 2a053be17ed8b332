package live

import (
	"reflect"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

func sceneOf(votes ...int64) *scene {
	return &scene{
		definition: audience.Poll{ID: "final", Kind: audience.Choose, Denominator: audience.OfVotes, Options: make([]audience.Option, 3)},
		standing:   control.Standing{Round: 1, Phase: audience.Open, OnAir: true},
		counts:     Counts{Batch: &tally.Round{}, Speed: &tally.Round{Votes: votes, Voters: 9}},
		generation: &views.Generation{Number: 7, Agreed: views.AgreedYes, CreatedAt: 5},
		perMinute:  votes,
	}
}

func TestHiddenContentDoesNotDependOnBallots(t *testing.T) {
	few, many := sceneOf(1, 2, 3), sceneOf(100, 20, 3)
	many.generation = &views.Generation{Number: 8}
	many.counts.Batch = &tally.Round{Votes: []int64{7}, Late: 3, Duplicates: 4, Limit: 5, Revoked: 6}
	for _, face := range []Face{Public, Receipt} {
		if a, b := few.look(face), many.look(face); !reflect.DeepEqual(a, b) {
			t.Errorf("%s sees %+v and %+v", face, a, b)
		}
	}
	if a, b := few.look(OnAir), many.look(OnAir); reflect.DeepEqual(a, b) {
		t.Error("on air sees nothing")
	}
}

func TestAnAnswerStaysWhileNothingChanges(t *testing.T) {
	s := sceneOf(1, 2, 3)
	first := next(nil, s.look(OnAir), 1000, 50, map[int32]int64{0: 6})
	if again := next(first, s.look(OnAir), 9000, 60, map[int32]int64{0: 9}); again != first {
		t.Fatal("another answer with the same content")
	}
	more := next(first, sceneOf(1, 2, 4).look(OnAir), 900, 40, map[int32]int64{0: 7})
	if more.Seq != 1001 || more.AsOf != 50 || more.Correction {
		t.Fatalf("%+v", more)
	}
	less := next(more, sceneOf(1, 2, 3).look(OnAir), 2000, 70, nil)
	if !less.Correction {
		t.Fatal("a total went down without a word")
	}
	hidden := next(less, s.look(Public), 3000, 80, map[int32]int64{0: 8})
	if len(hidden.Offsets) != 0 {
		t.Fatal("hidden answers tell how many records there are")
	}
}

func TestStatus(t *testing.T) {
	s := sceneOf()
	s.counts.Speed = &tally.Round{}
	if c := s.look(OnAir); c.Status != Reconciled || c.ReconciledAt != 5 {
		t.Fatalf("%+v", c)
	}
	if c := sceneOf(1).look(OnAir); c.Status != Provisional {
		t.Fatalf("%+v", c)
	}
	s.standing.Phase = audience.Verified
	s.sealed = &views.SealedRound{Generation: 4, SealedAt: 3}
	s.counts.Sealed = true
	if c := s.look(OnAir); c.Status != Verified || c.Generation != 4 || c.ReconciledAt != 3 {
		t.Fatalf("%+v", c)
	}
}

func TestFormsAreBounded(t *testing.T) {
	a := newAnswer(Content{}, 1, 1, nil)
	made := 0
	render := func() *Rendered { made++; return &Rendered{} }
	for range 2 {
		for _, q := range []string{"a", "b", "c"} {
			a.Rendered(Form{Query: q}, 2, render)
		}
	}
	if made != 4 || len(*a.forms.Load()) != 2 {
		t.Fatalf("%d rendered", made)
	}
}
