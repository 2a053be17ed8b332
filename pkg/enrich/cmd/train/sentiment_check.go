package main

import (
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// matrix counts posts by what they are and what they were called.
type matrix [3][3]int

func (m *matrix) f1() float64 {
	var sum float64
	for c := range 3 {
		var told, wanted int
		for k := range 3 {
			told += m[k][c]
			wanted += m[c][k]
		}
		sum += 2 * float64(m[c][c]) / float64(max(told+wanted, 1))
	}
	return 100 * sum / 3
}

func (m *matrix) reversed() float64 {
	var all int
	for _, row := range m {
		all += row[0] + row[1] + row[2]
	}
	return 100 * float64(m[0][2]+m[2][0]) / float64(max(all, 1))
}

// addRates adds the shares of each row.
func (m *matrix) addRates(out *[3][3]float64) {
	for i, row := range m {
		for j, n := range row {
			out[i][j] += float64(n) / float64(max(row[0]+row[1]+row[2], 1))
		}
	}
}

// checkSentiment cross-validates within all collections, then leaves out
// strata, and then whole collections. Rated files are scored instead where there
// are any.
func checkSentiment(j job, lex []*sentiment.Lexicon, all []opinion) error {
	cfg := sentiment.DefaultConfig()
	cfg.Members = 1 // more members add 0.1 or 0.2
	if len(j.rated) > 0 {
		return checkElsewhere(cfg, lex, all, j.rated)
	}
	scores := map[string]*matrix{}
	for fold := range min(j.fold, folds) {
		m := sentiment.Train(cfg, lex, samples(all, func(o opinion) bool { return o.fold != fold }))
		judge(m, all, scores, func(o opinion) bool { return o.fold == fold })
	}
	printScores("cross-validated", scores)
	checkStrata(cfg, lex, all)
	unseen := map[string]*matrix{}
	for _, held := range [][]string{{"umsab-en", "semeval-en"}, {"umsab-es", "tass-es"}, {"umsab-pt"}} {
		m := sentiment.Train(cfg, lex, samples(all, func(o opinion) bool { return !slices.Contains(held, o.source) }))
		judge(m, all, unseen, func(o opinion) bool { return slices.Contains(held, o.source) })
	}
	printScores("whole collections unseen", unseen)
	return nil
}

func judge(m *sentiment.Model, all []opinion, scores map[string]*matrix, pick func(opinion) bool) {
	a, s := sentiment.NewAnalyzer(m), scan.New()
	for _, o := range all {
		if !pick(o) {
			continue
		}
		if scores[o.source] == nil {
			scores[o.source] = &matrix{}
		}
		s.Scan([]byte(o.Text))
		scores[o.source][o.Label][a.Analyze(s, o.Language).Polarity]++
	}
}

func printScores(title string, scores map[string]*matrix) {
	fmt.Println(title)
	for _, c := range collections {
		if m := scores[c.name]; m != nil {
			fmt.Printf("  %-14s macro-F1 %5.2f  reversed %5.2f %%  %v\n", c.name, m.f1(), m.reversed(), *m)
		}
	}
}
