package capture

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture/internal/book"
	"github.com/clamor-live/clamor/services/capture/internal/form"
)

// stack gathers the ballots of a batch's lines, by partition. It belongs to one
// goroutine and is used again.
type stack struct {
	form    form.Form
	ballots [][]audience.Ballot
	// choices holds those of all ballots, which point into it.
	choices []audience.Choice
}

func (st *stack) reset(partitions int) {
	if len(st.ballots) != partitions {
		st.ballots = make([][]audience.Ballot, partitions)
	}
	for p := range st.ballots {
		st.ballots[p] = st.ballots[p][:0]
	}
	st.choices = st.choices[:0]
}

// take adds the ballot of one line, or says what is wrong with it.
func (st *stack) take(line []byte, m *book.Moment, key *keys.ShowKey, received audience.Millis, source string) error {
	if err := st.form.Read(line, form.Gateway); err != nil {
		return err
	}
	id, err := audience.ParseBallotID(string(st.form.BallotID))
	if err != nil {
		return badBallotID(err)
	}
	from := len(st.choices)
	if st.choices, err = m.Choices(&st.form, st.choices); err != nil {
		return err
	}
	b := m.Ballot(received, source)
	b.ID, b.Voter = id, key.VoterOf(ofRef, st.form.VoterRef)
	b.Choices = st.choices[from:len(st.choices):len(st.choices)]
	p := audience.PartitionOf(b.Key(), b.Voter, len(st.ballots))
	st.ballots[p] = append(st.ballots[p], b)
	return nil
}
