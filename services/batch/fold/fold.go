// Package fold counts one partition again from its archived segments. It is the
// unit of work of both runners, and knows nothing of the log, the speed view or
// earlier generations.
//
// Its one trick is that no ballot is shuffled: a voter's ballots of a round lie
// in one partition in order, so folding a partition's segments one after the
// other needs nobody else.
package fold

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

// Job is what to fold in every partition.
type Job struct {
	// From and To bound the epochs: From is folded, To is the cut that ends the
	// last of them. To is above From.
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Sealed are the rounds that ended with cut From or earlier.
	Sealed []audience.RoundKey `json:"sealed,omitempty"`
	// Seals are the rounds that end with cut To: what became of each of their
	// ballots is written as receipts.
	Seals []audience.RoundKey `json:"seals,omitempty"`
}

// Part is what one partition holds.
type Part struct {
	Partition int32
	// Rounds are the rounds that no cut before To sealed.
	Rounds tally.View
	// Ended are the rounds that a cut above From and below To sealed, as they
	// were then. They are whole when their first record is not before From.
	Ended tally.View
	// Late counts the ballots that came after their round was sealed.
	Late map[audience.RoundKey]int64
	// Last is what the epoch before To changed.
	Last tally.View
	// First is the first epoch, from From on, with a record of the round.
	First map[audience.RoundKey]uint64
	// Files are the segments, From first.
	Files []archive.File
	// Rows and Ballots were read.
	Rows, Ballots int64
}

// ErrBroken says that the segments do not follow one another.
var ErrBroken = errors.New("the archive's segments do not fit together")

// Fold folds one partition.
func Fold(ctx context.Context, a *archive.Archive, job Job, partition int32) (*Part, error) {
	f := &folder{
		job: job,
		part: &Part{
			Partition: partition, Rounds: tally.View{}, Ended: tally.View{}, Last: tally.View{},
			Late: map[audience.RoundKey]int64{}, First: map[audience.RoundKey]uint64{},
		},
		state:  tally.NewCounter(),
		marks:  map[audience.RoundKey][]archive.MarkOutcome{},
		sealed: map[audience.RoundKey]bool{},
	}
	f.state.SetEpoch(job.From)
	for _, k := range job.Sealed {
		f.state.Seal(k)
		f.sealed[k] = true
	}
	for _, k := range job.Seals {
		f.marks[k] = nil
	}
	for epoch := job.From; epoch < job.To; epoch++ {
		if err := f.epoch(ctx, a, epoch); err != nil {
			return nil, err
		}
	}
	for _, k := range job.Seals {
		if err := a.PutReceipts(ctx, k, partition, f.marks[k]); err != nil {
			return nil, err
		}
	}
	f.part.Rounds.Prune()
	f.part.Ended.Prune()
	return f.part, nil
}

// folder is one partition's fold under way.
type folder struct {
	job    Job
	part   *Part
	state  *tally.Partition
	out    tally.View // of the epoch at hand
	sealed map[audience.RoundKey]bool
	// marks are the receipts of the rounds in job.Seals.
	marks  map[audience.RoundKey][]archive.MarkOutcome
	rows   int64
	last   archive.RowType
	at     int64
	looked uint64
}

func (f *folder) epoch(ctx context.Context, a *archive.Archive, epoch uint64) error {
	s := archive.Segment{Topic: archive.Ballots, Epoch: epoch, Partition: f.part.Partition}
	f.out, f.rows = tally.View{}, 0
	file, err := a.ReadBallots(ctx, s, f.take)
	if err != nil {
		return err
	}
	if err := f.check(epoch, file); err != nil {
		return err
	}
	f.part.Files = append(f.part.Files, file)
	f.part.Rows += f.rows
	if epoch == f.job.To-1 {
		f.out.Prune()
		f.part.Last = f.out
	}
	return nil
}

// check refuses a segment that is not the whole of its epoch.
func (f *folder) check(epoch uint64, file archive.File) error {
	switch {
	case f.rows != file.Rows:
		return fmt.Errorf("fold %s: %d rows read, %d archived: %w", file.Path, f.rows, file.Rows, ErrBroken)
	case f.state.Epoch() != epoch+1 || f.last != archive.RowCut || f.at+1 != file.Next:
		return fmt.Errorf("fold %s: it does not end with cut %d: %w", file.Path, epoch+1, ErrBroken)
	}
	if n := len(f.part.Files); n > 0 && f.part.Files[n-1].Next != file.First {
		return fmt.Errorf("fold %s: it begins at offset %d, the epoch before ends at %d: %w",
			file.Path, file.First, f.part.Files[n-1].Next, ErrBroken)
	}
	return nil
}

