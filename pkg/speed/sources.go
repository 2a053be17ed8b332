package speed

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/redis/go-redis/v9"
)

// sourceTold is how long what an instance told of a source is believed: some
// times the pace at which it tells.
const sourceTold = 10 * time.Second

// told is what one instance knows of a source.
type told struct {
	At     audience.Millis       `json:"at"`
	Status audience.SourceStatus `json:"status"`
}

// sourceKey is …:source:<id>, a hash of instance → told. It has no hash
// tag, for no script touches it, and expires when nobody tells any more.
func (s *Store) sourceKey(id string) string { return s.prefix + ":source:" + id }

// KeepSources tells how sources fare on an instance, for some seconds.
func (s *Store) KeepSources(ctx context.Context, instance string, all map[string]audience.SourceStatus) error {
	now := audience.MillisOf(time.Now())
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for id, status := range all {
			body, err := json.Marshal(told{now, status})
			if err != nil {
				return err
			}
			p.HSet(ctx, s.sourceKey(id), instance, body)
			p.Expire(ctx, s.sourceKey(id), 2*sourceTold)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("tell how sources fare: %w", err)
	}
	return nil
}

// Sources are what instances tell of sources, the newest first; a source that
// nobody tells of is missing.
func (s *Store) Sources(ctx context.Context, ids []string) (map[string][]audience.SourceStatus, error) {
	asked := make([]*redis.MapStringStringCmd, len(ids))
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range ids {
			asked[i] = p.HGetAll(ctx, s.sourceKey(id))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read how sources fare: %w", err)
	}
	all := make(map[string][]audience.SourceStatus, len(ids))
	for i, id := range ids {
		if fresh := s.freshen(ctx, id, asked[i].Val()); len(fresh) > 0 {
			all[id] = fresh
		}
	}
	return all, nil
}

// freshen drops what is told no more: instances come and go, and each has a field
// of its own.
func (s *Store) freshen(ctx context.Context, id string, fields map[string]string) (fresh []audience.SourceStatus) {
	oldest := audience.MillisOf(time.Now().Add(-sourceTold))
	var all []told
	var stale []string
	for instance, body := range fields {
		var t told
		if json.Unmarshal([]byte(body), &t) != nil || t.At < oldest {
			stale = append(stale, instance)
			continue
		}
		all = append(all, t)
	}
	if len(stale) > 0 {
		s.client.HDel(ctx, s.sourceKey(id), stale...) // if it fails, the next reader does it
	}
	slices.SortFunc(all, func(a, b told) int { return int(min(1, max(-1, b.At-a.At))) })
	for _, t := range all {
		fresh = append(fresh, t.Status)
	}
	return fresh
}
