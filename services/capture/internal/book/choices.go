package book

import (
	"slices"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/form"
)

// Choices appends what a ballot chose to dst, or says with invalid-ballot why
// the poll does not allow it.
func (m *Moment) Choices(f *form.Form, dst []audience.Choice) ([]audience.Choice, error) {
	if m.Poll.Kind == audience.Score {
		return m.scores(f, dst)
	}
	return m.choices(f, dst)
}

func (m *Moment) choices(f *form.Form, dst []audience.Choice) ([]audience.Choice, error) {
	if len(f.Scores) > 0 {
		return dst, invalid("/scores", "this poll takes choices, not scores")
	}
	if err := m.count("choices", len(f.Choices)); err != nil {
		return dst, err
	}
	from := len(dst)
	for i, option := range f.Choices {
		slot, ok := m.slots[string(option)]
		if !ok {
			return dst[:from], invalid("/choices/"+strconv.Itoa(i), "is no option of this poll")
		}
		if slices.ContainsFunc(dst[from:], func(c audience.Choice) bool { return c.Slot == slot }) {
			return dst[:from], invalid("/choices/"+strconv.Itoa(i), "is given twice")
		}
		dst = append(dst, audience.Choice{Slot: slot})
	}
	return dst, nil
}

func (m *Moment) scores(f *form.Form, dst []audience.Choice) ([]audience.Choice, error) {
	if len(f.Choices) > 0 {
		return dst, invalid("/choices", "this poll takes scores, not choices")
	}
	if err := m.count("scores", len(f.Scores)); err != nil {
		return dst, err
	}
	from, limits := len(dst), &m.Poll.Limits
	for _, s := range f.Scores {
		slot, ok := m.slots[string(s.Option)]
		if !ok {
			return dst[:from], invalid("/scores", "one of the names is no option of this poll")
		}
		if s.Value < int64(limits.ScoreMin) || s.Value > int64(limits.ScoreMax) {
			return dst[:from], invalid("/scores/"+string(s.Option),
				"must be a whole number from "+strconv.Itoa(int(limits.ScoreMin))+" to "+strconv.Itoa(int(limits.ScoreMax)))
		}
		dst = append(dst, audience.Choice{Slot: slot, Score: int32(s.Value)})
	}
	slices.SortFunc(dst[from:], func(a, b audience.Choice) int { return int(a.Slot) - int(b.Slot) })
	return dst, nil
}

func (m *Moment) count(what string, n int) error {
	least, most := max(1, m.Poll.Limits.MinChoices), max(1, m.Poll.Limits.MaxChoices)
	switch {
	case n == 0:
		return invalid("/"+what, "no "+what+"; at least "+strconv.Itoa(least)+" are needed")
	case n < least:
		return invalid("/"+what, "too few; at least "+strconv.Itoa(least)+" are needed")
	case n > most:
		return invalid("/"+what, "too many; at most "+strconv.Itoa(most)+" are allowed")
	}
	return nil
}

func invalid(pointer, detail string) error {
	f := fault.Field{Pointer: pointer, Detail: detail}
	return &fault.Error{Code: fault.InvalidBallot, Detail: f.String(), Fields: []fault.Field{f}}
}
