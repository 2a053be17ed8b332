// Package form reads the JSON of a ballot.
//
// Its one trick: the hand-written reader knows only the shape that every client
// sends, and gives up at the slightest surprise (an escape, a letter outside
// ASCII, an unknown name, anything malformed). What it gives up on is read again
// by package jsonbody, which alone says what is wrong. So the common ballot is
// read in one pass without allocating, and no verdict exists twice.
package form

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
)

// Door says whose ballot it is, which decides the fields.
type Door uint8

const (
	// Voter is a voter's own ballot: ballot_id, choices, scores.
	Voter Door = iota
	// Gateway is a line of a batch, with voter_ref and sent_at besides.
	Gateway
)

// Form is a ballot as it was sent, unchecked against any poll. Its bytes point
// into the body, or into memory of their own.
type Form struct {
	BallotID []byte
	VoterRef []byte
	Choices  [][]byte
	Scores   []Score
}

// Score is one option's score. Options are distinct.
type Score struct {
	Option []byte
	Value  int64
}

// Read fills f from one JSON object; f may be used again. Every error is a
// *fault.Error: bad-json or invalid-request.
func (f *Form) Read(body []byte, door Door) error {
	f.reset()
	if f.quick(body, door) {
		return nil
	}
	f.reset()
	if door == Gateway {
		return f.gateway(body)
	}
	return f.voter(body)
}

func (f *Form) reset() {
	f.BallotID, f.VoterRef = nil, nil
	f.Choices, f.Scores = f.Choices[:0], f.Scores[:0]
}

type voterBallot struct {
	BallotID *string          `json:"ballot_id"`
	Choices  []string         `json:"choices"`
	Scores   map[string]int64 `json:"scores"`
}

type gatewayBallot struct {
	BallotID *string          `json:"ballot_id"`
	VoterRef *string          `json:"voter_ref"`
	SentAt   *instant         `json:"sent_at"`
	Choices  []string         `json:"choices"`
	Scores   map[string]int64 `json:"scores"`
}

func (f *Form) voter(body []byte) error {
	var b voterBallot
	if err := jsonbody.Unmarshal(body, &b); err != nil {
		return err
	}
	if b.BallotID == nil {
		return missing("ballot_id")
	}
	f.fill(b.BallotID, b.Choices, b.Scores)
	return nil
}

func (f *Form) gateway(body []byte) error {
	var b gatewayBallot
	if err := jsonbody.Unmarshal(body, &b); err != nil {
		return err
	}
	switch {
	case b.BallotID == nil:
		return missing("ballot_id")
	case b.VoterRef == nil:
		return missing("voter_ref")
	}
	if err := checkRef(len(*b.VoterRef)); err != nil {
		return err
	}
	f.fill(b.BallotID, b.Choices, b.Scores)
	f.VoterRef = []byte(*b.VoterRef)
	return nil
}

func (f *Form) fill(id *string, choices []string, scores map[string]int64) {
	f.BallotID = []byte(*id)
	for _, c := range choices {
		f.Choices = append(f.Choices, []byte(c))
	}
	for option, value := range scores {
		f.Scores = append(f.Scores, Score{[]byte(option), value})
	}
	slices.SortFunc(f.Scores, func(a, b Score) int { return slices.Compare(a.Option, b.Option) })
}

// MaxRef is the longest voter_ref in bytes.
const MaxRef = 256

func checkRef(n int) error {
	if n == 0 || n > MaxRef {
		return fault.Invalid(fault.Field{Pointer: "/voter_ref", Detail: "must have 1 to 256 bytes"})
	}
	return nil
}

func missing(name string) error {
	return fault.Invalid(fault.Field{Pointer: "/" + name, Detail: "is missing"})
}
