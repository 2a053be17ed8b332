package archive

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/clamor-live/clamor/pkg/audience"
)

// visitRows is how many rows a visitor gets at a time: few enough to stay in
// the processor's cache.
const visitRows = 256

// Check reads a segment whole, to see that it can be.
func (a *Archive) Check(ctx context.Context, s Segment) (File, error) {
	switch s.Topic {
	case Posts:
		return a.ReadPosts(ctx, s, func([]PostRow) error { return nil })
	case Control:
		return a.ReadControl(ctx, s, func([]ControlRow) error { return nil })
	}
	return a.ReadBallots(ctx, s, func([]Row) error { return nil })
}

// ReadBallots calls visit with the rows of a ballots segment in order, some at
// a time. The slice and the choices in it are reused by the next call; texts
// may be kept.
func (a *Archive) ReadBallots(ctx context.Context, s Segment, visit func([]Row) error) (File, error) {
	o, err := a.open(ctx, s, true)
	if err != nil {
		return File{}, err
	}
	defer o.Close()
	r := ballotReader{texts: interner{}, rows: make([]Row, visitRows)}
	if err := r.bind(o.parquet); err != nil {
		return File{}, corrupt(s.Path(), err)
	}
	for i, group := range o.parquet.RowGroups() {
		if err := ctx.Err(); err != nil {
			return File{}, fmt.Errorf("read %s: %w", s.Path(), err)
		}
		if err := r.load(o, i, group); err != nil {
			return File{}, corrupt(s.Path(), err)
		}
		if err := r.visit(visit); err != nil {
			return File{}, err
		}
	}
	return o.file, nil
}

// The columns of a ballots segment, by how they are read.
const (
	numOffset = iota
	numItem
	numRound
	numReceivedAt
	numClosesAt
	numPerVoter
	numRevision
	numAt
	numCut
	numbers
)

const (
	wordType = iota
	wordPoll
	wordKind
	wordOnRepeat
	wordSource
	wordPost
	wordSlots
	wordScores
	wordActor
	wordSeals
	texts
)

var (
	numberNames = [numbers]string{"offset", "item", "round", "received_at", "closes_at", "ballots_per_voter", "revision", "at", "cut"}
	wordNames   = [texts]string{"type", "poll", "kind", "on_repeat", "source", "post", "slots", "scores", "actor", "seals"}
)

// ballotReader turns one row group at a time into rows, its buffers reused.
type ballotReader struct {
	numberAt [numbers]int
	wordAt   [texts]int
	idAt     int
	voterAt  int
	undoAt   int

	numbers [numbers][]int64
	words   [texts]words
	id      []byte
	voter   []byte
	restore []bool
	texts   interner

	// The dictionaries of type, slots and scores, read into what they mean.
	types   []RowType
	choices [][]audience.Choice
	scores  [][]int64
	arena   []audience.Choice

	n    int // rows in the group
	rows []Row
}

func (r *ballotReader) bind(f *parquet.File) error {
	find := func(name string, at *int) error {
		leaf, ok := f.Schema().Lookup(name)
		if !ok || !leaf.Node.Required() {
			return fmt.Errorf("column %s: %w", name, errColumn)
		}
		*at = leaf.ColumnIndex
		return nil
	}
	for i, name := range numberNames {
		if err := find(name, &r.numberAt[i]); err != nil {
			return err
		}
	}
	for i, name := range wordNames {
		if err := find(name, &r.wordAt[i]); err != nil {
			return err
		}
	}
	for name, at := range map[string]*int{"id": &r.idAt, "voter": &r.voterAt, "restore": &r.undoAt} {
		if err := find(name, at); err != nil {
			return err
		}
	}
	return nil
}

// load reads row group i whole.
func (r *ballotReader) load(o *opened, i int, group parquet.RowGroup) (err error) {
	defer rescue(o.path, &err)
	if err := o.loadGroup(i); err != nil {
		return err
	}
	chunks := group.ColumnChunks()
	r.n = int(group.NumRows())
	for k, at := range r.numberAt {
		if r.numbers[k], err = int64s(chunks[at], r.numbers[k][:0]); err != nil || len(r.numbers[k]) != r.n {
			return columnError(numberNames[k], err)
		}
	}
	for k, at := range r.wordAt {
		if err = r.words[k].read(chunks[at], r.texts.of); err == nil {
			err = r.words[k].check(r.n)
		}
		if err != nil {
			return columnError(wordNames[k], err)
		}
	}
	if r.id, err = blocks(chunks[r.idAt], r.id[:0]); err != nil || len(r.id) != 16*r.n {
		return columnError("id", err)
	}
	if r.voter, err = blocks(chunks[r.voterAt], r.voter[:0]); err != nil || len(r.voter) != 16*r.n {
		return columnError("voter", err)
	}
	if r.restore, err = bools(chunks[r.undoAt], r.restore[:0]); err != nil || len(r.restore) != r.n {
		return columnError("restore", err)
	}
	return r.interpret()
}

// loadGroup brings a row group's bytes into memory.
func (o *opened) loadGroup(i int) error {
	from, to := o.size, int64(0)
	for _, c := range o.parquet.Metadata().RowGroups[i].Columns {
		start := c.MetaData.DataPageOffset
		if d := c.MetaData.DictionaryPageOffset; d != 0 {
			start = min(start, d)
		}
		from, to = min(from, start), max(to, start+c.MetaData.TotalCompressedSize)
	}
	return o.load(from, to)
}

