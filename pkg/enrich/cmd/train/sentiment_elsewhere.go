package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// checkElsewhere scores English texts of domains that no collection has: files
// of lines "id<TAB>mean rating from -4 to 4<TAB>text", as the authors of VADER
// publish them (Hutto and Gilbert, ICWSM 2014). They are never learnt from. Raters
// rarely agree on exactly nothing, so a text is neutral within a bound, and the
// score is told for several. It is told for a model without the labelled
// English as well.
func checkElsewhere(cfg sentiment.Config, lex []*sentiment.Lexicon, all []opinion, files []string) error {
	english := sentiment.LanguageIndex("en")
	models := []struct {
		name string
		keep func(opinion) bool
	}{
		{"all", func(opinion) bool { return true }},
		{"no labelled English but weak labels", func(o opinion) bool { return o.Language != english || o.source == "emoevent-en" }},
	}
	for _, which := range models {
		m := sentiment.Train(cfg, lex, samples(all, which.keep))
		fmt.Printf("texts from elsewhere, learnt from: %s\n", which.name)
		for _, file := range files {
			for _, bound := range []float64{0.25, 0.5, 0.75, 1} {
				texts, err := readRated(file, bound)
				if err != nil {
					return err
				}
				scores := map[string]*matrix{}
				judge(m, texts, scores, func(opinion) bool { return true })
				s := scores[file]
				fmt.Printf("  %-36s neutral to %.2f  macro-F1 %5.2f  reversed %5.2f %%  %v\n", filepath.Base(file), bound, s.f1(), s.reversed(), *s)
			}
		}
	}
	return nil
}

func readRated(file string, bound float64) ([]opinion, error) {
	lines, err := readLines(file)
	if err != nil {
		return nil, err
	}
	var out []opinion
	for i, line := range lines {
		fields := strings.SplitN(line, "\t", 3)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%s: line %d is not id, rating and text", file, i+1)
		}
		rating, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", file, i+1, err)
		}
		label := sentiment.Neutral
		switch {
		case rating > bound:
			label = sentiment.Positive
		case rating < -bound:
			label = sentiment.Negative
		}
		out = append(out, opinion{
			Sample: sentiment.Sample{Language: sentiment.LanguageIndex("en"), Label: label, Text: strings.ToValidUTF8(fields[2], "")},
			source: file, at: i,
		})
	}
	return out, nil
}
