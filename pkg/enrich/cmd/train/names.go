package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

const (
	referenceYear = 2025
	fewestPeople  = 15   // names rarer than this in all registers are left out
	fewestOfWord  = 400  // people who make a name of an everyday word
	nameWords     = 6000 // everyday words of each language
	youngest      = 13
)

// register is the people of one name, by country of names.Codes.
type register struct {
	women, men [4]float64
	ages       [4][names.Ages]float64
}

type registers struct {
	byName map[string]*register
	births [4]*births // of the countries that tell years of birth
	words  map[uint64]bool
}

func newRegisters() *registers {
	return &registers{byName: map[string]*register{}, births: [4]*births{2: newBirths(1930, lastBorn), 3: newBirths(1940, lastBorn)}}
}

func (r *registers) of(name string) *register {
	name = spelling(name)
	if r.byName[name] == nil {
		r.byName[name] = &register{}
	}
	return r.byName[name]
}

// spelling is the form in which registers agree on a name.
func spelling(name string) string { return strings.ToLower(bare(strings.TrimSpace(name))) }

func readRegisters(data string) (*registers, error) {
	r := newRegisters()
	dir := filepath.Join(data, "names")
	for _, read := range []func(string) error{r.readBrazil, r.readUnitedStates, r.readArgentina, r.readSpain} {
		if err := read(dir); err != nil {
			return nil, err
		}
	}
	return r, r.readWords(data)
}

// readWords takes the words that are no name unless many bear it.
func (r *registers) readWords(data string) error {
	r.words = map[uint64]bool{}
	s := scan.New()
	for _, code := range []string{"en", "es", "pt"} {
		lines, err := readLines(data, "langid", "words", code+".txt.gz")
		if err != nil {
			return err
		}
		for _, l := range lines[:nameWords] {
			word, _, _ := strings.Cut(l, " ")
			if _, folded, ok := s.WordHash(word); ok {
				r.words[folded] = true
			}
		}
	}
	return nil
}

func (r *registers) readBrazil(dir string) error {
	for _, file := range []string{"br_ibge_f.csv.gz", "br_ibge_m.csv.gz"} {
		lines, err := readLines(dir, file)
		if err != nil {
			return err
		}
		for _, l := range lines {
			f := strings.Split(l, ",")
			if len(f) < 6 {
				continue
			}
			women, _ := strconv.ParseFloat(f[3], 64)
			men, _ := strconv.ParseFloat(f[4], 64)
			n := r.of(f[2])
			n.women[0], n.men[0] = max(n.women[0], women), max(n.men[0], men)
		}
	}
	return nil
}

func bounds(a int) (low, high float64) {
	edges := [...]float64{youngest, 18, 25, 35, 50, 65, 110}
	return edges[a], edges[a+1]
}

func (r *registers) readUnitedStates(dir string) error {
	lines, err := readLines(dir, "us_ssa_by_year.tsv.gz")
	for _, l := range lines {
		f := strings.Split(l, "\t")
		if len(f) != 3 {
			continue
		}
		n := r.of(f[0])
		eachYear(f[2], func(year int, births float64) {
			r.births[2].add(spelling(f[0]), year, births)
			alive := births
			if f[1] == "F" {
				alive *= womens.survival(referenceYear - year)
				n.women[2] += alive
			} else {
				alive *= mens.survival(referenceYear - year)
				n.men[2] += alive
			}
			if a := rangeOf(referenceYear - year); a >= 0 {
				n.ages[2][a] += alive
			}
		})
	}
	return err
}

// readArgentina tells ages only: its register has no sexes.
func (r *registers) readArgentina(dir string) error {
	lines, err := readLines(dir, "ar_firstname_by_year.tsv.gz")
	for _, l := range lines {
		name, years, _ := strings.Cut(l, "\t")
		n := r.of(name)
		eachYear(years, func(year int, births float64) {
			r.births[3].add(spelling(name), year, births)
			if a := rangeOf(referenceYear - year); a >= 0 {
				n.ages[3][a] += births * anybody.survival(referenceYear-year)
			}
		})
	}
	return err
}

func eachYear(years string, visit func(int, float64)) {
	for part := range strings.FieldsSeq(years) {
		y, n, _ := strings.Cut(part, ":")
		year, err1 := strconv.Atoi(y)
		births, err2 := strconv.ParseFloat(n, 64)
		if err1 == nil && err2 == nil {
			visit(year, births)
		}
	}
}

