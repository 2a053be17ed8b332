package batch

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// hearing is the posts' half of a run.
type hearing struct {
	topics *topics
	// carried are the subjects that the generation before has counted up to its
	// cut, fresh those that are counted from the first epoch on.
	carried map[topic.Subject]views.TopicRef
	fresh   map[topic.Subject]bool
	// from is the first epoch that is folded; whole, that it is the first there is.
	from  uint64
	whole bool
	parts []*listen.Partition
	// files are the segments of the last epoch, rows what was read of all.
	files map[int32]archive.File
	rows  int64
	refs  []views.TopicRef
	index *indexing
}

// listen counts the epoch that the cut ended by the topics that stand when it was
// decided, and what is new among them back to the first post. Posts are folded in
// this process whatever the runner of the ballots: a run folds one epoch of them,
// not a round's whole history. Where posts are lost they stand still.
func (s *Service) listen(ctx context.Context, w *work) error {
	err := w.lost
	if err == nil {
		err = s.listenMending(ctx, w)
	}
	if stuck(err) {
		s.standStill(w, err)
		return nil
	}
	return err
}

// listenMending mends segments that turn out to be damaged, and then counts all
// once more. One that is missing, and in the log no more, has been given up.
func (s *Service) listenMending(ctx context.Context, w *work) error {
	err := s.listenOnce(ctx, w, false)
	if !unreadable(err) {
		return err
	}
	mended, mendErr := s.mend(ctx, w.progress, s.d.Archive.Check, archive.Posts, w.heard.from, w.number())
	switch {
	case givenUp(mendErr):
		return s.listenOnce(ctx, w, true)
	case mendErr != nil:
		return mendErr
	case mended == 0:
		return way(err)
	}
	return s.listenOnce(ctx, w, false)
}

// listenOnce does so with what the archive has; whole: from the first epoch on, as
// if the folds' states were lost.
func (s *Service) listenOnce(ctx context.Context, w *work, whole bool) error {
	if err := s.pass("listen"); err != nil {
		return err
	}
	h := &hearing{fresh: map[topic.Subject]bool{}, files: map[int32]archive.File{}}
	w.heard = h
	var err error
	if h.topics, err = s.topics.of(definitions(w.state, w.decision.Offset)); err != nil {
		return err
	}
	for _, f := range h.topics.Faults() {
		s.d.Logger.Warn("nobody listens to a topic whose definition does not compile", "subject", f.Subject.String(), "error", f.Err)
	}
	ledger := listen.NewLedger(s.d.Views, w.number())
	if err := s.open(ctx, w, ledger); err != nil {
		return err
	}
	if err := s.takePlaces(ctx, w, whole); err != nil {
		return err
	}
	h.index = s.beginIndexing(ctx, w)
	began := s.d.Now()
	if err := s.hear(ctx, w, ledger); err != nil {
		return err
	}
	if err := h.checkRows(w); err != nil {
		return err
	}
	s.metrics.heard.Add(float64(h.posts()))
	s.metrics.hearing.Add(s.d.Now().Sub(began).Seconds())
	return s.settle(ctx, w, ledger)
}

// open begins the accounts of all subjects: with what the generation before has
// of them, or with nothing.
func (s *Service) open(ctx context.Context, w *work, ledger *listen.Ledger) error {
	h := w.heard
	if h.carried = h.topics.counted(w.before); w.before != nil && w.before.Number != w.number()-1 {
		h.carried = nil
	}
	for i := range h.topics.Len() {
		subject := h.topics.Subject(i)
		ref, ok := h.carried[subject]
		if ok {
			err := ledger.Carry(ctx, subject, ref.Manifest)
			if err == nil {
				continue
			}
			if !errors.Is(err, views.ErrNotFound) && !errors.Is(err, views.ErrDamaged) {
				return err
			}
			s.d.Logger.Warn("the views store has lost what was heard of a topic: counting it again from the first epoch on",
				"subject", subject.String(), "error", err)
			delete(h.carried, subject)
		}
		h.fresh[subject] = true
		ledger.Open(subject)
	}
	return nil
}

// takePlaces puts every partition at the epoch that it is folded from: the first
// that the generation before lacks, or the first there is when something is fresh
// or the folds' states are lost.
func (s *Service) takePlaces(ctx context.Context, w *work, whole bool) error {
	h, n := w.heard, s.d.Log.Partitions(eventlog.Posts)
	if len(h.fresh) == 0 && w.number() > 1 && !whole {
		err := s.restorePlaces(ctx, w, n)
		if err == nil || !lost(err) {
			return err
		}
		s.d.Logger.Warn("the state of the posts' fold is lost: folding them again from the first epoch on", "error", err)
	}
	var err error
	if h.from, err = s.firstPosts(ctx, w.progress, w.number(), n); err != nil {
		return err
	}
	h.whole, h.parts = true, nil
	for p := range int32(n) {
		h.parts = append(h.parts, listen.NewPartition(p, h.from, h.topics.Catalog))
	}
	return nil
}

func lost(err error) bool {
	return errors.Is(err, archive.ErrNotFound) || errors.Is(err, archive.ErrCorrupt) ||
		errors.Is(err, topic.ErrJournal) || errors.Is(err, listen.ErrBroken)
}

func (s *Service) restorePlaces(ctx context.Context, w *work, n int) error {
	h := w.heard
	h.from, h.parts = w.since(), nil
	for p := range int32(n) {
		state, err := s.d.Archive.PostState(ctx, h.from, p)
		if err != nil {
			return err
		}
		part, err := listen.Restore(p, h.from, state, h.topics.Catalog)
		if err != nil {
			return err
		}
		h.parts = append(h.parts, part)
	}
	return nil
}

