package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/listen"
)

const (
	// defaultWindow is the window of who names none, in minutes.
	defaultWindow = 30
	// defaultParts and maxParts are how many parts a dimension is shown in.
	defaultParts = 20
	maxParts     = 200
)

// windowOf is the window that a request asks for: the last minutes, or from and
// to.
func windowOf(c *gin.Context, p *listen.Picture) (topic.Window, error) {
	minutes, err := minutesOf(c.Query("window"), defaultWindow)
	if err != nil {
		return topic.Window{}, fault.New(fault.InvalidRequest, "window is a time like 30m or 2h, of whole minutes")
	}
	w := topic.Window{From: p.Now + 1 - minutes, To: p.Now + 1}
	from, err := instantOf(c, "from")
	if err != nil {
		return w, err
	}
	to, err := instantOf(c, "to")
	if err != nil {
		return w, err
	}
	if to != 0 {
		w.To = topic.MinuteOf(to + 59_999)
		w.From = w.To - minutes
	}
	if from != 0 {
		w.From = topic.MinuteOf(from)
		if to == 0 && c.Query("window") != "" {
			w.To = w.From + minutes
		}
	}
	switch {
	case w.From >= w.To && to == 0:
		return w, fault.New(fault.InvalidRequest, "from is later than now, and there is no to")
	case w.From >= w.To:
		return w, fault.New(fault.InvalidRequest, "from is not before to")
	case w.From < 1:
		return w, fault.New(fault.InvalidRequest, "there is nothing before 1970: ask for a later window")
	}
	return w, nil
}

// within refuses what needs more of the past than may be read for one answer: the
// minutes from one on, as far as they are not held.
func (s *Service) within(from int64, w topic.Window, p *listen.Picture) error {
	most := int64(s.cfg.TopicPast / time.Minute)
	oldest := min(w.To, p.From) - most
	if from >= oldest {
		return nil
	}
	return fault.New(fault.InvalidRequest,
		"the answer needs the minutes from %s on; of those before %s at most %d are read at once, so none before %s: ask for a shorter window",
		topic.StartOf(from), topic.StartOf(p.From), most, topic.StartOf(oldest)).With("oldest", topic.StartOf(oldest))
}

// minutesOf reads a time of whole minutes.
func minutesOf(text string, otherwise int64) (int64, error) {
	if text == "" {
		return otherwise, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 366 {
			return 0, fault.New(fault.InvalidRequest, "%q is no number of days", text)
		}
		return int64(n) * 24 * 60, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Minute || d%time.Minute != 0 {
		return 0, fault.New(fault.InvalidRequest, "%q is no time of whole minutes", text)
	}
	return int64(d / time.Minute), nil
}

// statsQuery reads what is asked of a topic.
func (s *Service) statsQuery(c *gin.Context, p *listen.Picture) (listen.Query, error) {
	w, err := windowOf(c, p)
	if err != nil {
		return listen.Query{}, err
	}
	q := listen.Query{Window: w}
	if c.Query("step") != "" {
		if q.Step, err = minutesOf(c.Query("step"), 0); err != nil {
			return q, fault.New(fault.InvalidRequest, "step is a time like 1m or 10m, of whole minutes")
		}
		if (w.To-w.From)/q.Step > topic.MaxSteps {
			return q, fault.New(fault.InvalidRequest, "a series has at most %d steps: ask for a shorter window or a longer step", topic.MaxSteps)
		}
	}
	switch c.Query("compare") {
	case "":
	case "previous":
		q.Compare = true
	default:
		return q, fault.New(fault.InvalidRequest, "compare is previous")
	}
	if q.By, err = dimensionOf(c.Query("by")); err != nil {
		return q, err
	}
	if q.Top, err = topOf(c.Query("top")); err != nil {
		return q, err
	}
	return q, s.within(q.From(), w, p)
}

func dimensions() []topic.Dimension { return append(topic.Dimensions(), listen.ByMedia) }

func dimensionOf(name string) (topic.Dimension, error) {
	if by := topic.Dimension(name); name == "" || slices.Contains(dimensions(), by) {
		return by, nil
	}
	var names []string
	for _, d := range dimensions() {
		names = append(names, string(d))
	}
	return "", fault.New(fault.InvalidRequest, "by is one of %s", strings.Join(names, ", "))
}

func topOf(text string) (int, error) {
	if text == "" {
		return defaultParts, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxParts {
		return 0, fault.New(fault.InvalidRequest, "top is a whole number from 1 to %d", maxParts)
	}
	return n, nil
}
