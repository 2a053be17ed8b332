package capture

import (
	"net/http"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/form"
	"github.com/gin-gonic/gin"
)

// cast takes one voter's ballot and answers when the log has it.
func (s *Service) cast(c *gin.Context) error {
	v, err := s.voterOf(c.Request, s.now())
	if err != nil {
		return err
	}
	if err := rateLimited(s.voters.String(v.subject, s.tick()), "voter"); err != nil {
		return err
	}
	if _, err := s.poll(c.Param("poll"), s.millis()); err != nil {
		return err
	}
	d := s.takeDesk()
	defer s.leaveDesk(d)
	if d.body, err = readBody(c.Writer, c.Request, jsonbody.Limit, d.body[:0]); err != nil {
		return err
	}
	if err := d.form.Read(d.body, form.Voter); err != nil {
		return err
	}
	// Only now: a body that trickles in must not be dated back to its first byte.
	received := s.millis()
	m, err := s.poll(c.Param("poll"), received)
	if err != nil {
		return err
	}
	b, err := s.ballot(c, d, m, v, received)
	if err != nil {
		return err
	}
	partition := audience.PartitionOf(b.Key(), b.Voter, s.ballots.Partitions())
	if err := unrecorded(s.ballots.One(partition, &b)); err != nil {
		return err
	}
	s.metrics.acknowledged(doorVoter, 1, s.millis()-received)
	d.reply = s.receipt(d.reply[:0], &b, partition, d.form.BallotID)
	header := c.Writer.Header()
	header["Content-Type"] = jsonType
	c.Writer.WriteHeader(http.StatusAccepted)
	_, _ = c.Writer.Write(d.reply) // the client is gone; its ballot is not
	return nil
}

// jsonType is never changed.
var jsonType = []string{"application/json; charset=utf-8"}

// ballot checks the form against the poll as it stands.
func (s *Service) ballot(c *gin.Context, d *desk, m *book.Moment, v voter, received audience.Millis) (audience.Ballot, error) {
	if m.Phase != audience.Open {
		return audience.Ballot{}, notOpen(m.Phase)
	}
	id, err := audience.ParseBallotID(string(d.form.BallotID))
	if err != nil {
		return audience.Ballot{}, badBallotID(err)
	}
	if d.choices, err = m.Choices(&d.form, d.choices[:0]); err != nil {
		return audience.Ballot{}, err
	}
	if err := s.regional(c.Request, m); err != nil {
		return audience.Ballot{}, err
	}
	who, err := s.keys.Voter(c.Request.Context(), m.Poll.Show, v.namespace, v.subject)
	if err != nil {
		return audience.Ballot{}, forgotten(err)
	}
	b := m.Ballot(received, "")
	b.ID, b.Voter, b.Choices = id, who, d.choices
	return b, nil
}

func badBallotID(err error) error {
	f := fault.Field{Pointer: "/ballot_id", Detail: err.Error()}
	return &fault.Error{Code: fault.InvalidBallot, Detail: f.String(), Fields: []fault.Field{f}}
}

// receipt appends the answer to an accepted ballot.
func (s *Service) receipt(dst []byte, b *audience.Ballot, partition int32, id []byte) []byte {
	dst = append(append(dst, `{"ballot_id":"`...), id...) // hexadecimal and hyphens
	dst = append(append(dst, `","poll":"`...), b.Poll...) // a slug
	dst = strconv.AppendUint(append(dst, `","round":`...), uint64(b.Round), 10)
	dst = b.ReceivedAt.Time().AppendFormat(append(dst, `,"received_at":"`...), audience.TimeLayout)
	dst = append(dst, `","receipt":"`...)
	dst = append(dst, s.keys.Receipt(keys.Receipt{
		Poll: b.Poll, Round: b.Round, Partition: partition, Mark: tally.Mark(b.Voter, b.ID),
	})...)
	return append(dst, "\"}\n"...)
}