func rangeOf(age int) int {
	for a := range names.Ages {
		if low, high := bounds(a); float64(age) >= low && float64(age) < high {
			return a
		}
	}
	return -1
}

func (r *registers) rows() []names.Row {
	regs, letters := r.byHash()
	addNicknames(regs)
	endings := map[uint64]*register{}
	for _, h := range slices.Sorted(maps.Keys(regs)) {
		word := letters[h]
		for n := 2; n <= 5 && n < len(word); n++ {
			e := names.EndingHash(word[len(word)-n:])
			if endings[e] == nil {
				endings[e] = &register{}
			}
			endings[e].addRoot(regs[h])
		}
	}
	out := make([]names.Row, 0, len(regs)+len(endings)+len(r.words))
	for h := range r.words {
		if reg := regs[h]; reg == nil || reg.people() < fewestOfWord {
			delete(regs, h)
			out = append(out, names.Row{Hash: h, Word: true})
		}
	}
	for h, reg := range regs {
		if reg.people() >= fewestPeople {
			out = append(out, reg.row(h))
		}
	}
	for h, reg := range endings {
		if reg.people() >= 60 && regs[h] == nil && !r.words[h] {
			row := reg.row(h)
			row.Ending = true
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b names.Row) int { return cmp.Compare(a.Hash, b.Hash) })
	return out
}

// byHash merges the spellings that a scan does not tell apart. Longer names go
// to the part of them that will be looked up.
func (r *registers) byHash() (map[uint64]*register, map[uint64][]rune) {
	regs, letters := map[uint64]*register{}, map[uint64][]rune{}
	s := scan.New()
	sorted := slices.Sorted(mapKeys(r.byName))
	slices.SortStableFunc(sorted, func(a, b string) int { return strings.Count(a, " ") - strings.Count(b, " ") })
	for _, name := range sorted {
		h, word := nameHash(s, name, regs)
		if h == 0 {
			continue
		}
		if regs[h] == nil {
			regs[h], letters[h] = &register{}, slices.Clone(word)
		}
		regs[h].addAll(r.byName[name])
	}
	return regs, letters
}

func (g *register) addAll(o *register) {
	for c := range g.women {
		g.women[c] += o.women[c]
		g.men[c] += o.men[c]
		for a := range names.Ages {
			g.ages[c][a] += o.ages[c][a]
		}
	}
}

// nameHash is the hash of one word, or of the first two together; of three or
// more, whichever of these is known.
func nameHash(s *scan.Scanner, name string, known map[uint64]*register) (uint64, []rune) {
	s.Scan([]byte(name))
	var words []scan.Token
	for _, t := range s.Tokens {
		if t.Kind == scan.Word && t.Runes > 1 {
			words = append(words, t)
		}
	}
	if len(words) == 0 {
		return 0, nil
	}
	if len(words) == 1 {
		return words[0].Folded, s.Letters[words[0].First : words[0].First+words[0].Runes]
	}
	both := scan.Mix(words[0].Folded, words[1].Folded)
	if len(words) > 2 && known[both] == nil {
		return words[0].Folded, nil
	}
	return both, nil
}

func (g *register) people() (n float64) {
	for c := range g.women {
		n += g.women[c] + g.men[c]
		if c == 3 {
			for _, a := range g.ages[c] {
				n += a
			}
		}
	}
	return n
}

// addRoot adds a name to its ending by the root of its people: an unknown name
// is more like the many rare ones than like the one everybody has.
func (g *register) addRoot(o *register) {
	for c := range g.women {
		if all := o.women[c] + o.men[c]; all > 0 {
			g.women[c] += o.women[c] / math.Sqrt(all)
			g.men[c] += o.men[c] / math.Sqrt(all)
		}
	}
}

func (g *register) row(h uint64) names.Row {
	row := names.Row{Hash: h}
	for c := range g.women {
		row.Women[c], row.Men[c] = names.PackSex(g.women[c]), names.PackSex(g.men[c])
		for a := range names.Ages {
			row.Ages[c][a] = names.PackAge(g.ages[c][a])
		}
	}
	return row
}

func trainNames(j job) error {
	r, err := readRegisters(j.data)
	if err != nil {
		return err
	}
	if j.check {
		return checkNames(r)
	}
	rows := r.rows()
	file, err := names.Encode(rows)
	if err != nil {
		return err
	}
	fmt.Printf("names: %d rows, %d bytes\n", len(rows), len(file))
	return os.WriteFile(filepath.Join(j.out, "names", "names.model"), file, 0o644)
}
