// Package control is the registry: every show, poll, source, destination, token
// and topic, and where each poll stands, replayed from the control log.
//
// Its one trick is that nothing is decided before it is written. Whoever wants
// a change appends an event; the Machine, a pure function of the events before
// it, then accepts or refuses it, in every process alike. Two producers who
// press at once are told apart by the order of the log, and the one who lost
// learns it from the same log.
//
// Instants are the sender's clock, which stands in the event; the Machine reads
// no clock. Where a poll stands now is asked with the time in hand: Poll.At.
package control

import (
	"encoding/json"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// The kinds of events.
const (
	KindShowPut           = "show.put"           // audience.Show
	KindPollPut           = "poll.put"           // audience.Poll
	KindPollCommand       = "poll.command"       // audience.Command
	KindSourcePut         = "source.put"         // audience.Source
	KindSourceDelete      = "source.delete"      // none
	KindDestinationPut    = "destination.put"    // audience.Destination
	KindDestinationDelete = "destination.delete" // none
	KindTokenPut          = "token.put"          // audience.Token
	KindTokenDelete       = "token.delete"       // none
	KindTopicPut          = "topic.put"          // audience.Topic
	KindTopicDelete       = "topic.delete"       // none
	KindPostCommand       = "post.command"       // PostCommand
	KindRunRequest        = "run.request"        // none; the subject is the run's id
	KindCut               = "cut"                // CutDecision
	KindPublished         = "published"          // Published
)

// Current is the Base of a put that replaces whatever is there. A put of Base 0
// creates, and is refused when the id is taken.
const Current = ^uint64(0)

// Event is one definition or command on its way into the log.
type Event struct {
	// ID makes a repeated append harmless; Submit fills it in.
	ID string
	// At is the sender's clock; Submit fills it in.
	At    audience.Millis
	Actor string
	Kind  string
	// Subject is the id of the thing: the poll of a poll.command, the run of a
	// run.request, "platform:id" of a post.command. It is empty for cut and
	// published.
	Subject string
	// Base is the revision the sender saw. Commands: 0 is whatever is current.
	// Puts: 0 creates and Current replaces whatever is there.
	Base    uint64
	Payload json.RawMessage
}

// Record is the event as the log has it.
func (e *Event) Record() *clamorv1.Record {
	return &clamorv1.Record{Body: &clamorv1.Record_Control{Control: &clamorv1.Control{
		Id: e.ID, At: int64(e.At), Actor: e.Actor, Kind: e.Kind,
		Subject: e.Subject, BaseRevision: e.Base, Payload: e.Payload,
	}}}
}

// EventFrom reads the event of a record's body.
func EventFrom(c *clamorv1.Control) Event {
	return Event{
		ID: c.GetId(), At: audience.Millis(c.GetAt()), Actor: c.GetActor(), Kind: c.GetKind(),
		Subject: c.GetSubject(), Base: c.GetBaseRevision(), Payload: c.GetPayload(),
	}
}

// Put makes v the payload.
func (e *Event) Put(v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the payload of %s: %w", e.Kind, err)
	}
	e.Payload = payload
	return nil
}

// Get decodes the payload. Unknown fields are a newer release's and are passed
// over.
func (e *Event) Get(v any) error {
	if err := json.Unmarshal(e.Payload, v); err != nil {
		return fmt.Errorf("decode the payload of %s: %w", e.Kind, err)
	}
	return nil
}
