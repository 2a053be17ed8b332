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
	habits := habitsOf(m, held)
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
			author := new(lang.Prior)
			if c := habits.next(t.label); c >= 0 {
				m.Declare(nil, c, author)
			}
			ga := d.Detect(sc, author)
			s.market(t, names[ga.Class], " author", ga)
		}
	}
	for _, t := range others {
		sc.Scan([]byte(t.text))
		g := d.Detect(sc, nil)
		s.count("other "+t.label, answer(names, g) == t.label)
	}
	return nil
}

// habits are the languages that a capture service would take authors to write in
// who wrote five posts of one label before; -1 where it would not tell.
type habits struct {
	byLabel map[string][]int // from every run of five posts
	at      map[string]int
}

func habitsOf(m *lang.Model, held []labelled) *habits {
	h := &habits{byLabel: map[string][]int{}, at: map[string]int{}}
	d, sc := lang.NewDetector(m), scan.New()
	earlier := map[string][]int{}
	for _, t := range held {
		class := -1
		sc.Scan([]byte(t.text))
		if g := d.Detect(sc, nil); g.Sure && g.P >= 0.9 {
			class = g.Class
		}
		if earlier[t.label] = append(earlier[t.label], class); len(earlier[t.label]) == 5 {
			h.byLabel[t.label] = append(h.byLabel[t.label], ahead(earlier[t.label]))
			earlier[t.label] = nil
		}
	}
	return h
}

// ahead is the class that leads the others together by two; -1 if none does.
func ahead(classes []int) int {
	counts, all := map[int]int{}, 0
	for _, c := range classes {
		if c >= 0 {
			counts[c]++
			all++
		}
	}
	for c, n := range counts {
		if n >= all-n+2 {
			return c
		}
	}
	return -1
}

// next is the habit of another author of that label.
func (h *habits) next(label string) int {
	all := h.byLabel[label]
	if len(all) == 0 {
		return -1
	}
	h.at[label]++
	return all[h.at[label]%len(all)]
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
