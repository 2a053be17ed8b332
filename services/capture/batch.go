package capture

import (
	"net/http"
	"runtime"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/lines"
	"github.com/gin-gonic/gin"
)

// castBatch takes a gateway's ballots, a line each, and answers when the log has
// all that were accepted.
func (s *Service) castBatch(c *gin.Context) error {
	src, err := s.source(c.Request, audience.ConnectorGateway)
	if err != nil {
		return err
	}
	if _, err := s.poll(c.Param("poll"), s.millis()); err != nil {
		return err
	}
	body, release, err := s.takeBody(c)
	if err != nil {
		return err
	}
	defer release()
	received := s.millis()
	m, err := s.poll(c.Param("poll"), received)
	if err != nil {
		return err
	}
	report, err := s.commitLines(c, body, src, m, received)
	if err != nil {
		return err
	}
	s.answer(c, audience.ConnectorGateway, report)
	return nil
}

// takeBody reads a batch's body; release gives its memory back.
func (s *Service) takeBody(c *gin.Context) (body []byte, release func(), err error) {
	body, release, err = s.holdBody(c, jsonbody.BatchLimit)
	if err == nil && lines.Empty(body) {
		release()
		return nil, nil, fault.New(fault.BadJSON, "the body is empty; lines of JSON objects are expected")
	}
	return body, release, err
}

// holdBody reads a body of at most limit bytes, one of a bounded number.
func (s *Service) holdBody(c *gin.Context, limit int) (body []byte, release func(), err error) {
	select {
	case s.batches <- struct{}{}:
	default:
		return nil, nil, fault.New(fault.Overloaded, "%d batches are in hand already; send this one again after a moment", cap(s.batches)).After(1e9)
	}
	buf := s.takeBatchBody()
	release = func() {
		s.bodies.Put(buf)
		<-s.batches
	}
	if *buf, err = readBody(c.Writer, c.Request, limit, (*buf)[:0]); err != nil {
		release()
		return nil, nil, err
	}
	return *buf, release, nil
}

func (s *Service) takeBatchBody() *[]byte { return s.bodies.Get().(*[]byte) }

// commitLines reads the lines on all processors and commits what they hold.
func (s *Service) commitLines(c *gin.Context, body []byte, src *control.Source, m *book.Moment, received audience.Millis) (*lines.Report, error) {
	var key *keys.ShowKey
	refusal := refusalOf(src, m)
	if refusal == nil {
		var err error
		if key, err = s.keys.Show(c.Request.Context(), m.Poll.Show); err != nil {
			return nil, forgotten(err)
		}
	}
	chunks := lines.Split(body, runtime.GOMAXPROCS(0))
	stacks := make([]*stack, len(chunks))
	for i := range chunks {
		stacks[i] = s.stacks.Get().(*stack)
		stacks[i].reset(s.ballots.Partitions())
		defer s.stacks.Put(stacks[i])
	}
	reports := lines.Each(chunks, func(chunk int, line []byte) error {
		if refusal != nil {
			return refusal
		}
		return stacks[chunk].take(line, m, key, received, src.ID)
	})
	parts := make([][][]audience.Ballot, len(stacks))
	for i, st := range stacks {
		parts[i] = st.ballots
	}
	report := lines.Join(reports)
	if err := unrecorded(s.ballots.Many(received, parts...)); err != nil {
		return nil, err
	}
	s.metrics.acknowledged(doorGateway, report.Accepted, s.millis()-received)
	return report, nil
}

// refusalOf is why a source's lines may not vote in a poll at all, or nil.
func refusalOf(src *control.Source, m *book.Moment) error {
	switch {
	case !mayVoteIn(src, &m.Poll):
		return fault.New(fault.PollNotFound, "the poll is not one of this source's")
	case !m.Captures():
		return notOpen(m.Phase)
	}
	return nil
}

// answer reports what became of the lines.
func (s *Service) answer(c *gin.Context, connector string, r *lines.Report) {
	for code, n := range r.ByCode {
		s.metrics.lines.WithLabelValues(connector, code).Add(float64(n))
	}
	body := r.AppendJSON(make([]byte, 0, 128+len(r.Errors)*96))
	header := c.Writer.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.Writer.WriteHeader(http.StatusOK)
	_, _ = c.Writer.Write(body) // the client is gone; the lines are not
}
