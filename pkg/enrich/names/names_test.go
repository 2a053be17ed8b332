package names

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

func TestFemale(t *testing.T) {
	table, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	s := scan.New()
	tests := []struct {
		name, country string
		low, high     float64 // of P(female)
	}{
		{"Maria Silva", "BR", 0.98, 1},
		{"João", "BR", 0, 0.02},
		{"JOSE MARIA", "ES", 0, 0.05},
		{"María José Pérez", "ES", 0.95, 1},
		{"✨ Ana ✨", "", 0.95, 1},
		{"dr. Roberto", "AR", 0, 0.03},
		{"Andrea", "ES", 0.9, 1},
		{"Mª José", "ES", 0.9, 1},
		{"José Mª", "ES", 0, 0.05},
		{"Fco. Javier", "ES", 0, 0.05},
		{"ＭＡＲＩＡ", "BR", 0.95, 1},
		{"ᴀɴᴀ", "BR", 0.95, 1},
		{"M A R I A", "BR", 0.95, 1},
		{"m4ri4", "BR", 0.95, 1},
		{"p3dr0 10", "BR", 0, 0.05},
		{"The Real Ana", "US", 0.9, 1},
		{"só a Carol", "BR", 0.9, 1},
		{"el Jose", "ES", 0, 0.05},
		{"Jen", "US", 0.9, 1},
		{"Ángel", "MX", 0, 0.1},
	}
	for _, tt := range tests {
		s.Scan([]byte(tt.name))
		p, ok := table.Female(table.Find(s), tt.country)
		if !ok || p < tt.low || p > tt.high {
			t.Errorf("%q in %q: have %.3f %v, want %v to %v", tt.name, tt.country, p, ok, tt.low, tt.high)
		}
	}
	for _, name := range []string{"", "🔥🔥", "123", "@", "x", "dr. house", "Breaking News", "3 x 1", "a b"} {
		s.Scan([]byte(name))
		if id := table.Find(s); id != NoName {
			t.Errorf("%q says something: %d", name, id)
		}
	}
	if _, ok := table.Female(NoName, "BR"); ok {
		t.Error("no name must say nothing")
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	table, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	s := scan.New()
	for _, name := range []string{"Mª José", "M A R I A", "m4ri4 the real", "Xyzzyana da Silva"} {
		text := []byte(name)
		run := func() {
			s.Scan(text)
			table.Find(s)
		}
		run()
		if n := testing.AllocsPerRun(50, run); n != 0 {
			t.Errorf("%q: %v allocations", name, n)
		}
	}
}

func FuzzFind(f *testing.F) {
	table, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("m4ri4 m a r i a 1a1 a1"))
	f.Add([]byte("Mª\xff José"))
	s := scan.New()
	f.Fuzz(func(t *testing.T, name []byte) {
		s.Scan(name)
		if id := table.Find(s); id != NoName && (!table.Has(id) || table.rows[id].Word) {
			t.Fatalf("%q: row %d", name, id)
		}
	})
}

// toy is a table of four names: two of women, two of men, old and young.
func toy() *Table {
	row := func(h uint64, women, men, young, old float64) Row {
		r := Row{Hash: h, Women: [countries]uint8{unitedStates: PackSex(women)}, Men: [countries]uint8{unitedStates: PackSex(men)}}
		r.Ages[unitedStates] = [Ages]uint8{PackAge(young / 2), PackAge(young / 2), 0, PackAge(old / 3), PackAge(old / 3), PackAge(old / 3)}
		return r
	}
	return New([]Row{row(1, 9000, 500, 8000, 1500), row(2, 9000, 300, 800, 8500), row(3, 400, 9000, 8000, 1400), row(4, 100, 9000, 700, 8400)})
}

func TestCrowd(t *testing.T) {
	c := NewCrowd(toy(), "US")
	for i := range 6000 {
		id := ID(i % 2) // women
		if i%4 == 3 {
			id = ID(2 + i/4%2)
		}
		c.Add(id)
	}
	c.Add(NoName)
	e := c.Estimate()
	if e.Hidden || e.Authors != 6001 || e.Named != 6000 {
		t.Fatalf("have %+v", e)
	}
	want := 0.77 // 75 % bear a woman's name, and some of them are men
	if got := e.Gender[0]; math.Abs(got.Share-want) > 0.04 || got.Low >= got.Share || got.High <= got.Share {
		t.Errorf("women: %+v, want about %.2f", got, want)
	}
	if len(e.Ages) != Ages {
		t.Errorf("have %d age ranges", len(e.Ages))
	}
}

