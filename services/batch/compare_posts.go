package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// comparePosts holds what the speed view heard in the epoch that the cut ended
// against the fold of the same epoch. Without a subject that both counted from
// its first post to its last there is nothing to hold against anything.
func (s *Service) comparePosts(ctx context.Context, w *work) (differences []string, err error) {
	if w.heard == nil {
		return nil, nil
	}
	subjects := w.heard.comparable()
	if len(subjects) == 0 {
		return nil, nil
	}
	var errs []error
	for _, part := range w.heard.parts {
		theirs, err := s.speedMinutes(ctx, part.Number(), w.number()-1)
		if err != nil {
			s.d.Logger.Warn("speed view of posts not compared", "partition", part.Number(), "generation", w.number(), "error", err)
			errs = append(errs, err)
			continue
		}
		differences = append(differences, differMinutes(part, theirs, subjects)...)
	}
	return differences, errors.Join(errs...)
}

// speedMinutes reads one epoch of one partition once its worker has passed it.
func (s *Service) speedMinutes(ctx context.Context, p int32, epoch uint64) (map[speed.MinuteKey][]byte, error) {
	for {
		minutes, err := s.d.Speed.ReadMinutes(ctx, eventlog.Posts, p, epoch, speed.Position{})
		if err == nil && minutes.Ready && minutes.Epoch > epoch {
			return minutes.Epochs[epoch], nil
		}
		if errors.Is(err, speed.ErrExpired) {
			return nil, err
		}
		if sleep.For(ctx, comparePause) != nil {
			return nil, errors.Join(errBehind, err)
		}
	}
}

// differMinutes lists the minutes that the two views count otherwise. Only exact
// counts are compared: what is bounded or sketched depends on where a worker
// began.
func differMinutes(part *listen.Partition, theirs map[speed.MinuteKey][]byte, subjects map[topic.Subject]bool) (found []string) {
	left := map[topic.MinuteKey][]byte{}
	for k, blob := range theirs {
		if subject := (topic.Subject{Topic: k.Topic, Revision: k.Revision}); subjects[subject] {
			left[topic.MinuteKey{Subject: subject, Minute: k.Minute}] = blob
		}
	}
	note := func(key topic.MinuteKey, ours *topic.Minute, blob []byte) {
		var speeds *topic.Minute
		if blob != nil {
			var err error
			if speeds, err = topic.Decode(blob); err != nil {
				found = append(found, fmt.Sprintf("minute %d of %s in partition %d: the speed view's: %v", key.Minute, key.Subject, part.Number(), err))
				return
			}
		}
		if !ours.Equal(speeds) {
			found = append(found, fmt.Sprintf("minute %d of %s in partition %d: batch %s, speed %s",
				key.Minute, key.Subject, part.Number(), sayMinute(ours), sayMinute(speeds)))
		}
	}
	for key, ours := range part.Minutes() {
		if subjects[key.Subject] {
			note(key, ours, left[key])
			delete(left, key)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(left), topic.MinuteKey.Compare) {
		note(key, nil, left[key])
	}
	return found
}
