package lang

import (
	"fmt"
	"math"
)

// The shares that a hint gives to what it names.
const (
	likelyShare = 0.97 // a show's languages, all together
	sourceOdds  = 6.0  // how much likelier the language a source declares becomes

	// Posts in no language are no rarer for the languages that a show expects:
	// where those gain, "und" must gain too, or it would never be answered.
	// Both are log-odds found by cross-validation.
	undWithLikely = 1.3
	undWithOnly   = 2.0
)

// NewPrior builds a prior. likely are the show's languages: together they get
// nearly all of the belief. only, when not empty, rules all others out.
func (m *Model) NewPrior(likely, only []string) (*Prior, error) {
	p := &Prior{}
	if err := m.boost(p, likely); err != nil {
		return nil, err
	}
	if len(only) == 0 {
		return p, nil
	}
	if len(likely) == 0 {
		p.log[m.und] += undWithOnly
	}
	keep := map[int]bool{m.und: true}
	for _, code := range only {
		c := m.Index(code)
		if c < 0 {
			return nil, fmt.Errorf("language %q is not known", code)
		}
		keep[c] = true
	}
	for c := range m.names {
		if !keep[c] {
			p.log[c] = float32(math.Inf(-1))
		}
	}
	return p, nil
}

func (m *Model) boost(p *Prior, likely []string) error {
	if len(likely) == 0 {
		return nil
	}
	odds := likelyShare / (1 - likelyShare) * float64(len(m.names)-len(likely)) / float64(len(likely))
	for _, code := range likely {
		c := m.Index(code)
		if c < 0 {
			return fmt.Errorf("language %q is not known", code)
		}
		p.log[c] = float32(math.Log(odds))
	}
	p.log[m.und] = float32(math.Log(odds)) + undWithLikely
	return nil
}

// Declare copies p into out and adds that a source declares class c.
func (m *Model) Declare(p *Prior, c int, out *Prior) {
	if p != nil {
		*out = *p
	} else {
		*out = Prior{}
	}
	out.log[c] += float32(math.Log(sourceOdds))
}
