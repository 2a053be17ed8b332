package api

import (
	"errors"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/names"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/api/internal/listen"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// topicHead is what every answer about a topic says of itself.
type topicHead struct {
	Topic      string           `json:"topic"`
	Title      string           `json:"title"`
	Revision   uint64           `json:"revision"`
	From       audience.Millis  `json:"from"`
	To         audience.Millis  `json:"to"`
	Minutes    int64            `json:"minutes"`
	Seq        int64            `json:"seq"`
	AsOf       audience.Millis  `json:"as_of"`
	Stale      bool             `json:"stale"`
	AgeMS      int64            `json:"age_ms,omitempty"`
	Complete   bool             `json:"complete"`
	Generation uint64           `json:"generation"`
	Offsets    map[string]int64 `json:"as_of_offsets"`
	Rehearsal  bool             `json:"rehearsal,omitempty"`
}

func headOf(p *listen.Picture, w topic.Window) topicHead {
	return topicHead{
		Topic: p.Topic.ID, Title: p.Topic.Title, Revision: p.Topic.Revision,
		From: topic.StartOf(w.From), To: topic.StartOf(w.To), Minutes: w.To - w.From,
		Seq: p.Seq, AsOf: p.AsOf, Stale: p.Stale, AgeMS: p.AgeMS, Complete: p.Complete,
		Generation: p.Generation, Offsets: offsets(p.Offsets), Rehearsal: p.Show.Rehearsal,
	}
}

// pictureOf finds the picture of the path's topic, for the token.
func (s *Service) pictureOf(c *gin.Context) (*listen.Picture, error) {
	t, err := s.topicOf(c)
	if err != nil {
		return nil, err
	}
	p, ok := s.topics.Picture(t.ID)
	if !ok || p.Partial || p.Topic.Counted < t.Counted {
		return nil, s.notMerged(live.ErrNotYet)
	}
	return p, nil
}

// topicForm answers with something made of a topic's picture from a minute on, made
// once for all who ask the same.
func (s *Service) topicForm(c *gin.Context, p *listen.Picture, from int64, form live.Form, answer func(*listen.Picture) (any, error)) error {
	if r := p.Find(form); r != nil {
		s.send(c, r, &p.Stamp)
		return nil
	}
	v, err := s.madeOf(c, p, from, form, answer)
	if err != nil {
		return err
	}
	body, err := marshal(v)
	if err != nil {
		return err
	}
	s.send(c, s.form(&p.Stamp, form, func() ([]byte, string) { return body, jsonType }), &p.Stamp)
	return nil
}

// madeOf is what is made of a picture; of minutes that it does not hold when it is
// to reach further back.
func (s *Service) madeOf(c *gin.Context, p *listen.Picture, from int64, form live.Form, answer func(*listen.Picture) (any, error)) (any, error) {
	if from >= p.From {
		return answer(p)
	}
	v, err := s.topics.Reaching(c.Request.Context(), p, from, form, answer)
	if _, ours := fault.As(err); err == nil || ours {
		return v, err
	}
	if errors.Is(err, listen.ErrBusy) {
		return nil, fault.New(fault.Overloaded, "too much of the past is being read: try again in a moment").Because(err).After(time.Second)
	}
	return nil, storeDown(err)
}

// windowed names a window among the forms of a picture.
func windowed(w topic.Window) string {
	return strconv.FormatInt(w.From, 10) + "-" + strconv.FormatInt(w.To, 10)
}

type statsReply struct {
	topicHead

	Totals  topicTotals   `json:"totals"`
	Compare *compareReply `json:"compare,omitempty"`
	By      string        `json:"by,omitempty"`
	Parts   []any         `json:"parts,omitempty"`
	Step    string        `json:"step,omitempty"`
	Series  []pointReply  `json:"series,omitempty"`
}

type topicTotals struct {
	Posts     int64         `json:"posts"`
	Reposts   int64         `json:"reposts"`
	Replies   int64         `json:"replies"`
	Media     int64         `json:"media"`
	Rejected  int64         `json:"rejected"`
	Authors   topic.Authors `json:"authors"`
	Sampled   topic.Sampled `json:"sampled"`
	Sentiment topic.Mood    `json:"sentiment"`
}

type compareReply struct {
	From    audience.Millis `json:"from"`
	To      audience.Millis `json:"to"`
	Posts   topic.Change    `json:"posts"`
	Authors topic.Change    `json:"authors"`
}

type partReply struct {
	topic.Part

	Label string `json:"label"`
}

type comparedReply struct {
	topic.Compared

	Label string `json:"label"`
}

type pointReply struct {
	At    audience.Millis `json:"at"`
	Posts int64           `json:"posts"`
	Parts []int64         `json:"parts,omitempty"`
}

func (s *Service) topicStats(c *gin.Context) error {
	p, err := s.pictureOf(c)
	if err != nil {
		return err
	}
	q, err := s.statsQuery(c, p)
	if err != nil {
		return err
	}
	key := windowed(q.Window) + "/" + strconv.FormatInt(q.Step, 10) + "/" + string(q.By) + "/" + strconv.Itoa(q.Top) + "/" + strconv.FormatBool(q.Compare)
	return s.topicForm(c, p, q.From(), live.Form{Name: "stats", Query: key}, func(p *listen.Picture) (any, error) { return statsOf(p, q) })
}

func statsOf(p *listen.Picture, q listen.Query) (any, error) {
	report, err := p.Report(q)
	if err != nil {
		return nil, err
	}
	r := statsReply{topicHead: headOf(p, q.Window), By: string(q.By), Totals: totalsOf(&report)}
	if q.Compare {
		before := q.Window.Before()
		r.Compare = &compareReply{topic.StartOf(before.From), topic.StartOf(before.To), report.PostsChange, report.AuthorsChange}
	}
	labels := listen.NewLabels(p.Show.Locale)
	for i := range report.Parts {
		part := &report.Parts[i]
		if label := labels.Of(q.By, part.Key); q.Compare {
			r.Parts = append(r.Parts, comparedReply{*part, label})
		} else {
			r.Parts = append(r.Parts, partReply{part.Part, label})
		}
	}
	if q.Step > 0 {
		r.Step = strconv.FormatInt(q.Step, 10) + "m"
	}
	for i := range report.Series {
		at := &report.Series[i]
		r.Series = append(r.Series, pointReply{at.At, at.Posts, at.N})
	}
	return r, nil
}

func totalsOf(r *listen.Report) topicTotals {
	return topicTotals{
		Posts: r.Posts, Reposts: r.Reposts, Replies: r.Replies, Media: r.Media, Rejected: r.Rejected,
		Authors: r.Authors, Sampled: r.Sampled, Sentiment: r.Mood,
	}
}

// viewOf is the picture of the topic asked about, and the window of it. The answer
// is made from so many minutes before the window as well.
func (s *Service) viewOf(c *gin.Context, before int64) (p *listen.Picture, w topic.Window, err error) {
	if p, err = s.pictureOf(c); err != nil {
		return p, w, err
	}
	if w, err = windowOf(c, p); err != nil {
		return p, w, err
	}
	return p, w, s.within(w.From-before, w, p)
}

type trendsReply struct {
	topicHead

	Themes   []topic.Theme `json:"themes"`
	Risers   []topic.Theme `json:"risers"`
	Hashtags []topic.Part  `json:"hashtags"`
	// MinutesBefore is how long the time is that rising is judged by.
	MinutesBefore int64 `json:"minutes_before"`
}

func (s *Service) topicTrends(c *gin.Context) error {
	p, w, err := s.viewOf(c, listen.HourBefore)
	if err != nil {
		return err
	}
	top, err := topOf(c.Query("top"))
	if err != nil {
		return err
	}
	form := live.Form{Name: "trends", Query: windowed(w) + "/" + strconv.Itoa(top)}
	return s.topicForm(c, p, w.From-listen.HourBefore, form, func(p *listen.Picture) (any, error) {
		t := p.Trends(w, top)
		return trendsReply{headOf(p, w), orEmpty(t.Themes), orEmpty(t.Risers), orEmpty(p.Hashtags(w, top)), t.Minutes}, nil
	})
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// The reasons why a crowd is not shown.
const (
	crowdNotAsked = "not-asked"
	crowdTooFew   = "too-few-authors"
)

type crowdReply struct {
	topicHead
	names.Estimate

	// Reason is why there are no shares.
	Reason string `json:"reason,omitempty"`
	Least  int    `json:"least_authors"`
}

func (s *Service) topicCrowd(c *gin.Context) error {
	p, w, err := s.viewOf(c, 0)
	if err != nil {
		return err
	}
	form := live.Form{Name: "crowd", Query: windowed(w)}
	return s.topicForm(c, p, w.From, form, func(p *listen.Picture) (any, error) { return crowdOf(p, w) })
}

// crowdOf estimates a crowd, if the topic asks and there are enough people.
func crowdOf(p *listen.Picture, w topic.Window) (any, error) {
	r := crowdReply{topicHead: headOf(p, w), Least: names.Hidden}
	if !p.Topic.Crowd {
		r.Estimate = names.Estimate{Method: names.Method, Hidden: true}
		r.Reason = crowdNotAsked
		return r, nil
	}
	table, err := names.Default()
	if err != nil {
		return nil, fault.New(fault.Unavailable, "the table of names cannot be read").Because(err)
	}
	r.Estimate = p.Sum(w.From, w.To).CrowdOf(table, countryOf(&p.Show))
	if r.Hidden {
		r.Gender, r.Ages, r.Reason = nil, nil, crowdTooFew
	}
	return r, nil
}

// countryOf is where a show's audience is; "" when it is in several countries.
func countryOf(show *audience.Show) string {
	if len(show.Markets) == 1 {
		return show.Markets[0]
	}
	return ""
}
