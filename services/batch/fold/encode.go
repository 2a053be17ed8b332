package fold

import (
	"encoding/json"
	"fmt"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
	"github.com/clamor-live/clamor/pkg/views"
)

// encoded is a Part as a file: the same Part gives the same bytes, whichever
// runner made it.
type encoded struct {
	Partition int32          `json:"partition"`
	Rounds    []byte         `json:"rounds"`
	Ended     []byte         `json:"ended"`
	Last      []byte         `json:"last"`
	Late      []count        `json:"late,omitempty"`
	First     []count        `json:"first,omitempty"`
	Files     []archive.File `json:"files"`
	Rows      int64          `json:"rows"`
	Ballots   int64          `json:"ballots"`
}

type count struct {
	Key audience.RoundKey `json:"key"`
	N   uint64            `json:"n"`
}

// Encode writes a Part as bytes.
func Encode(p *Part) ([]byte, error) {
	e := encoded{
		Partition: p.Partition, Rounds: views.Encode(p.Rounds), Ended: views.Encode(p.Ended), Last: views.Encode(p.Last),
		Files: p.Files, Rows: p.Rows, Ballots: p.Ballots,
	}
	for _, k := range audience.SortedRounds(p.Late) {
		e.Late = append(e.Late, count{k, uint64(p.Late[k])})
	}
	for _, k := range audience.SortedRounds(p.First) {
		e.First = append(e.First, count{k, p.First[k]})
	}
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode partition %d: %w", p.Partition, err)
	}
	return b, nil
}

// Decode reads what Encode wrote.
func Decode(b []byte) (*Part, error) {
	var e encoded
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, fmt.Errorf("decode a partition's result: %w", err)
	}
	p := &Part{
		Partition: e.Partition, Files: e.Files, Rows: e.Rows, Ballots: e.Ballots,
		Late: map[audience.RoundKey]int64{}, First: map[audience.RoundKey]uint64{},
	}
	for _, v := range []struct {
		from []byte
		to   *tally.View
	}{{e.Rounds, &p.Rounds}, {e.Ended, &p.Ended}, {e.Last, &p.Last}} {
		view, err := views.Decode(v.from)
		if err != nil {
			return nil, fmt.Errorf("decode the result of partition %d: %w", e.Partition, err)
		}
		*v.to = view
	}
	for _, c := range e.Late {
		p.Late[c.Key] = int64(c.N)
	}
	for _, c := range e.First {
		p.First[c.Key] = c.N
	}
	return p, nil
}
