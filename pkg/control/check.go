package control

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// Check judges what can be seen from an event alone: that its payload is of its
// kind and that the definition in it is valid. Submit does it before it appends.
func Check(e *Event) *fault.Error {
	switch e.Kind {
	case KindShowPut:
		return check(e, ValidateShow, func(s *audience.Show) *string { return &s.ID })
	case KindPollPut:
		return check(e, Validate, func(p *audience.Poll) *string { return &p.ID })
	case KindSourcePut:
		return check(e, ValidateSource, func(s *audience.Source) *string { return &s.ID })
	case KindDestinationPut:
		return check(e, ValidateDestination, func(d *audience.Destination) *string { return &d.ID })
	case KindTokenPut:
		return first(check(e, ValidateToken, func(t *audience.Token) *string { return &t.ID }), checkExpiry(e))
	case KindTopicPut:
		return check(e, ValidateTopic, func(t *audience.Topic) *string { return &t.ID })
	case KindPollCommand:
		return check(e, ValidateCommand, nil)
	case KindPostCommand:
		return check(e, ValidatePostCommand, nil)
	}
	return nil
}

// check decodes and validates. The subject is the id, whatever the payload says.
func check[T any](e *Event, validate func(*T) *fault.Error, id func(*T) *string) *fault.Error {
	v, err := read[T](e)
	if err != nil {
		return err
	}
	if id != nil {
		*id(&v) = e.Subject
	}
	return validate(&v)
}

func checkExpiry(e *Event) *fault.Error {
	t, err := read[audience.Token](e)
	if err == nil && t.ExpiresAt != 0 && t.ExpiresAt <= e.At {
		return fault.Invalid(fault.Field{Pointer: "/expires_at", Detail: "has passed: give a later time"})
	}
	return err
}
