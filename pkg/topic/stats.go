package topic

import (
	"math"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

// Figures are the counts of a window that have one value. Authors is estimated
// with SketchError.
type Figures struct {
	Posts    int64 `json:"posts"`
	Reposts  int64 `json:"reposts"`
	Replies  int64 `json:"replies"`
	Media    int64 `json:"media"`
	Rejected int64 `json:"rejected"`
	Authors  int64 `json:"authors"`
}

// Figures are the sum's, none below zero.
func (m *Minute) Figures() Figures {
	return Figures{
		Posts: max(0, m.Posts), Reposts: max(0, m.Reposts), Replies: max(0, m.Replies),
		Media: max(0, m.Media), Rejected: max(0, m.Rejected), Authors: m.Distinct.Distinct(),
	}
}

// Change compares a count with that of the period before. Percent is 0 when
// nothing was and is counted, 100 when nothing was.
type Change struct {
	Before  int64   `json:"before"`
	Change  int64   `json:"change"`
	Percent float64 `json:"change_pct"`
}

// Compare gives the change from one count to another.
func Compare(now, before int64) Change {
	c := Change{Before: before, Change: now - before}
	switch {
	case before > 0:
		c.Percent = 100 * float64(c.Change) / float64(before)
	case now > 0:
		c.Percent = 100
	}
	return c
}

// Authors is the number of different authors with its 95 % interval.
type Authors struct {
	Authors  int64   `json:"authors"`
	Low      int64   `json:"low"`
	High     int64   `json:"high"`
	StdError float64 `json:"std_error"` // relative; 0 while the count is exact
}

// AuthorCount estimates the distinct authors of the sum. There are at most as
// many as posts that came.
func (m *Minute) AuthorCount() Authors {
	most := max(0, m.Posts+m.Rejected)
	n := min(m.Distinct.Distinct(), most)
	a := Authors{Authors: n, Low: n, High: n}
	if m.Distinct.regs != nil {
		a.StdError = SketchError
		wide := deviation * SketchError * float64(n)
		a.Low, a.High = int64(math.Round(float64(n)-wide)), min(int64(math.Round(float64(n)+wide)), most)
	}
	return a
}

// CrowdOf estimates gender and age of the authors; country is where the audience
// is, "" when it is anywhere. It is hidden below names.Hidden authors, and of a
// topic that does not ask there are none. Of more authors than a Crowd holds, its
// sample speaks, and the intervals are those of the sample.
func (m *Minute) CrowdOf(table *names.Table, country string) names.Estimate {
	c := names.NewCrowd(table, country)
	for _, x := range m.Crowd.members {
		if !table.Has(x.name) {
			x.name = names.NoName
		}
		c.Add(x.name)
	}
	e := c.Estimate()
	if authors := int(m.Distinct.Distinct()); m.Crowd.Full() && authors > e.Authors {
		e.Named = int(math.Round(float64(e.Named) / float64(e.Authors) * float64(authors)))
		e.Authors = authors
	}
	return e
}
