package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/enrich/lang"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const folds = 5

// crossValidate trains on four fifths of the tweets and prints the scores of
// the last one.
func (c *corpus) crossValidate(run int) error {
	score, err := c.validate(run)
	if err != nil {
		return err
	}
	score.print()
	return nil
}

func (c *corpus) validate(run int) (*languageScore, error) {
	score := newLanguageScore()
	for fold := range min(run, folds) {
		train, held := split(c.tweets, fold)
		trainO, heldO := split(c.others, fold)
		m := lang.Train(c.config(), c.stream(train, trainO))
		if err := score.add(m, held, heldO); err != nil {
			return nil, err
		}
	}
	return score, nil
}

// percent is the share of right answers counted under a key.
func (s *languageScore) percent(key string) float64 {
	t := s.acc[key]
	if t == nil || t.all == 0 {
		return 0
	}
	return 100 * float64(t.right) / float64(t.all)
}

func split(all []labelled, fold int) (train, held []labelled) {
	for i, t := range all {
		if i%folds == fold {
			held = append(held, t)
		} else {
			train = append(train, t)
		}
	}
	return train, held
}

// tally counts right answers.
type tally struct{ right, all int }

func (t *tally) add(ok bool) {
	t.all++
	if ok {
		t.right++
	}
}

type languageScore struct {
	acc     map[string]*tally
	byClass map[string]map[string]*[3]int // setting -> class -> hits, answered, wanted
	pairs   map[string]int
}

func newLanguageScore() *languageScore {
	return &languageScore{acc: map[string]*tally{}, byClass: map[string]map[string]*[3]int{}, pairs: map[string]int{}}
}

func (s *languageScore) count(key string, ok bool) {
	if s.acc[key] == nil {
		s.acc[key] = &tally{}
	}
	s.acc[key].add(ok)
}

func (s *languageScore) add(m *lang.Model, held, others []labelled) error {
	market, err := m.NewPrior([]string{"es", "pt", "en"}, nil)
	if err != nil {
		return err
	}
	six := []string{"ca", "en", "es", "eu", "gl", "pt"}
	soft, _ := m.NewPrior(six, nil)
	hard, _ := m.NewPrior(nil, six)
	d, sc, names := lang.NewDetector(m), scan.New(), m.Names()
	for _, t := range held {
		sc.Scan([]byte(t.text))
		g := d.Detect(sc, nil)
		s.official("none", t.label, answer(names, g))
		s.official("prior6", t.label, answer(names, d.Detect(sc, soft)))
		s.official("only6", t.label, answer(names, d.Detect(sc, hard)))
		if t.label == "es" || t.label == "pt" || t.label == "en" {
			s.market(t, names[g.Class], "", g)
			gm := d.Detect(sc, market)
			s.market(t, names[gm.Class], " market", gm)
		}
	}
	for _, t := range others {
		sc.Scan([]byte(t.text))
		g := d.Detect(sc, nil)
		s.count("other "+t.label, answer(names, g) == t.label)
	}
	return nil
}

func answer(names []string, g lang.Guess) string {
	if !g.Sure {
		return lang.Undetermined
	}
	return names[g.Class]
}

func (s *languageScore) market(t labelled, got, setting string, g lang.Guess) {
	ok := got == t.label && g.Sure
	n := utf8.RuneCountInString(t.text)
	s.count("all"+setting, ok)
	if n <= 30 {
		s.count("<=30"+setting, ok)
	}
	if n <= 15 {
		s.count("<=15"+setting, ok)
	}
	if g.P >= 0.9 {
		s.count("p>=.9"+setting, ok)
	}
	if setting == "" && !ok {
		if !g.Sure {
			got = "und"
		}
		s.pairs[t.label+">"+got]++
	}
}

// official scores as TweetLID did: macro-F1 over the languages and "und".
func (s *languageScore) official(setting, label, got string) {
	if s.byClass[setting] == nil {
		s.byClass[setting] = map[string]*[3]int{}
	}
	at := func(c string) *[3]int {
		if s.byClass[setting][c] == nil {
			s.byClass[setting][c] = &[3]int{}
		}
		return s.byClass[setting][c]
	}
	if label == "other" {
		label = "und"
	}
	wanted := strings.FieldsFunc(label, func(r rune) bool { return r == '+' || r == '/' })
	hit := slices.Contains(wanted, got)
	if strings.Contains(label, "/") {
		return
	}
	switch got {
	case "ca", "en", "es", "eu", "gl", "pt":
	default:
		got = "und"
	}
	at(got)[1]++
	if hit || label == got {
		at(got)[0]++
	}
	for _, w := range wanted {
		at(w)[2]++
	}
}

func (s *languageScore) print() {
	for _, k := range slices.Sorted(maps.Keys(s.acc)) {
		t := s.acc[k]
		fmt.Printf("%-16s %6.2f %% of %d\n", k, s.percent(k), t.all)
	}
	for _, setting := range slices.Sorted(maps.Keys(s.byClass)) {
		var sum float64
		line := ""
		for _, c := range slices.Sorted(maps.Keys(s.byClass[setting])) {
			v := s.byClass[setting][c]
			f := 2 * float64(v[0]) / float64(v[1]+v[2])
			sum += f
			line += fmt.Sprintf(" %s %.3f", c, f)
		}
		fmt.Printf("macro-F1 %-8s %.4f %s\n", setting, sum/float64(len(s.byClass[setting])), line)
	}
	keys := slices.SortedFunc(maps.Keys(s.pairs), func(a, b string) int { return s.pairs[b] - s.pairs[a] })
	for _, k := range keys[:min(25, len(keys))] {
		fmt.Printf("%s:%d ", k, s.pairs[k])
	}
	fmt.Println()
}
