package api

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/tally"
)

// receiptReply is what became of a ballot; never what it chose.
type receiptReply struct {
	State      string `json:"state"`
	Reason     string `json:"reason,omitempty"`
	Generation uint64 `json:"generation,omitempty"`
}

// The states of a receipt.
const (
	pending    = "pending"
	counted    = "counted"
	superseded = "superseded"
	rejected   = "rejected"
)

func receiptOf(o tally.Outcome) receiptReply {
	switch o {
	case tally.Counted:
		return receiptReply{State: counted}
	case tally.Superseded:
		return receiptReply{State: superseded}
	case tally.OverLimit, tally.Late, tally.Revoked:
		return receiptReply{State: rejected, Reason: o.String()}
	}
	return receiptReply{State: pending}
}

func (s *Service) receipt(c *gin.Context) error {
	rc, err := s.deps.Receipts.ParseReceipt(c.Param("receipt"))
	if err != nil {
		return fault.New(fault.NotFound, "that is no receipt of ours")
	}
	if _, ok := s.deps.Control.State().Poll(rc.Poll); !ok {
		return fault.New(fault.NotFound, "that is no receipt of ours")
	}
	r, err := s.outcome(c, rc)
	if err != nil {
		return err
	}
	c.Header("Access-Control-Allow-Origin", "*")
	return reply(c, http.StatusOK, r)
}

func (s *Service) outcome(c *gin.Context, rc keys.Receipt) (receiptReply, error) {
	ctx, key := c.Request.Context(), audience.RoundKey{Poll: rc.Poll, Round: rc.Round}
	published, _ := s.deps.Control.State().Published()
	if cut, ok := s.deps.Control.State().SealedAt(key); ok && cut <= published.Generation {
		return s.sealedOutcome(c, rc, key, cut)
	}
	o, ok, err := s.ballots.Outcome(ctx, key, rc.Partition, rc.Mark)
	switch {
	case errors.Is(err, speed.ErrSealed):
		return s.sealedOutcome(c, rc, key, 0) // between the cut and its publication
	case err != nil:
		return receiptReply{}, storeDown(err)
	case !ok:
		return receiptReply{State: pending}, nil
	}
	return receiptOf(o), nil
}

// sealedOutcome looks the ballot up among those of the sealed round. One that is
// not there came after the seal.
func (s *Service) sealedOutcome(c *gin.Context, rc keys.Receipt, key audience.RoundKey, generation uint64) (receiptReply, error) {
	o, found, err := s.deps.Archive.Receipt(c.Request.Context(), key, rc.Partition, rc.Mark)
	switch {
	case errors.Is(err, archive.ErrNotFound) && generation == 0:
		return receiptReply{State: pending}, nil
	case err != nil && !errors.Is(err, archive.ErrNotFound):
		return receiptReply{}, storeDown(err)
	case !found:
		return receiptReply{State: rejected, Reason: tally.Late.String()}, nil
	}
	r := receiptOf(tally.Outcome(o))
	r.Generation = generation
	return r, nil
}