func TestSmallCrowdsAreHidden(t *testing.T) {
	c := NewCrowd(toy(), "")
	for range Hidden - 1 {
		c.Add(0)
	}
	if e := c.Estimate(); !e.Hidden || e.Gender != nil || e.Ages != nil {
		t.Errorf("%d authors are shown: %+v", Hidden-1, e)
	}
}

func TestCrowdLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, whole := NewCrowd(toy(), "US"), NewCrowd(toy(), "US"), NewCrowd(toy(), "US")
		for id := range ID(4) {
			n := rapid.IntRange(0, 400).Draw(t, "n")
			for i := range n {
				whole.Add(id)
				if i%3 == 0 {
					a.Add(id)
				} else {
					b.Add(id)
				}
			}
		}
		a.Merge(b)
		merged, direct := a.Estimate(), whole.Estimate()
		if merged.Authors != direct.Authors || len(merged.Gender) != len(direct.Gender) {
			t.Fatalf("merged %+v, direct %+v", merged, direct)
		}
		for _, shares := range [][]Share{direct.Gender, direct.Ages} {
			var sum float64
			for i, s := range shares {
				sum += s.Share
				if s.Low < 0 || s.High > 1 || s.Low > s.Share || s.High < s.Share {
					t.Fatalf("share %d: %+v", i, s)
				}
			}
			if len(shares) > 0 && math.Abs(sum-1) > 1e-6 {
				t.Fatalf("shares sum to %v", sum)
			}
		}
		for i := range direct.Gender {
			if math.Abs(direct.Gender[i].Share-merged.Gender[i].Share) > 1e-9 {
				t.Fatalf("merging changes the answer: %v, %v", direct.Gender, merged.Gender)
			}
		}
	})
}

func TestLoadRefusesDamage(t *testing.T) {
	file, err := Encode(toy().rows)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err != nil {
		t.Fatal(err)
	}
	for cut := range file {
		if _, err := Load(file[:cut]); err == nil {
			t.Fatalf("a file cut at %d was read", cut)
		}
	}
}

// lands is a table of three countries with names of their own, young and old:
// names 0 and 1 of the United States, 2 and 3 of Argentina, and 4 of Brazil, which
// tells no ages.
func lands() *Table {
	var rows []Row
	for _, c := range []int{unitedStates, argentina} {
		for _, young := range []float64{0.9, 0.1} {
			r := Row{Hash: uint64(len(rows) + 1)}
			for a := range Ages {
				share := young
				if a >= Ages/2 {
					share = 1 - young
				}
				r.Ages[c][a] = PackAge(10_000 * share)
			}
			rows = append(rows, r)
		}
	}
	return New(append(rows, Row{Hash: 5, Women: [countries]uint8{brazil: PackSex(9000)}}))
}

// TestACrowdFromAnywhere is a mixture of countries, each read by its own register.
func TestACrowdFromAnywhere(t *testing.T) {
	c := NewCrowd(lands(), "")
	// All of three thousand Americans are young, and half of as many Argentines.
	for id, n := range map[ID]int{0: 2700, 1: 300, 2: 1500, 3: 1500, 4: 2000} {
		for range n {
			c.Add(id)
		}
	}
	var young float64
	for _, s := range c.Estimate().Ages[:Ages/2] {
		young += s.Share
	}
	if math.Abs(young-0.75) > 0.03 {
		t.Errorf("%.3f are young", young)
	}
}

// TestACrowdOfWhomNothingIsKnown: most come from where no ages are told.
func TestACrowdOfWhomNothingIsKnown(t *testing.T) {
	c := NewCrowd(lands(), "")
	for id, n := range map[ID]int{0: 700, 4: 5000} {
		for range n {
			c.Add(id)
		}
	}
	for _, s := range c.Estimate().Ages {
		if s.High < math.Min(1, s.Share+0.25) {
			t.Errorf("the interval is narrow: %+v", s)
		}
	}
}

// TestForeignAgesSaySo reads a crowd by another country's register of ages.
func TestForeignAgesSaySo(t *testing.T) {
	own, foreign := NewCrowd(toy(), "US"), NewCrowd(toy(), "BR")
	for i := range 4000 {
		id := ID(1 + 2*(i%2)) // names of the old
		own.Add(id)
		foreign.Add(id)
	}
	near, far := own.Estimate().Ages, foreign.Estimate().Ages
	for a, prior := range agePrior() {
		if math.Abs(far[a].Share-prior) > math.Abs(near[a].Share-prior) {
			t.Errorf("%s: a foreign register moves %.2f to %.3f, the own one to %.3f", far[a].Label, prior, far[a].Share, near[a].Share)
		}
		if far[a].High < math.Min(1, far[a].Share+0.25) {
			t.Errorf("%s: the interval of a foreign register is narrow: %+v", far[a].Label, far[a])
		}
	}
}
