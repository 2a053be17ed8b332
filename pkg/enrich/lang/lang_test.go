package lang

import (
	"math/rand/v2"
	"strings"
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

func TestDetect(t *testing.T) {
	m := shipped(t)
	d, s := NewDetector(m), scan.New()
	for want, texts := range map[string][]string{
		"pt": {"não acredito que ele saiu do programa", "que jogo foi esse minha gente"},
		"es": {"no me puedo creer lo que acaba de pasar", "qué partidazo de la selección"},
		"en": {"I can't believe what just happened tonight", "what a goal"},
		"ca": {"això no pot ser, quin partit més dolent"},
		"eu": {"ezin dut sinetsi gertatu dena"},
		"fr": {"je ne peux pas y croire, quel match"},
		"de": {"ich kann das nicht glauben, was für ein Spiel"},
		"ja": {"今日の試合は本当にすごかった"},
		"ar": {"لا أصدق ما حدث الليلة"},
		"ru": {"не могу поверить в то что случилось"},
		"ko": {"오늘 경기 정말 대박이다"},
		"el": {"δεν το πιστεύω αυτό που έγινε"},
		"ka": {"გამარჯობა როგორ ხარ"},
		"und": {"", "😂😂", "12345 !!!", "@a @b https://t.co/x", "kkkkkk", "JAJAJAJA 😂", "haha hehe", "rsrsrs", "aaaaaa", "asdfghjkl",
			"jajsjajsj", "xD", "huehuehue", "ሰላም ለሁሉም", "ಎಲ್ಲರಿಗೂ ನಮಸ್ಕಾರ"},
	} {
		for _, text := range texts {
			s.Scan([]byte(text))
			g := d.Detect(s, nil)
			got := Undetermined
			if g.Sure {
				got = m.names[g.Class]
			}
			if got != want {
				t.Errorf("%q: have %s (%.2f), want %s", text, got, g.P, want)
			}
		}
	}
}

// TestMuteWordsAmongOthers tell what they can, and words that look like them are
// words.
func TestMuteWordsAmongOthers(t *testing.T) {
	for _, text := range []string{"kkkkk que isso", "jajaja no puedo más", "flash", "salad", "ja", "há", "hija", "oh", "shall", "risas"} {
		s := scan.New()
		s.Scan([]byte(text))
		d := NewDetector(shipped(t))
		if d.Detect(s, nil); !d.heard {
			t.Errorf("%q is mute", text)
		}
	}
}

func TestPrior(t *testing.T) {
	m := shipped(t)
	d, s := NewDetector(m), scan.New()
	only, err := m.NewPrior(nil, []string{"pt", "ES"})
	if err != nil {
		t.Fatal(err)
	}
	s.Scan([]byte("what a lovely evening this is"))
	if g := d.Detect(s, only); g.Class != m.Index("pt") && g.Class != m.Index("es") {
		t.Errorf("answered %s, which was ruled out", m.names[g.Class])
	}
	likely, _ := m.NewPrior([]string{"pt"}, nil)
	s.Scan([]byte("casa"))
	before, _ := d.Detect(s, nil), 0
	after := d.Detect(s, likely)
	if after.Class != m.Index("pt") {
		t.Errorf("a show in Portuguese: have %s, before %s", m.names[after.Class], m.names[before.Class])
	}
	if _, err := m.NewPrior([]string{"xx"}, nil); err == nil {
		t.Error("an unknown language must be an error")
	}
	if m.Index("pt-BR") != m.Index("pt") || m.Index("EN_us") != m.Index("en") || m.Index("") != -1 {
		t.Error("regions and case must not count")
	}
}

// toy makes posts of three made-up languages.
func toy(epoch int, emit func([]byte, []Share)) {
	words := [][]string{{"ka", "kamo", "tiko", "roka"}, {"zul", "zuvem", "plud", "uzzem"}, {"ehi", "aiee", "hiae", "ieha"}}
	rng := rand.New(rand.NewPCG(1, uint64(epoch)))
	for range 600 {
		c := rng.IntN(3)
		post := make([]string, 1+rng.IntN(4))
		for i := range post {
			post[i] = words[c][rng.IntN(4)]
		}
		emit([]byte(strings.Join(post, " ")), []Share{{Class: c, Weight: 1}})
	}
}

func TestRetrainingGivesTheSameModel(t *testing.T) {
	cfg := Config{Names: []string{"aa", "bb", "cc", Undetermined}, Bits: 10, Epochs: 2, Rate: 0.5, Scale: 1}
	first, err := Train(cfg, toy).Encode()
	if err != nil {
		t.Fatal(err)
	}
	second, _ := Train(cfg, toy).Encode()
	if string(first) != string(second) {
		t.Error("two trainings on the same posts differ")
	}
	m, err := Load(first)
	if err != nil {
		t.Fatal(err)
	}
	d, s, right := NewDetector(m), scan.New(), 0
	toy(9, func(text []byte, target []Share) {
		s.Scan(text)
		if d.Detect(s, nil).Class == target[0].Class {
			right++
		}
	})
	if right != 600 {
		t.Errorf("%d of 600 right, want all", right)
	}
}

func TestLoadRefusesDamage(t *testing.T) {
	file, _ := Train(Config{Names: []string{"aa", Undetermined}, Bits: 6, Epochs: 1, Rate: 0.5, Scale: 1}, toyTwo).Encode()
	for cut := 0; cut < len(file); cut += 7 {
		if _, err := Load(file[:cut]); err == nil {
			t.Fatalf("a file cut at %d was read", cut)
		}
	}
}

func toyTwo(_ int, emit func([]byte, []Share)) { emit([]byte("ka"), []Share{{Class: 0, Weight: 1}}) }

func TestNoAllocations(t *testing.T) {
	d, s := NewDetector(shipped(t)), scan.New()
	text := []byte("não acredito que ele saiu do programa agora, que absurdo")
	run := func() {
		s.Scan(text)
		d.Detect(s, nil)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations a post", n)
	}
}

func BenchmarkDetectNewWords(b *testing.B) {
	d, s := NewDetector(shipped(b)), scan.New()
	s.Scan([]byte("hoje à noite não acredito que ele saiu do programa, que absurdo, quero meu voto de volta já"))
	for b.Loop() {
		clear(d.memo)
		d.Detect(s, nil)
	}
}

func BenchmarkDetect(b *testing.B) {
	d, s := NewDetector(shipped(b)), scan.New()
	s.Scan([]byte("hoje à noite não acredito que ele saiu do programa, que absurdo, quero meu voto de volta já"))
	for b.Loop() {
		d.Detect(s, nil)
	}
}
