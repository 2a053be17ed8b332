// Package names tells what first names say about a crowd: the shares of women
// and men and of age ranges, with intervals. It never says anything about a
// person: a name's own probability exists for the tool that explains the
// model, and nowhere else.
//
// Averaging a guess for each person would return the model's own prior however
// large the crowd. The trick is to ask which mixture of cohorts would likeliest
// produce the crowd's names.
package names

import (
	"fmt"
	"math"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
	"github.com/clamor-live/clamor/pkg/enrich/scan"
)

// ID is a row of the table: a name, or the ending of an unknown one. It is all
// that is kept of an author's display name.
type ID int32

// NoName is the ID of display names that say nothing.
const NoName ID = -1

// The countries with a register of names, and that part of them that tells
// ages.
const (
	brazil = iota
	spain
	unitedStates
	argentina
	countries
)

// Codes lists the countries of the table.
func Codes() [countries]string { return [countries]string{"BR", "ES", "US", "AR"} }

// Ages is the number of age ranges.
const Ages = 6

// AgeLabels names the age ranges.
func AgeLabels() [Ages]string {
	return [Ages]string{"13-17", "18-24", "25-34", "35-49", "50-64", "65+"}
}

const (
	kind    = "NAME"
	version = 3
)

// Row is what the registers say of a name; counts are kept as logarithms.
type Row struct {
	Hash   uint64
	Women  [countries]uint8
	Men    [countries]uint8
	Ages   [countries][Ages]uint8
	Ending bool // stands for all rarer names with this ending
	Word   bool // a word of everyday language, which is no name
}

// Steps of a count for each doubling of it, in a byte: a few names have ten
// million people, and of one range two million at most. Ranges overlap, so that
// their counts must be kept finer.
const (
	sexSteps = 8
	ageSteps = 12
)

// PackSex keeps the people of one sex in a byte, to 4 %.
func PackSex(n float64) uint8 { return pack(n, sexSteps) }

// PackAge keeps the people of one age range in a byte, to 3 %.
func PackAge(n float64) uint8 { return pack(n, ageSteps) }

func pack(n, steps float64) uint8 { return uint8(min(255, math.Round(steps*math.Log2(1+n)))) }

func unpackSex(b uint8) float64 { return math.Exp2(float64(b)/sexSteps) - 1 }
func unpackAge(b uint8) float64 { return math.Exp2(float64(b)/ageSteps) - 1 }

// The sorts of rows in a file.
const (
	sortName byte = iota
	sortEnding
	sortWord
)

func (r *Row) sort() byte {
	switch {
	case r.Ending:
		return sortEnding
	case r.Word:
		return sortWord
	}
	return sortName
}

// Table is immutable and shared.
type Table struct {
	rows  []Row
	slots []int32
	mask  uint64
	sums  [countries + 1]sums // the last is of all countries
}

// sums are the people behind a column.
type sums struct {
	women, men float64
	ages       [Ages]float64
	anyAge     float64
}

// New builds a table.
func New(rows []Row) *Table {
	t := &Table{rows: rows}
	size := 16
	for size < 2*len(rows) {
		size *= 2
	}
	t.slots, t.mask = make([]int32, size), uint64(size-1)
	for i := range rows {
		at := rows[i].Hash & t.mask
		for t.slots[at] != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = int32(i + 1)
		if !rows[i].Ending && !rows[i].Word {
			t.addSums(&rows[i])
		}
	}
	return t
}

func (t *Table) addSums(r *Row) {
	for c := range countries {
		w, m := unpackSex(r.Women[c]), unpackSex(r.Men[c])
		for _, s := range []*sums{&t.sums[c], &t.sums[countries]} {
			s.women += w
			s.men += m
			for a := range Ages {
				n := unpackAge(r.Ages[c][a])
				s.ages[a] += n
				s.anyAge += n
			}
		}
	}
}

