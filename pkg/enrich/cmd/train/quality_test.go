package main

import (
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// sharedData finds the handed-out data. The tests that prove quality train on
// one part of them and score another; the race detector would make them take
// minutes and find nothing, since training is one goroutine.
func sharedData(t *testing.T) string {
	if raceEnabled || testing.Short() {
		t.Skip("proofs of quality run without the race detector and not in short mode")
	}
	return enrichtest.Data(t)
}

func atLeast(t *testing.T, what string, have, want float64) {
	t.Helper()
	t.Logf("%s: %.2f", what, have)
	if have < want {
		t.Errorf("%s: have %.2f, want at least %.2f", what, have, want)
	}
}

// TestLanguageQuality trains a smaller model than the shipped one, on fewer
// made-up posts, and scores it on tweets it never saw.
func TestLanguageQuality(t *testing.T) {
	t.Parallel()
	c, err := readCorpus(sharedData(t))
	if err != nil {
		t.Fatal(err)
	}
	c.synth, c.epochs = 2000, 2
	s, err := c.validate(1)
	if err != nil {
		t.Fatal(err)
	}
	atLeast(t, "es, pt, en tweets", s.percent("all"), 93.5)
	atLeast(t, "up to 30 characters", s.percent("<=30"), 86)
	atLeast(t, "with the market's prior", s.percent("all market"), 96)
	atLeast(t, "up to 30 characters, with the prior", s.percent("<=30 market"), 91.5)
	atLeast(t, "of those at p >= .9", s.percent("p>=.9"), 97.5)
}

func TestSentimentQuality(t *testing.T) {
	t.Parallel()
	data := sharedData(t)
	lex, err := readLexicons(data)
	if err != nil {
		t.Fatal(err)
	}
	all, err := readOpinions(data)
	if err != nil {
		t.Fatal(err)
	}
	cfg := sentiment.DefaultConfig()
	cfg.Members = 1
	all = slices.DeleteFunc(all, func(o opinion) bool { return o.source == "semeval-en" && o.at%5 != 0 })
	scores := map[string]*matrix{}
	for fold := range 2 {
		m := sentiment.Train(cfg, lex, samples(all, func(o opinion) bool { return o.fold != fold }))
		judge(m, all, scores, func(o opinion) bool { return o.fold == fold })
	}
	atLeast(t, "English", scores["umsab-en"].f1(), 62)
	atLeast(t, "Spanish", scores["umsab-es"].f1(), 60)
	atLeast(t, "Portuguese", scores["umsab-pt"].f1(), 60)
	atLeast(t, "not reversed, Spanish", 100-scores["umsab-es"].reversed(), 91)
	atLeast(t, "not reversed, Portuguese", 100-scores["umsab-pt"].reversed(), 92)
	var sum, countries float64
	for _, s := range strata {
		if s.source == "tass-es" {
			sum += s.unseen(cfg, lex, all).f1()
			countries++
		}
	}
	atLeast(t, "Spanish of an unseen country", sum/countries, 57)
}

func TestPlaceQuality(t *testing.T) {
	t.Parallel()
	data := sharedData(t)
	a, err := readAtlas(data, false)
	if err != nil {
		t.Fatal(err)
	}
	seen, own, err := scorePlaces(data, a)
	if err != nil {
		t.Fatal(err)
	}
	atLeast(t, "country precision", seen.precision(), 95)
	atLeast(t, "country recall", seen.recall(), 90)
	atLeast(t, "city", seen.cityRate(), 85)
	atLeast(t, "own country recall", own.recall(), 95)
	atLeast(t, "no place refused", own.refusal(), 95)
}
