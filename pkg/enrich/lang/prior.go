package lang

import (
	"fmt"
	"math"
)

// The shares that a hint gives to what it names.
const (
	likelyShare = 0.97 // a show's languages, all together
	sourceOdds  = 6.0  // how much likelier the language a source declares becomes
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
