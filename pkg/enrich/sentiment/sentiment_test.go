package sentiment

import (
	"math"
	"slices"
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

func shipped(t testing.TB) *Model {
	m, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAnalyze(t *testing.T) {
	a, s := NewAnalyzer(shipped(t)), scan.New()
	tests := []struct {
		code, text string
		want       Polarity
	}{
		{"en", "I love this show, best night ever 😍", Positive},
		{"en", "this is the worst, I hate it", Negative},
		{"es", "me encanta, qué maravilla de programa", Positive},
		{"es", "qué asco, no lo soporto, es horrible", Negative},
		{"pt", "amei demais, que programa maravilhoso ❤", Positive},
		{"pt", "que ridículo, odiei, pior programa", Negative},
		{"fr", "c'est magnifique", Unknown},
	}
	for _, tt := range tests {
		s.Scan([]byte(tt.text))
		if o := a.Analyze(s, LanguageIndex(tt.code)); o.Polarity != tt.want {
			t.Errorf("%q: have %s %v, want %s", tt.text, o.Polarity, o.P, tt.want)
		}
	}
}

func toy() ([]*Lexicon, []Sample) {
	var lexicons []*Lexicon
	for range Languages() {
		l := NewLexicon()
		l.AddRated("good", 3)
		l.AddRated("bad", -3)
		l.AddRole("not", "not")
		lexicons = append(lexicons, l)
	}
	var out []Sample
	for i := range 90 {
		texts := [...]string{"a bad day and a bad meal", "the train leaves at nine", "a good day and a good meal"}
		out = append(out, Sample{Language: i / 3 % 3, Label: Polarity(i % 3), Weight: 1, Text: texts[i%3]})
	}
	return lexicons, out
}

func TestRetrainingGivesTheSameModel(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Bits, cfg.Epochs, cfg.Members, cfg.Rate = 10, 8, 2, 0.1
	lexicons, samples := toy()
	first, err := Train(cfg, lexicons, samples).Encode()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := Train(cfg, lexicons, samples).Encode()
	if string(first) != string(second) {
		t.Error("two trainings on the same posts differ")
	}
	m, err := Load(first)
	if err != nil {
		t.Fatal(err)
	}
	a, s := NewAnalyzer(m), scan.New()
	for _, p := range samples {
		s.Scan([]byte(p.Text))
		if o := a.Analyze(s, p.Language); o.Polarity != p.Label {
			t.Fatalf("%q: have %s, want %s", p.Text, o.Polarity, p.Label)
		}
	}
	s.Scan([]byte("good"))
	plain := a.Analyze(s, 0)
	s.Scan([]byte("not good"))
	if o := a.Analyze(s, 0); o.P[Positive] >= plain.P[Positive] {
		t.Error("a negator must lower what follows")
	}
	for cut := 0; cut < len(first); cut += 11 {
		if _, err := Load(first[:cut]); err == nil {
			t.Fatalf("a file cut at %d was read", cut)
		}
	}
}

// What is learnt of one good word after "so" must hold for another.
func TestPairsWithTheLeaning(t *testing.T) {
	const so, great, lovely, table = 11, 12, 13, 14
	after := func(word uint64, lean leaning) []uint64 {
		var y tally
		y.join(so, level)
		pairs, n := y.join(word, lean)
		return pairs[:n]
	}
	tests := []struct {
		name   string
		have   []uint64
		pairs  int
		shared int // with "so great"
	}{
		{"the same word", after(great, good), 2, 2},
		{"another good word", after(lovely, good), 2, 1},
		{"a bad word", after(lovely, bad), 2, 0},
		{"a level word", after(table, level), 1, 0},
	}
	for _, tt := range tests {
		shared := 0
		for _, h := range after(great, good) {
			if slices.Contains(tt.have, h) {
				shared++
			}
		}
		if len(tt.have) != tt.pairs || shared != tt.shared {
			t.Errorf("%s: have %d pairs and %d shared, want %d and %d", tt.name, len(tt.have), shared, tt.pairs, tt.shared)
		}
	}
	var y tally
	y.join(great, good)
	y.pause()
	if _, n := y.join(lovely, good); n != 0 {
		t.Errorf("have %d pairs across a pause", n)
	}
}

func TestCorrect(t *testing.T) {
	confusion := [3][3]float64{{.7, .2, .1}, {.15, .7, .15}, {.1, .2, .7}}
	truth := [3]float64{.6, .3, .1}
	var counts [3]float64
	for i, p := range truth {
		for j := range counts {
			counts[j] += 10_000 * p * confusion[i][j]
		}
	}
	c := Correct(counts, confusion)
	for i := range truth {
		if math.Abs(c.Share[i]-truth[i]) > 0.02 || c.Low[i] > truth[i] || c.High[i] < truth[i] {
			t.Errorf("class %d: have %.3f [%.3f, %.3f], want %.3f", i, c.Share[i], c.Low[i], c.High[i], truth[i])
		}
	}
	if c := Correct([3]float64{}, confusion); c.High != [3]float64{1, 1, 1} {
		t.Error("no posts must say nothing")
	}
}

func TestNoAllocations(t *testing.T) {
	a, s := NewAnalyzer(shipped(t)), scan.New()
	s.Scan([]byte("não gostei nada desse programa, que absurdo!!! 😡 #show"))
	run := func() { a.Analyze(s, 2) }
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations a post", n)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	a, s := NewAnalyzer(shipped(b)), scan.New()
	s.Scan([]byte("hoje à noite não acredito que ele saiu do programa, que absurdo, quero meu voto de volta já"))
	for b.Loop() {
		a.Analyze(s, 2)
	}
}
