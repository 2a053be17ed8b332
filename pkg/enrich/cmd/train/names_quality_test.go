package main

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

func TestNamesQuality(t *testing.T) {
	t.Parallel()
	r, err := readRegisters(sharedData(t))
	if err != nil {
		t.Fatal(err)
	}
	table := names.New(r.rows())
	var all, most sureness
	for c, want := range []float64{97.9, 99.6, 94.4} {
		have, ceiling := r.surePeople(table, c)
		sure, right := have.percent()
		atLeast(t, names.Codes()[c]+" people at p >= .9", sure, want)
		atLeast(t, names.Codes()[c]+" of those right", right, 99.4)
		all, most = all.plus(have), most.plus(ceiling)
	}
	have, _ := all.percent()
	ceiling, _ := most.percent()
	atLeast(t, "all people at p >= .9, of what a name can tell", have-ceiling, -0.1)
	for _, trial := range r.ageTrials() {
		score := trial.ages(audiences[0].mix, 5000, 12)
		atLeast(t, trial.what+" crowds shown", float64(score.shown), 12)
		atLeast(t, trial.what+" ages right", 1-score.error(), 1-trial.bound)
		atLeast(t, trial.what+" truth inside the interval", score.coverage(), 93)
	}
}
