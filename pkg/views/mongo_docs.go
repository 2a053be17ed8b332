package views

import (
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

type pointerDoc struct {
	Number  int64         `bson:"_id"`
	Attempt bson.ObjectID `bson:"attempt"`
	Seals   int           `bson:"seals"`
}

type generationDoc struct {
	Attempt bson.ObjectID `bson:"_id"`
	Number  int64         `bson:"number"`
	// Rounds is how many documents the rounds take: fewer are left of a
	// generation that is just expiring.
	Rounds        int        `bson:"rounds"`
	CreatedAt     int64      `bson:"created_at"`
	Run           string     `bson:"run"`
	Partitions    []cutDoc   `bson:"partitions"`
	FloorEpoch    int64      `bson:"floor_epoch"`
	Rows          int64      `bson:"rows"`
	Agreed        string     `bson:"agreed"`
	Differences   []string   `bson:"differences,omitempty"`
	LateAfterSeal []roundDoc `bson:"late_after_seal,omitempty"`
	Seals         []keyDoc   `bson:"seals,omitempty"`
	Topics        []topicDoc `bson:"topics,omitempty"`
	Build         string     `bson:"build,omitempty"`
	PostCuts      []cutDoc   `bson:"post_partitions,omitempty"`
	PostRows      int64      `bson:"post_rows,omitempty"`
	Unheard       int64      `bson:"unheard,omitempty"`
	Searched      int64      `bson:"searched,omitempty"`
}

type topicDoc struct {
	Topic       string `bson:"topic"`
	Revision    int64  `bson:"revision"`
	Fingerprint string `bson:"fingerprint"`
	Manifest    []byte `bson:"manifest"`
	Complete    bool   `bson:"complete"`
}

func (d *generationDoc) topics() []TopicRef {
	var refs []TopicRef
	for _, t := range d.Topics {
		ref := TopicRef{Topic: t.Topic, Revision: uint64(t.Revision), Fingerprint: t.Fingerprint, Complete: t.Complete}
		copy(ref.Manifest[:], t.Manifest)
		refs = append(refs, ref)
	}
	return refs
}

type cutDoc struct {
	Partition int32 `bson:"partition"`
	Offset    int64 `bson:"offset"`
	Floor     int64 `bson:"floor"`
}

type keyDoc struct {
	Poll  string `bson:"poll"`
	Round int64  `bson:"round"`
}

// roundDoc is a round, or a further part of its series.
type roundDoc struct {
	ID         bson.ObjectID `bson:"_id,omitempty"`
	Attempt    bson.ObjectID `bson:"attempt,omitempty"`
	Number     int64         `bson:"number,omitempty"`
	Poll       string        `bson:"poll"`
	Round      int64         `bson:"round"`
	Part       int           `bson:"part,omitempty"`
	Votes      []int64       `bson:"votes,omitempty"`
	Sums       []int64       `bson:"sums,omitempty"`
	Voters     int64         `bson:"voters,omitempty"`
	Late       int64         `bson:"late,omitempty"`
	Duplicates int64         `bson:"duplicates,omitempty"`
	Limit      int64         `bson:"limit,omitempty"`
	Revoked    int64         `bson:"revoked,omitempty"`
	Superseded int64         `bson:"superseded,omitempty"`
	// Series is compact: see appendSeries.
	Series []byte `bson:"series,omitempty"`
	// SealedAt and Certificate are a sealed round's.
	SealedAt    int64  `bson:"sealed_at,omitempty"`
	Certificate []byte `bson:"certificate,omitempty"`
}

func roundDocs(attempt bson.ObjectID, number int64, k audience.RoundKey, r *tally.Round) []roundDoc {
	if r == nil {
		r = &tally.Round{}
	}
	series := appendSeries(nil, r.Series)
	first := roundDoc{
		ID: bson.NewObjectID(), Attempt: attempt, Number: number, Poll: k.Poll, Round: int64(k.Round),
		Votes: r.Votes, Sums: r.Sums, Voters: r.Voters, Late: r.Late, Duplicates: r.Duplicates,
		Limit: r.Limit, Revoked: r.Revoked, Superseded: r.Superseded,
		Series: series[:min(len(series), seriesPart)],
	}
	docs := []roundDoc{first}
	for from := seriesPart; from < len(series); from += seriesPart {
		docs = append(docs, roundDoc{
			ID: bson.NewObjectID(), Attempt: attempt, Number: number, Poll: k.Poll, Round: int64(k.Round),
			Part: len(docs), Series: series[from:min(len(series), from+seriesPart)],
		})
	}
	return docs
}

func generationDocOf(g *Generation, attempt bson.ObjectID) generationDoc {
	d := generationDoc{
		Attempt: attempt, Number: int64(g.Number), CreatedAt: int64(g.CreatedAt), Run: g.Run,
		FloorEpoch: int64(g.FloorEpoch), Rows: g.Rows, Agreed: g.Agreed, Differences: g.Differences,
		Build: g.Build, PostRows: g.PostRows, Unheard: int64(g.Unheard), Searched: int64(g.Searched),
	}
	for p, offset := range g.Offsets {
		d.Partitions = append(d.Partitions, cutDoc{p, offset, g.Floors[p]})
	}
	for _, k := range audience.SortedRounds(g.LateAfterSeal) {
		d.LateAfterSeal = append(d.LateAfterSeal, roundDoc{Poll: k.Poll, Round: int64(k.Round), Late: g.LateAfterSeal[k]})
	}
	for _, k := range g.Seals {
		d.Seals = append(d.Seals, keyDoc{k.Poll, int64(k.Round)})
	}
	for i := range g.Topics {
		t := &g.Topics[i]
		d.Topics = append(d.Topics, topicDoc{t.Topic, int64(t.Revision), t.Fingerprint, t.Manifest[:], t.Complete})
	}
	for p, offset := range g.PostOffsets {
		d.PostCuts = append(d.PostCuts, cutDoc{Partition: p, Offset: offset})
	}
	return d
}

func (d *generationDoc) generation() *Generation {
	g := &Generation{
		Number: uint64(d.Number), CreatedAt: audience.Millis(d.CreatedAt), Run: d.Run,
		FloorEpoch: uint64(d.FloorEpoch), Rows: d.Rows, Agreed: d.Agreed, Differences: d.Differences,
		Offsets: map[int32]int64{}, Floors: map[int32]int64{},
		Rounds: tally.View{}, LateAfterSeal: map[audience.RoundKey]int64{},
		Topics: d.topics(), Build: d.Build, PostOffsets: map[int32]int64{}, PostRows: d.PostRows, Unheard: uint64(d.Unheard), Searched: uint64(d.Searched),
	}
	for _, p := range d.PostCuts {
		g.PostOffsets[p.Partition] = p.Offset
	}
	for _, p := range d.Partitions {
		g.Offsets[p.Partition], g.Floors[p.Partition] = p.Offset, p.Floor
	}
	for i := range d.LateAfterSeal {
		g.LateAfterSeal[d.LateAfterSeal[i].key()] = d.LateAfterSeal[i].Late
	}
	for _, k := range d.Seals {
		g.Seals = append(g.Seals, audience.RoundKey{Poll: k.Poll, Round: uint32(k.Round)})
	}
	return g
}

func (d *roundDoc) key() audience.RoundKey {
	return audience.RoundKey{Poll: d.Poll, Round: uint32(d.Round)}
}

// runsOf cuts docs where what they are of changes.
func runsOf[K comparable](docs []roundDoc, of func(*roundDoc) K) iter.Seq[[]roundDoc] {
	return func(yield func([]roundDoc) bool) {
		for from := 0; from < len(docs); {
			to := from + 1
			for to < len(docs) && of(&docs[to]) == of(&docs[from]) {
				to++
			}
			if !yield(docs[from:to]) {
				return
			}
			from = to
		}
	}
}

// join puts the parts of a round, in order, together.
func join(parts []roundDoc) (*tally.Round, error) {
	d := parts[0]
	r := &tally.Round{
		Votes: d.Votes, Sums: d.Sums, Voters: d.Voters, Late: d.Late, Duplicates: d.Duplicates,
		Limit: d.Limit, Revoked: d.Revoked, Superseded: d.Superseded,
	}
	var series []byte
	for i, part := range parts {
		if part.Part != i {
			return nil, fmt.Errorf("%w: part %d of %s/%d is missing", ErrDamaged, i, d.Poll, d.Round)
		}
		series = append(series, part.Series...)
	}
	dec := decoder{b: series}
	r.Series = dec.series()
	return r, dec.end()
}
