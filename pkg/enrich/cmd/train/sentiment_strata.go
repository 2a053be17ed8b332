package main

import (
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// stretch is a run of places in a collection, the end excluded.
type stretch struct{ from, to int }

// stratum is a part of a collection.
type stratum struct {
	source, name string
	parts        []stretch
}

// strata are parts of collections that differ as a new audience would. SemEval
// stands about in the order of its campaigns, so that a quarter has topics and
// events that the others lack. TASS keeps the posts of a country together, some
// in two runs; it names none, so the bounds are read off the dialects and may
// be a few posts out.
var strata = []stratum{
	{"semeval-en", "quarter 1", []stretch{{0, 12336}}},
	{"semeval-en", "quarter 2", []stretch{{12336, 24672}}},
	{"semeval-en", "quarter 3", []stretch{{24672, 37008}}},
	{"semeval-en", "quarter 4", []stretch{{37008, 49345}}},
	{"tass-es", "Costa Rica", []stretch{{0, 336}, {1257, 1930}}},
	{"tass-es", "Spain", []stretch{{336, 838}, {1930, 2905}}},
	{"tass-es", "Peru", []stretch{{838, 1257}, {3858, 4715}}},
	{"tass-es", "Mexico", []stretch{{2905, 3858}}},
	{"tass-es", "Uruguay", []stretch{{4715, 5672}}},
}

// drawnFrom names the collections that share posts with another.
var drawnFrom = map[string]string{"semeval-en": "umsab-en", "tass-es": "umsab-es"}

// unseen trains without a stratum of a collection, and without the collection
// that may hold copies of it, and scores the stratum.
func (s stratum) unseen(cfg sentiment.Config, lex []*sentiment.Lexicon, all []opinion) *matrix {
	held := func(o opinion) bool {
		return o.source == s.source && slices.ContainsFunc(s.parts, func(p stretch) bool { return o.at >= p.from && o.at < p.to })
	}
	m := sentiment.Train(cfg, lex, samples(all, func(o opinion) bool { return !held(o) && o.source != drawnFrom[s.source] }))
	scores := map[string]*matrix{}
	judge(m, all, scores, held)
	return scores[s.source]
}

// checkStrata leaves out each stratum in turn and prints its score, and the
// mean of each collection's.
func checkStrata(cfg sentiment.Config, lex []*sentiment.Lexicon, all []opinion) {
	fmt.Println("strata unseen")
	sums, counts := map[string]float64{}, map[string]float64{}
	for _, s := range strata {
		m := s.unseen(cfg, lex, all)
		fmt.Printf("  %-14s macro-F1 %5.2f  reversed %5.2f %%  %v\n", s.name, m.f1(), m.reversed(), *m)
		sums[s.source] += m.f1()
		counts[s.source]++
	}
	for _, c := range collections {
		if counts[c.name] > 0 {
			fmt.Printf("  %-14s mean     %5.2f\n", c.name, sums[c.name]/counts[c.name])
		}
	}
}