// firstPosts is the first epoch from which on the archive has all posts. Segments
// that are missing are written again from the log, as long as it lasts; posts of
// which neither has anything cannot be counted.
func (s *Service) firstPosts(ctx context.Context, w *progress, number uint64, partitions int) (uint64, error) {
	paths, err := s.d.Archive.List(ctx, archive.Posts+"/")
	if err != nil {
		return 0, err
	}
	there := map[string]bool{}
	for _, path := range paths {
		there[path] = true
	}
	for epoch := number - 1; epoch > 0; epoch-- {
		for p := range int32(partitions) {
			if there[archive.Segment{Topic: archive.Posts, Epoch: epoch - 1, Partition: p}.Path()] {
				continue
			}
			err := s.restore(ctx, w, archive.Segment{Topic: archive.Posts, Epoch: epoch, Partition: p})
			if errors.Is(err, eventlog.ErrOffsetGone) {
				s.d.Logger.Warn("posts are neither in the archive nor in the log any more: counting from a later epoch on", "epoch", epoch)
				return epoch, nil
			}
			if err != nil {
				return 0, err
			}
		}
	}
	return 0, nil
}

// hear folds epoch by epoch, all partitions beside one another, and adds each
// epoch up before the next: in that order the sums are the same however many
// epochs one run folds.
func (s *Service) hear(ctx context.Context, w *work, ledger *listen.Ledger) error {
	h := w.heard
	past, err := h.topics.only(h.fresh)
	if err != nil {
		return err
	}
	w.expect(int64(len(h.parts))*int64(w.number()-h.from), "segments of posts")
	for epoch := h.from; epoch < w.number(); epoch++ {
		if err := s.pass(fmt.Sprintf("hear %d", epoch)); err != nil {
			return err
		}
		lacking := epoch >= w.since()
		by, index := past, (*indexing)(nil)
		if lacking {
			by = h.topics
		}
		if epoch == w.number()-1 {
			index = h.index
		}
		if err := s.hearEpoch(ctx, h, by, index); err != nil {
			return err
		}
		wanted := func(subject topic.Subject) bool { return lacking || h.fresh[subject] }
		if err := ledger.Epoch(ctx, h.parts, wanted); err != nil {
			return err
		}
		w.did(ctx, int64(len(h.parts)))
	}
	return nil
}

// hearEpoch folds one epoch of all partitions; index may be nil.
func (s *Service) hearEpoch(ctx context.Context, h *hearing, by *topics, index *indexing) error {
	files := make([]archive.File, len(h.parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.parallel())
	for i, part := range h.parts {
		g.Go(func() error {
			var heard func(*listen.Heard) error
			var shelf *shelf
			if index != nil {
				shelf = index.shelf(ctx)
				heard = shelf.take
			}
			file, err := part.Epoch(ctx, s.d.Archive, by.Catalog, heard)
			if shelf != nil {
				shelf.end(err == nil)
			}
			files[i] = file
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, part := range h.parts {
		h.files[part.Number()] = files[i]
		h.rows += files[i].Rows
	}
	return nil
}

func (h *hearing) posts() (n int64) {
	for _, p := range h.parts {
		n += p.Posts()
	}
	return n
}

// checkRows compares what was read with what was archived.
func (h *hearing) checkRows(w *work) error {
	for p, got := range h.files {
		want := w.postFiles[p]
		if got.Rows != want.Rows || got.First != want.First || got.Next != want.Next {
			return fmt.Errorf("check %s: read %d rows from offset %d to %d, archived %d from %d to %d: %w", want.Path,
				got.Rows, got.First, got.Next, want.Rows, want.First, want.Next, listen.ErrBroken)
		}
	}
	return nil
}

// settle keeps what the next run goes on from, and the pieces of the generation.
func (s *Service) settle(ctx context.Context, w *work, ledger *listen.Ledger) error {
	h := w.heard
	for _, part := range h.parts {
		if err := s.pass(fmt.Sprintf("state %d", part.Number())); err != nil {
			return err
		}
		if err := s.d.Archive.PutPostState(ctx, w.number(), part.Number(), part.Snapshot()); err != nil {
			return err
		}
	}
	if err := s.pass("pieces"); err != nil {
		return err
	}
	manifests, err := ledger.Write(ctx)
	if err != nil {
		return err
	}
	for i := range h.topics.Len() {
		subject := h.topics.Subject(i)
		complete := h.from == 0
		if ref, ok := h.carried[subject]; ok {
			complete = ref.Complete && h.from <= w.since()
		}
		h.refs = append(h.refs, views.TopicRef{
			Topic: subject.Topic, Revision: subject.Revision, Fingerprint: h.topics.prints[subject],
			Manifest: manifests[subject], Complete: complete,
		})
	}
	return s.finishIndexing(ctx, w)
}

// postOffsets are where the posts were cut.
func (h *hearing) postOffsets() map[int32]int64 {
	offsets := make(map[int32]int64, len(h.files))
	for p, file := range h.files {
		offsets[p] = file.Next
	}
	return offsets
}

// comparable are the subjects that the speed view has counted throughout the
// epoch: those of the generation before that are the same revision still.
func (h *hearing) comparable() map[topic.Subject]bool {
	same := map[topic.Subject]bool{}
	for subject, ref := range h.carried {
		if ref.Revision == subject.Revision {
			same[subject] = true
		}
	}
	return same
}

// sayMinute is a minute in a line.
func sayMinute(m *topic.Minute) string {
	if m == nil {
		return "nothing"
	}
	return fmt.Sprintf("posts %d reposts %d replies %d media %d rejected %d", m.Posts, m.Reposts, m.Replies, m.Media, m.Rejected)
}