func columnError(name string, err error) error {
	if err == nil {
		err = errColumn
	}
	return fmt.Errorf("column %s: %w", name, err)
}

// interpret reads the dictionaries whose texts mean something else.
func (r *ballotReader) interpret() error {
	r.types, r.choices, r.scores = r.types[:0], r.choices[:0], r.scores[:0]
	for _, text := range r.words[wordType].text {
		t, err := parseType(text)
		if err != nil {
			return columnError("type", err)
		}
		r.types = append(r.types, t)
	}
	for _, text := range r.words[wordSlots].text {
		slots, err := parseInts(text)
		if err != nil {
			return columnError("slots", err)
		}
		choices := make([]audience.Choice, len(slots))
		for i, s := range slots {
			choices[i].Slot = uint16(s)
		}
		r.choices = append(r.choices, choices)
	}
	for _, text := range r.words[wordScores].text {
		scores, err := parseInts(text)
		if err != nil {
			return columnError("scores", err)
		}
		r.scores = append(r.scores, scores)
	}
	return nil
}

// like is what ballots of one round have in common: while it stays, a row's
// ballot is the one before with another id, voter, time and choice.
type like struct {
	round, closesAt, perVoter, revision int64
	poll, kind, onRepeat, source, post  int32
}

func (r *ballotReader) like(i int) like {
	return like{
		round: r.numbers[numRound][i], closesAt: r.numbers[numClosesAt][i],
		perVoter: r.numbers[numPerVoter][i], revision: r.numbers[numRevision][i],
		poll: r.words[wordPoll].index[i], kind: r.words[wordKind].index[i],
		onRepeat: r.words[wordOnRepeat].index[i], source: r.words[wordSource].index[i],
		post: r.words[wordPost].index[i],
	}
}

func (r *ballotReader) word(k, i int) string {
	w := &r.words[k]
	return w.text[w.index[i]]
}

func (r *ballotReader) template(i int) audience.Ballot {
	return audience.Ballot{
		Poll: r.word(wordPoll, i), Round: uint32(r.numbers[numRound][i]),
		ClosesAt: audience.Millis(r.numbers[numClosesAt][i]),
		Kind:     audience.Kind(r.word(wordKind, i)),
		PerVoter: uint32(r.numbers[numPerVoter][i]),
		OnRepeat: audience.OnRepeat(r.word(wordOnRepeat, i)),
		Source:   r.word(wordSource, i),
		Revision: uint64(r.numbers[numRevision][i]),
		Post:     r.word(wordPost, i),
	}
}

// visit hands the loaded row group over.
func (r *ballotReader) visit(visit func([]Row) error) error {
	var now like
	var template audience.Ballot
	for from := 0; from < r.n; from += visitRows {
		rows := r.rows[:min(visitRows, r.n-from)]
		r.arena = r.arena[:0]
		for k := range rows {
			i := from + k
			row := &rows[k]
			row.Offset, row.Type = r.numbers[numOffset][i], r.types[r.words[wordType].index[i]]
			if row.Type != RowBallot {
				if err := r.rare(row, i); err != nil {
					return err
				}
				continue
			}
			if l := r.like(i); l != now || template.Poll == "" {
				now, template = l, r.template(i)
			}
			b := &row.Ballot
			*b = template
			b.ID = audience.BallotID(r.id[16*i : 16*i+16])
			b.Voter = audience.VoterID(r.voter[16*i : 16*i+16])
			b.ReceivedAt = audience.Millis(r.numbers[numReceivedAt][i])
			b.Choices = r.choicesAt(i)
		}
		if err := visit(rows); err != nil {
			return err
		}
	}
	return nil
}

// choicesAt are shared between ballots unless they carry scores.
func (r *ballotReader) choicesAt(i int) []audience.Choice {
	choices := r.choices[r.words[wordSlots].index[i]]
	scores := r.scores[r.words[wordScores].index[i]]
	if len(scores) != len(choices) || len(scores) == 0 {
		return choices
	}
	at := len(r.arena)
	for k, c := range choices {
		r.arena = append(r.arena, audience.Choice{Slot: c.Slot, Score: int32(scores[k])})
	}
	return r.arena[at:len(r.arena):len(r.arena)]
}

// rare fills in a row that is no ballot.
func (r *ballotReader) rare(row *Row, i int) error {
	switch row.Type {
	case RowCut:
		seals, err := parseSeals(r.word(wordSeals, i))
		if err != nil {
			return columnError("seals", err)
		}
		row.Cut = audience.Cut{
			Number: uint64(r.numbers[numCut][i]),
			At:     audience.Millis(r.numbers[numAt][i]), Seals: seals,
		}
	case RowRevocation:
		row.Revocation = audience.Revocation{
			Poll: r.word(wordPoll, i), Round: uint32(r.numbers[numRound][i]),
			Voter: audience.VoterID(r.voter[16*i : 16*i+16]), Ballot: audience.BallotID(r.id[16*i : 16*i+16]),
			Restore: r.restore[i], At: audience.Millis(r.numbers[numAt][i]), Actor: r.word(wordActor, i),
			Choices: r.choicesAt(i), ReceivedAt: audience.Millis(r.numbers[numReceivedAt][i]),
		}
	}
	return nil
}
