// Package topic counts what people say: the pure fold of posts into minutes, the
// merge of minutes, and the figures that are shown of them.
//
// It reads no clock, no network and no random source. Its trick is that all that
// is ever counted of a topic is one type, Minute, whose sums agree in any order:
// an open minute of the speed view, a piece of a batch generation and the last
// half-hour of a programme are the same thing, added.
package topic

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Subject is a topic as one revision of its definition counts it: a changed rule
// is another subject, and its past is for the next batch run to count.
type Subject struct {
	Topic    string
	Revision uint64
}

// String is topic@revision.
func (s Subject) String() string { return s.Topic + "@" + strconv.FormatUint(s.Revision, 10) }

// ParseSubject reads what String wrote.
func ParseSubject(text string) (Subject, error) {
	at := strings.LastIndexByte(text, '@')
	if at <= 0 {
		return Subject{}, fmt.Errorf("subject %q: not topic@revision", text)
	}
	revision, err := strconv.ParseUint(text[at+1:], 10, 64)
	if err != nil {
		return Subject{}, fmt.Errorf("subject %q: %w", text, err)
	}
	return Subject{text[:at], revision}, nil
}

// Compare orders subjects by topic, then revision.
func (s Subject) Compare(o Subject) int {
	return cmp.Or(strings.Compare(s.Topic, o.Topic), cmp.Compare(s.Revision, o.Revision))
}

// MinuteKey names one minute of a subject. Minute is Unix seconds / 60.
type MinuteKey struct {
	Subject

	Minute int64
}

// Compare orders keys by subject, then minute.
func (k MinuteKey) Compare(o MinuteKey) int {
	return cmp.Or(k.Subject.Compare(o.Subject), cmp.Compare(k.Minute, o.Minute))
}