// Encode returns rows, which must be sorted by hash, as a file.
func Encode(rows []Row) ([]byte, error) {
	w := &modelfile.Writer{}
	w.Uint(uint64(len(rows)))
	last := uint64(0)
	for i := range rows {
		w.Uint(rows[i].Hash - last)
		last = rows[i].Hash
	}
	for i := range rows {
		w.Body = append(w.Body, rows[i].sort())
	}
	for c := range countries {
		for i := range rows {
			w.Body = append(w.Body, rows[i].Women[c])
		}
		for i := range rows {
			w.Body = append(w.Body, rows[i].Men[c])
		}
		for a := range Ages {
			for i := range rows {
				w.Body = append(w.Body, rows[i].Ages[c][a])
			}
		}
	}
	return modelfile.Encode(kind, version, w.Body)
}

// Load reads a table from a file.
func Load(file []byte) (*Table, error) {
	body, err := modelfile.Decode(file, kind, version)
	if err != nil {
		return nil, fmt.Errorf("load names: %w", err)
	}
	r := modelfile.NewReader(body)
	rows := make([]Row, r.Count(1+countries*(2+Ages)))
	last := uint64(0)
	for i := range rows {
		last += r.Uint()
		rows[i].Hash = last
	}
	n := len(rows)
	for i, b := range r.Fixed(n) {
		rows[i].Ending, rows[i].Word = b == sortEnding, b == sortWord
	}
	for c := range countries {
		for i, b := range r.Fixed(n) {
			rows[i].Women[c] = b
		}
		for i, b := range r.Fixed(n) {
			rows[i].Men[c] = b
		}
		for a := range Ages {
			for i, b := range r.Fixed(n) {
				rows[i].Ages[c][a] = b
			}
		}
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("load names: %w", err)
	}
	return New(rows), nil
}

// Has says whether an ID, which may come from a table of another version, is a
// row of this one.
func (t *Table) Has(id ID) bool { return id >= 0 && int(id) < len(t.rows) }

func (t *Table) find(hash uint64) ID {
	for at := hash & t.mask; t.slots[at] != 0; at = (at + 1) & t.mask {
		if i := t.slots[at] - 1; t.rows[i].Hash == hash {
			return ID(i)
		}
	}
	return NoName
}

// ending finds the longest known ending of an unknown name.
func (t *Table) ending(letters []rune) ID {
	for n := 5; n >= 2; n-- {
		if len(letters) <= n {
			continue
		}
		if id := t.find(EndingHash(letters[len(letters)-n:])); id >= 0 {
			return id
		}
	}
	return NoName
}

// EndingHash is the hash of the last letters of a name.
func EndingHash(letters []rune) uint64 {
	h := uint64(0x6C62272E07BB0142)
	for _, r := range letters {
		h = scan.Mix(h, uint64(r))
	}
	return h
}

// country returns the column of a code, the merged one if there is none.
func country(code string) int {
	for i, c := range Codes() {
		if c == code {
			return i
		}
	}
	return countries
}

// kin returns the column that tells the sex of a country's names: its own, that
// of a country of its language, or the merged one. Ángel is a man in Mexico and
// mostly a woman's name in the United States.
func kin(code string) int {
	switch code {
	case "BR", "PT", "AO", "MZ", "CV", "GW", "ST":
		return brazil
	case "ES", "AR", "MX", "CO", "CL", "PE", "VE", "EC", "UY", "PY", "BO", "CR", "PA", "DO", "CU", "GT", "HN", "SV", "NI", "GQ":
		return spain
	case "US", "GB", "CA", "AU", "NZ", "IE", "PR", "JM":
		return unitedStates
	}
	return countries
}

func (t *Table) people(id ID, column int) (women, men float64) {
	r := &t.rows[id]
	if column < countries {
		return unpackSex(r.Women[column]), unpackSex(r.Men[column])
	}
	for c := range countries {
		women += unpackSex(r.Women[c])
		men += unpackSex(r.Men[c])
	}
	return women, men
}

const fewest = 20 // people behind a country's own figure

// Female returns P(female) for a name in a country, from the merged table when
// the country's own has too few; false when nothing is known. It is for the
// tool that explains the model: it must not be stored with a post.
func (t *Table) Female(id ID, code string) (float64, bool) {
	if id < 0 || int(id) >= len(t.rows) {
		return 0, false
	}
	women, men := t.people(id, kin(code))
	if women+men < fewest {
		women, men = t.people(id, countries)
	}
	if women+men == 0 {
		return 0, false
	}
	return (women + 0.5) / (women + men + 1), true
}
