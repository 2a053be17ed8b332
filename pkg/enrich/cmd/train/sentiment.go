package main

import (
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
)

// collections are the labelled posts, and how much each is believed.
var collections = []struct {
	name, language string
	files          []string
	weight         float32
}{
	{"umsab-en", "en", []string{"umsab_english_train.tsv.gz", "umsab_english_val.tsv.gz"}, 1},
	{"umsab-es", "es", []string{"umsab_spanish_train.tsv.gz", "umsab_spanish_val.tsv.gz"}, 1},
	{"umsab-pt", "pt", []string{"umsab_portuguese_train.tsv.gz", "umsab_portuguese_val.tsv.gz"}, 1},
	{"semeval-en", "en", []string{"semeval_2013_2016.tsv.gz"}, 1},
	{"tass-es", "es", []string{"tass2020.tsv.gz"}, 1},
	{"afrisenti-pt", "pt", []string{"afrisenti_pt_mz.tsv.gz"}, 1},
	{"emoevent-es", "es", []string{"emoevent_es.tsv.gz"}, 0.2},
	{"emoevent-en", "en", []string{"emoevent_en.tsv.gz"}, 0.1},
}

// opinion is a labelled post with where it came from.
type opinion struct {
	sentiment.Sample
	source string
	at     int // place in the collection
	fold   int
}

var polarities = map[string]sentiment.Polarity{"neg": sentiment.Negative, "neu": sentiment.Neutral, "pos": sentiment.Positive}

// readOpinions reads all collections. Within each the classes are weighted to
// be equal, since a show's mix is not the collection's.
func readOpinions(data string) ([]opinion, error) {
	var out []opinion
	for _, c := range collections {
		var rows []labelled
		for _, f := range c.files {
			part, err := readLabelled(data, "sentiment", f)
			if err != nil {
				return nil, err
			}
			rows = append(rows, part...)
		}
		out = append(out, balanced(c.name, c.language, c.weight, rows)...)
	}
	return out, nil
}

func balanced(name, language string, weight float32, rows []labelled) []opinion {
	var counts [3]int
	for _, r := range rows {
		counts[polarities[r.label]]++
	}
	out := make([]opinion, len(rows))
	for i, r := range rows {
		label := polarities[r.label]
		out[i] = opinion{
			Sample: sentiment.Sample{
				Language: sentiment.LanguageIndex(language), Label: label, Text: r.text,
				Weight: weight * float32(len(rows)) / (3 * float32(counts[label])),
			},
			source: name, at: i, fold: foldOf(r.text),
		}
	}
	return out
}

var handles = regexp.MustCompile(`@\w+|https?\S*|\\u[0-9a-f]{4}|\\n`)

// foldOf sends copies of one text to one fold, however they were anonymised.
func foldOf(text string) int {
	h := fnv.New32a()
	for _, r := range handles.ReplaceAllString(strings.ToLower(text), "") {
		if unicode.IsLetter(r) && r < 0x80 {
			_, _ = h.Write([]byte{byte(r)})
		}
	}
	return int(h.Sum32() % folds)
}

func trainSentiment(j job) error {
	lex, err := readLexicons(j.data)
	if err != nil {
		return err
	}
	all, err := readOpinions(j.data)
	if err != nil {
		return err
	}
	if j.check {
		return checkSentiment(j, lex, all)
	}
	m := sentiment.Train(sentiment.DefaultConfig(), lex, samples(all, func(opinion) bool { return true }))
	addConfusion(m, lex, all)
	file, err := m.Encode()
	if err != nil {
		return err
	}
	fmt.Printf("sentiment: %d samples, %d bytes\n", len(all), len(file))
	return os.WriteFile(filepath.Join(j.out, "sentiment", "sentiment.model"), file, 0o644)
}

// addConfusion measures on two held-out folds how the model confuses.
func addConfusion(m *sentiment.Model, lex []*sentiment.Lexicon, all []opinion) {
	cfg := sentiment.DefaultConfig()
	cfg.Members = 1
	scores := map[string]*matrix{}
	for fold := range 2 {
		part := sentiment.Train(cfg, lex, samples(all, func(o opinion) bool { return o.fold != fold }))
		judge(part, all, scores, func(o opinion) bool { return o.fold == fold })
	}
	for l, code := range sentiment.Languages() {
		var rates [3][3]float64
		for _, c := range collections {
			if c.language == code && c.weight == 1 {
				scores[c.name].addRates(&rates)
			}
		}
		for i := range rates {
			sum := rates[i][0] + rates[i][1] + rates[i][2]
			for j := range rates[i] {
				rates[i][j] /= sum
			}
		}
		m.SetConfusion(l, rates)
	}
}

func samples(all []opinion, keep func(opinion) bool) []sentiment.Sample {
	var out []sentiment.Sample
	for _, o := range all {
		if keep(o) {
			out = append(out, o.Sample)
		}
	}
	return out
}
