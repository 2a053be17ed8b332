package capture

import (
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/commit"
	"github.com/clamor-live/clamor/services/capture/internal/limit"
)

// admit spends one request of the client's network.
func (s *Service) admit(r *http.Request) error {
	a, ok := s.client(r)
	if !ok || s.exempt.Has(a) {
		return nil
	}
	network := limit.Network(a)
	return rateLimited(s.networks.Bytes(network[:], s.tick()), "network")
}

func (s *Service) client(r *http.Request) (netip.Addr, bool) {
	peer, ok := limit.Peer(r.RemoteAddr)
	if !ok {
		return peer, false
	}
	return limit.Client(peer, r.Header["X-Forwarded-For"], s.trusted), true
}

func rateLimited(wait time.Duration, whose string) error {
	if wait == 0 {
		return nil
	}
	return fault.New(fault.RateLimited, "too many requests from this %s; try again after a moment", whose).After(wait)
}

// state is the definitions in force.
func (s *Service) state() (*control.State, error) {
	select {
	case <-s.control.Ready():
		return s.control.State(), nil
	default:
		return nil, fault.New(fault.Unavailable, "the definitions are being loaded; try again after a moment").After(time.Second)
	}
}

func (s *Service) poll(id string, now audience.Millis) (*book.Moment, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	m, ok := s.book.Poll(state, id, now)
	if !ok {
		return nil, fault.New(fault.PollNotFound, "there is no poll of that id")
	}
	return m, nil
}

func notOpen(phase audience.Phase) error {
	return fault.New(fault.PollNotOpen, "the poll is %s", phase).With("phase", phase)
}

// source is the enabled source whose key the request bears.
func (s *Service) source(r *http.Request, connector string) (*control.Source, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	key, ok := bearer(r)
	if !ok {
		return nil, fault.New(fault.SourceKeyInvalid, "send the source's key as Authorization: Bearer")
	}
	src, ok := state.SourceByKey(keys.HashToken(key))
	switch {
	case !ok:
		return nil, fault.New(fault.SourceKeyInvalid, "the key is no source's")
	case src.Connector != connector:
		return nil, fault.New(fault.SourceKeyInvalid, "the key is that of a source of connector %q; this door takes %q", src.Connector, connector)
	case !src.Enabled:
		return nil, fault.New(fault.SourceKeyInvalid, "the source is disabled")
	}
	return src, nil
}

// mayVoteIn says whether what a source brings may vote in a poll.
func mayVoteIn(src *control.Source, p *audience.Poll) bool {
	return src.Show == p.Show && (len(src.Polls) == 0 || slices.Contains(src.Polls, p.ID))
}

// bearer is the credential of the Authorization header.
func bearer(r *http.Request) (string, bool) {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return "", false
	}
	const scheme = "bearer "
	v := values[0]
	if len(v) <= len(scheme) || !strings.EqualFold(v[:len(scheme)], scheme) {
		return "", false
	}
	return strings.TrimSpace(v[len(scheme):]), true
}

// unrecorded maps what kept ballots out of the log to the contract's problems.
func unrecorded(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, commit.ErrFull), errors.Is(err, eventlog.ErrOverloaded):
		return fault.New(fault.Overloaded, "more is coming in than the log takes; send the same again after a moment").After(time.Second).Because(err)
	case errors.Is(err, eventlog.ErrTooLarge):
		return err // a bound of ours is wrong
	}
	return fault.New(fault.LogUnavailable, "the log did not acknowledge it in time; send the same again, it counts once").After(time.Second).Because(err)
}

// forgotten maps the failure to make a pseudonym.
func forgotten(err error) error {
	if errors.Is(err, keys.ErrDestroyed) {
		return fault.New(fault.PollNotOpen, "the show's voters have been forgotten, so it takes no ballots").With("phase", audience.Closed).Because(err)
	}
	return fault.New(fault.Unavailable, "the keys cannot be read at the moment; try again").After(time.Second).Because(err)
}
