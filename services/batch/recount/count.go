package recount

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/services/batch/certificate"
)

// files checks that the files named in the certificate are those in the
// archive, byte for byte.
func files(ctx context.Context, a *archive.Archive, s *certificate.Statement) (found []string, err error) {
	for _, f := range s.Files {
		sha, size, err := a.Hash(ctx, f.Path)
		if err != nil {
			return nil, err
		}
		if sha != f.SHA256 || size != f.Bytes {
			found = append(found, fmt.Sprintf("%s has changed: certified %d bytes with SHA-256 %s, found %d with %s", f.Path, f.Bytes, f.SHA256, size, sha))
		}
	}
	return found, nil
}

// definition replays the archived control log up to the cut.
func definition(ctx context.Context, a *archive.Archive, s *certificate.Statement) (*audience.Poll, error) {
	m := control.NewMachine()
	for epoch := range s.Cut {
		_, err := a.ReadControl(ctx, archive.Segment{Topic: archive.Control, Epoch: epoch}, func(rows []archive.ControlRow) error {
			for _, row := range rows {
				if row.Type == archive.RowControl {
					m.Apply(control.EventFrom(row.Control), row.Offset)
				} else {
					m.Skip(row.Offset)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	poll, ok := m.State().Poll(s.Poll)
	if !ok {
		return nil, fmt.Errorf("the archived control log has no poll %s", s.Poll)
	}
	d, ok := poll.DefinitionOf(s.Round)
	if !ok {
		return nil, fmt.Errorf("the archived control log has no round %d of %s", s.Round, s.Poll)
	}
	return &d, nil
}

// redefined compares what decides the result: labels may change, options and
// limits may not.
func redefined(certified, archived *audience.Poll) []string {
	ids := func(p *audience.Poll) []string {
		var list []string
		for _, o := range p.Options {
			list = append(list, o.ID)
		}
		return list
	}
	var found []string
	if a, b := ids(certified), ids(archived); !slices.Equal(a, b) {
		found = append(found, fmt.Sprintf("the options: certified %v, defined %v", a, b))
	}
	if certified.Kind != archived.Kind {
		found = append(found, fmt.Sprintf("the kind: certified %s, defined %s", certified.Kind, archived.Kind))
	}
	if certified.Limits != archived.Limits {
		found = append(found, fmt.Sprintf("the limits: certified %+v, defined %+v", certified.Limits, archived.Limits))
	}
	return found
}

// counted is what the archive holds of a round.
type counted struct {
	key                     audience.RoundKey
	round                   *tally.Round
	segments, rows, ballots int64
	found                   []string
}

// count folds the round's ballots from the first segment up to the cut.
func count(ctx context.Context, a *archive.Archive, s *certificate.Statement) (*counted, error) {
	if s.Cut == 0 || len(s.Offsets) == 0 {
		return nil, errors.New("the certificate names no cut and no partitions")
	}
	c := &counted{key: audience.RoundKey{Poll: s.Poll, Round: s.Round}, round: &tally.Round{}}
	named, err := a.Partitions(ctx, archive.Ballots, s.Cut-1)
	if err != nil {
		return nil, err
	}
	if named != len(s.Offsets) {
		c.found = append(c.found, fmt.Sprintf("the archive has %d partitions, the certificate %d", named, len(s.Offsets)))
	}
	for p := range int32(named) {
		end, err := c.partition(ctx, a, s.Cut, p)
		if err != nil {
			return nil, err
		}
		if end != s.Offsets[p] {
			c.found = append(c.found, fmt.Sprintf("partition %d: certified up to offset %d, cut %d lies at %d", p, s.Offsets[p], s.Cut, end))
		}
	}
	return c, nil
}

// partition gives the offset behind the cut.
func (c *counted) partition(ctx context.Context, a *archive.Archive, cut uint64, p int32) (next int64, err error) {
	state, out := tally.NewCounter(), tally.View{}
	for epoch := range cut {
		var rows int64
		file, err := a.ReadBallots(ctx, archive.Segment{Topic: archive.Ballots, Epoch: epoch, Partition: p}, func(some []archive.Row) error {
			rows += int64(len(some))
			for i := range some {
				c.take(state, &some[i], out)
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
		if file.First != next || state.Epoch() != epoch+1 || rows != file.Rows {
			return 0, fmt.Errorf("%s does not follow the segment before: offsets %d to %d after %d, %d of %d rows, epoch %d",
				file.Path, file.First, file.Next, next, rows, file.Rows, state.Epoch())
		}
		next = file.Next
		c.segments, c.rows = c.segments+1, c.rows+rows
	}
	c.round.Add(out[c.key])
	return next, nil
}

// take folds what concerns the round. Its seal is the end of the count, and
// other rounds' are not looked at.
func (c *counted) take(state *tally.Partition, row *archive.Row, out tally.View) {
	switch row.Type {
	case archive.RowBallot:
		if row.Ballot.Round == c.key.Round && row.Ballot.Poll == c.key.Poll {
			c.ballots++
			state.Ballot(&row.Ballot, out)
		}
	case archive.RowRevocation:
		if row.Revocation.Key() == c.key {
			state.Revoke(&row.Revocation, out)
		}
	case archive.RowCut:
		state.Cut(row.Cut)
	}
}

type total struct {
	name                 string
	certified, recounted int64
}

func totals(s, again *certificate.Statement) []total {
	return []total{
		{"votes", s.Totals.Votes, again.Totals.Votes},
		{"voters", s.Totals.Voters, again.Totals.Voters},
		{"late", s.Totals.Late, again.Totals.Late},
		{"duplicates", s.Totals.Duplicates, again.Totals.Duplicates},
		{"superseded", s.Totals.Superseded, again.Totals.Superseded},
		{"rejected by the limit", s.Totals.Rejected.Limit, again.Totals.Rejected.Limit},
		{"revoked", s.Totals.Rejected.Revoked, again.Totals.Rejected.Revoked},
	}
}

func differ(s, again *certificate.Statement) []string {
	var found []string
	for i := range max(len(s.Options), len(again.Options)) {
		var a, b certificate.Option
		if i < len(s.Options) {
			a = s.Options[i]
		}
		if i < len(again.Options) {
			b = again.Options[i]
		}
		if a.Votes != b.Votes {
			found = append(found, fmt.Sprintf("votes of %s: certified %d, recounted %d", a.ID, a.Votes, b.Votes))
		}
		if sum(a) != sum(b) {
			found = append(found, fmt.Sprintf("scores of %s: certified a sum of %d, recounted %d", a.ID, sum(a), sum(b)))
		}
	}
	for _, t := range totals(s, again) {
		if t.certified != t.recounted {
			found = append(found, fmt.Sprintf("%s: certified %d, recounted %d", t.name, t.certified, t.recounted))
		}
	}
	return found
}

func sum(o certificate.Option) int64 {
	if o.Sum == nil {
		return 0
	}
	return *o.Sum
}