func (f *folder) take(rows []archive.Row) error {
	f.rows += int64(len(rows))
	for i := range rows {
		if i%lookahead == 0 {
			f.ahead(rows[i:min(i+lookahead, len(rows))])
		}
		if i%courtesy == courtesy-1 {
			runtime.Gosched()
		}
		row := &rows[i]
		switch row.Type {
		case archive.RowBallot:
			f.part.Ballots++
			f.state.Ballot(&row.Ballot, f.out)
			if row.Ballot.PerVoter == 0 && len(f.marks) > 0 {
				f.mark(&row.Ballot)
			}
		case archive.RowRevocation:
			f.state.Revoke(&row.Revocation, f.out)
		case archive.RowCut:
			f.cut(row.Cut)
		}
	}
	if len(rows) > 0 {
		f.last, f.at = rows[len(rows)-1].Type, rows[len(rows)-1].Offset
	}
	return nil
}

// courtesy is after how many rows, some tenths of a millisecond, the fold lets
// others go first: on a small machine the doors answer from the same processors.
const courtesy = 512

// lookahead is how many rows are looked at before the first of them is counted;
// measured with a million voters: 32 is about a sixth faster than none.
const lookahead = 32

func (f *folder) ahead(rows []archive.Row) {
	for i := range rows {
		if rows[i].Type == archive.RowBallot {
			f.looked ^= f.state.Ahead(&rows[i].Ballot)
		}
	}
}

// mark notes a ballot of a round without limits, which the state forgets after
// minutes.
func (f *folder) mark(b *audience.Ballot) {
	k := b.Key()
	if _, wanted := f.marks[k]; !wanted || f.sealed[k] {
		return
	}
	outcome := tally.Counted
	if b.Late() {
		outcome = tally.Late
	}
	f.marks[k] = append(f.marks[k], archive.MarkOutcome{Mark: tally.Mark(b.Voter, b.ID), Outcome: uint8(outcome)})
}

// cut ends the epoch at hand, unless it repeats an earlier cut.
func (f *folder) cut(c audience.Cut) {
	if c.Number <= f.state.Epoch() {
		return
	}
	f.settle()
	if c.Number == f.job.To {
		f.receipts()
	}
	f.state.Cut(c)
	for _, k := range c.Seals {
		f.sealed[k] = true
		if c.Number < f.job.To {
			f.part.Ended.Of(k).Add(f.part.Rounds[k])
			delete(f.part.Rounds, k)
		}
	}
}

// settle books what the epoch changed.
func (f *folder) settle() {
	epoch := f.state.Epoch()
	for k, r := range f.out {
		if f.sealed[k] {
			f.part.Late[k] += r.Late
			continue
		}
		f.part.Rounds.Of(k).Add(r)
		f.see(k, epoch)
	}
	for _, k := range f.state.Rounds() {
		f.see(k, epoch)
	}
}

func (f *folder) see(k audience.RoundKey, epoch uint64) {
	if _, ok := f.part.First[k]; !ok {
		f.part.First[k] = epoch
	}
}

// receipts collects what became of the ballots of the rounds about to be
// sealed, while the state still knows.
func (f *folder) receipts() {
	for k, marks := range f.marks {
		for i := range marks {
			if o, ok := f.state.Outcome(k, marks[i].Mark); ok {
				marks[i].Outcome = uint8(o)
			}
		}
		if marks == nil {
			f.state.Outcomes(k, func(mark uint64, o tally.Outcome) {
				marks = append(marks, archive.MarkOutcome{Mark: mark, Outcome: uint8(o)})
			})
		}
		f.marks[k] = marks
	}
}

// Sum adds the parts of all partitions up, and checks that none is missing.
func Sum(parts []*Part, partitions int) (*Part, error) {
	sum := &Part{
		Partition: -1, Rounds: tally.View{}, Ended: tally.View{}, Last: tally.View{},
		Late: map[audience.RoundKey]int64{}, First: map[audience.RoundKey]uint64{},
	}
	seen := map[int32]bool{}
	for _, p := range parts {
		if seen[p.Partition] || p.Partition < 0 || int(p.Partition) >= partitions {
			return nil, fmt.Errorf("sum up the partitions: %d comes twice or is none of %d", p.Partition, partitions)
		}
		seen[p.Partition] = true
		sum.Rounds.Add(p.Rounds)
		sum.Ended.Add(p.Ended)
		sum.Last.Add(p.Last)
		sum.Rows, sum.Ballots = sum.Rows+p.Rows, sum.Ballots+p.Ballots
		for k, n := range p.Late {
			sum.Late[k] += n
		}
		for k, epoch := range p.First {
			if was, ok := sum.First[k]; !ok || epoch < was {
				sum.First[k] = epoch
			}
		}
	}
	if len(seen) != partitions {
		return nil, fmt.Errorf("sum up the partitions: %d of %d are there", len(seen), partitions)
	}
	return sum, nil
}
