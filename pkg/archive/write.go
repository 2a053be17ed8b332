package archive

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// The footer's own entries.
const (
	metaFormat    = "clamor.format"
	metaTopic     = "clamor.topic"
	metaEpoch     = "clamor.epoch"
	metaPartition = "clamor.partition"
	metaFirst     = "clamor.first_offset"
	metaNext      = "clamor.next_offset"
	metaBallots   = "clamor.ballots"

	formatVersion = "1"
)

// Writer writes one segment in the order of the log. Nothing is to be seen of
// it before Commit; Abort after Commit does nothing. Not for concurrent use.
type Writer struct {
	archive *Archive
	segment Segment
	file    File
	last    int64
	out     staged
	sum     *sum
	ballots *table[ballotColumns]
	posts   *table[postColumns]
	control *table[controlColumns]
	choices choiceText
	ended   bool
	err     error
}

// Create begins a segment whose first offset is first.
func (a *Archive) Create(ctx context.Context, s Segment, first int64) (*Writer, error) {
	out, err := a.create(ctx, s.Path())
	if err != nil {
		return nil, err
	}
	w := &Writer{archive: a, segment: s, out: out, sum: newSum(out), last: first - 1}
	w.file = File{Path: s.Path(), First: first}
	switch s.Topic {
	case Ballots:
		w.ballots = newTable[ballotColumns](w.sum)
		w.choices = choiceText{}
	case Posts:
		w.posts = newTable[postColumns](w.sum)
	case Control:
		w.control = newTable[controlColumns](w.sum)
	default:
		out.abort()
		return nil, fmt.Errorf("archive %s: no such topic", s.Topic)
	}
	return w, nil
}

// Ballots adds the ballots of the record at offset.
func (w *Writer) Ballots(offset int64, bs []audience.Ballot) error {
	if err := w.at(offset, w.ballots != nil); err != nil {
		return err
	}
	for i := range bs {
		row := w.ballots.next()
		w.fillBallot(row, &bs[i])
		row.Offset, row.Item, row.Type = offset, int32(i), RowBallot.String()
		w.file.Ballots++
		if w.count(w.ballots.flushFull()); w.err != nil {
			return w.err
		}
	}
	return nil
}

func (w *Writer) fillBallot(row *ballotColumns, b *audience.Ballot) {
	slots, scores := w.choices.of(b.Choices, b.Kind)
	*row = ballotColumns{
		ID: b.ID, Poll: b.Poll, Round: int64(b.Round), Voter: b.Voter,
		ReceivedAt: int64(b.ReceivedAt), ClosesAt: int64(b.ClosesAt),
		Kind: string(b.Kind), PerVoter: int64(b.PerVoter), OnRepeat: string(b.OnRepeat),
		Slots: slots, Scores: scores,
		Source: b.Source, Revision: int64(b.Revision), Post: b.Post,
	}
}

// Revocation adds the revocation at offset.
func (w *Writer) Revocation(offset int64, r *audience.Revocation) error {
	if err := w.at(offset, w.ballots != nil); err != nil {
		return err
	}
	kind := audience.Choose
	if anyScore(r.Choices) {
		kind = audience.Score
	}
	slots, scores := w.choices.of(r.Choices, kind)
	w.count(w.ballots.put(ballotColumns{
		Offset: offset, Type: RowRevocation.String(),
		ID: r.Ballot, Poll: r.Poll, Round: int64(r.Round), Voter: r.Voter,
		ReceivedAt: int64(r.ReceivedAt), Slots: slots, Scores: scores,
		Restore: r.Restore, At: int64(r.At), Actor: r.Actor,
	}))
	return w.err
}

// Cut adds the cut at offset, effective or repeated.
func (w *Writer) Cut(offset int64, c audience.Cut) error {
	return w.mark(offset, RowCut, int64(c.At), int64(c.Number), joinSeals(c.Seals))
}

// Post adds the post at offset.
func (w *Writer) Post(offset int64, p *clamorv1.Post) error {
	if err := w.at(offset, w.posts != nil); err != nil {
		return err
	}
	row := postRow(p)
	row.Offset, row.Type = offset, RowPost.String()
	w.count(w.posts.put(row))
	return w.err
}

// Moderation adds the moderator's word at offset.
func (w *Writer) Moderation(offset int64, m *clamorv1.Moderation) error {
	if err := w.at(offset, w.posts != nil); err != nil {
		return err
	}
	row := postRow(m.GetPost())
	row.Offset, row.Type = offset, RowModeration.String()
	row.Reject, row.At, row.Actor = m.GetReject(), m.GetAt(), m.GetActor()
	w.count(w.posts.put(row))
	return w.err
}

// Control adds the definition or command at offset.
func (w *Writer) Control(offset int64, c *clamorv1.Control) error {
	if err := w.at(offset, w.control != nil); err != nil {
		return err
	}
	w.count(w.control.put(controlColumns{
		Offset: offset, Type: RowControl.String(),
		ID: c.GetId(), At: c.GetAt(), Actor: c.GetActor(), Kind: c.GetKind(), Subject: c.GetSubject(),
		BaseRevision: int64(c.GetBaseRevision()), Payload: c.GetPayload(),
	}))
	return w.err
}

// Unreadable notes that the value at offset is no record, or none that belongs
// into this topic.
func (w *Writer) Unreadable(offset int64) error { return w.mark(offset, RowUnreadable, 0, 0, "") }

// mark adds a row that a segment of any topic may have.
func (w *Writer) mark(offset int64, as RowType, at, cut int64, seals string) error {
	if err := w.at(offset, true); err != nil {
		return err
	}
	switch {
	case w.ballots != nil:
		w.count(w.ballots.put(ballotColumns{Offset: offset, Type: as.String(), At: at, Cut: cut, Seals: seals}))
	case w.posts != nil:
		w.count(w.posts.put(postColumns{Offset: offset, Type: as.String(), At: at, Cut: cut, Seals: seals}))
	default:
		w.count(w.control.put(controlColumns{Offset: offset, Type: as.String(), At: at, Cut: cut, Seals: seals}))
	}
	return w.err
}

var errOrder = errors.New("records out of order")

func (w *Writer) at(offset int64, fits bool) error {
	switch {
	case w.err != nil:
		return w.err
	case !fits:
		return fmt.Errorf("archive %s: a record of another topic at offset %d", w.segment.Path(), offset)
	case offset <= w.last:
		return fmt.Errorf("archive %s: offset %d behind %d: %w", w.segment.Path(), offset, w.last, errOrder)
	}
	w.last = offset
	return nil
}

func (w *Writer) count(err error) {
	w.file.Rows++
	if err != nil && w.err == nil {
		w.err = w.archive.wrap("write", w.segment.Path(), err)
	}
}

// Rows is how many were added so far.
func (w *Writer) Rows() int64 { return w.file.Rows }

// End ends the segment before offset next: the file is whole then, and still not
// to be seen.
func (w *Writer) End(next int64) (File, error) {
	if w.err == nil && !w.ended {
		w.ended, w.file.Next = true, next
		if err := w.close(w.metadata()); err != nil {
			w.err = w.archive.wrap("write", w.segment.Path(), err)
		}
		w.file.SHA256, w.file.Bytes = w.sum.hex(), w.sum.bytes
	}
	if w.err != nil {
		w.Abort()
		return File{}, w.err
	}
	return w.file, nil
}

func (w *Writer) close(meta [][2]string) error {
	switch {
	case w.ballots != nil:
		return w.ballots.close(meta)
	case w.posts != nil:
		return w.posts.close(meta)
	}
	return w.control.close(meta)
}

// Commit ends the segment before offset next and puts the file in its place,
// durably.
func (w *Writer) Commit(next int64) (File, error) {
	file, err := w.End(next)
	if err != nil {
		return File{}, err
	}
	if err := w.out.commit(); err != nil {
		w.Abort()
		return File{}, w.archive.wrap("write", w.segment.Path(), err)
	}
	w.out = nil
	return file, nil
}

// metadata is in a fixed order, being part of the bytes.
func (w *Writer) metadata() [][2]string {
	return [][2]string{
		{metaFormat, formatVersion},
		{metaTopic, w.segment.Topic},
		{metaEpoch, strconv.FormatUint(w.segment.Epoch, 10)},
		{metaPartition, strconv.Itoa(int(w.segment.Partition))},
		{metaFirst, strconv.FormatInt(w.file.First, 10)},
		{metaNext, strconv.FormatInt(w.file.Next, 10)},
		{metaBallots, strconv.FormatInt(w.file.Ballots, 10)},
	}
}

// Abort leaves nothing of the segment behind.
func (w *Writer) Abort() {
	if w.out != nil {
		w.out.abort()
		w.out = nil
	}
}

// choiceText keeps the text of small sets of choices, which repeat.
type choiceText map[uint16]string

func (t choiceText) of(choices []audience.Choice, kind audience.Kind) (slots, scores string) {
	if kind == audience.Score {
		return slotsText(choices), scoresText(choices)
	}
	if len(choices) != 1 {
		return slotsText(choices), ""
	}
	s, ok := t[choices[0].Slot]
	if !ok {
		s = slotsText(choices)
		t[choices[0].Slot] = s
	}
	return s, ""
}
