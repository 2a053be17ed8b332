package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bleveBatch is how many docs are analyzed, and synced to the disk, at a time:
// larger ones are little faster and take memory.
const bleveBatch = 1000

// Begin makes the folder aside, so that a crash leaves none that is half made.
func (s *bleveStore) Begin(ctx context.Context, build string) error {
	err := errors.Join(checkBuild(build), ctx.Err())
	if err == nil {
		s.changing.Lock()
		defer s.changing.Unlock()
		err = s.begin(build)
	}
	if err != nil {
		return fmt.Errorf("begin search build %q: %w", build, err)
	}
	return nil
}

func (s *bleveStore) begin(build string) error {
	s.mu.RLock()
	sh, current := s.shelves[build], s.current
	damaged := current != "" && s.shelves[current].damaged != nil
	s.mu.RUnlock()
	if damaged { // no longer the one that is read, lest its rest passes for the whole
		if err := s.point(""); err != nil {
			return err
		}
	}
	if sh != nil && sh.damaged == nil {
		return nil
	}
	if err := os.RemoveAll(s.path(build)); err != nil {
		return err
	}
	made, err := makeShelf(s.path(build))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.shelves[build] = made
	s.mu.Unlock()
	return nil
}

func (s *bleveStore) Put(ctx context.Context, build string, docs []Doc) error {
	if err := s.put(ctx, build, docs); err != nil {
		return fmt.Errorf("put %d posts into search build %q: %w", len(docs), build, err)
	}
	return nil
}

func (s *bleveStore) put(ctx context.Context, build string, docs []Doc) error {
	ix, done, err := s.take(build)
	if err != nil {
		return err
	}
	defer done()
	var refused RefusedError
	for part := range slices.Chunk(docs, bleveBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		batch := ix.NewBatch()
		for _, e := range prepare(part, &refused) {
			if err := batch.Index(e.doc.ID, e.bleve()); err != nil {
				refused.add(e.doc.ID, err.Error())
			}
		}
		if err := ix.Batch(batch); err != nil {
			return err
		}
	}
	return refused.orNil()
}

// Publish needs no refresh: a batch is found as soon as it is written.
func (s *bleveStore) Publish(ctx context.Context, build string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	_, done, err := s.take(build)
	if err == nil {
		done()
		err = ctx.Err()
	}
	if err == nil {
		err = s.point(build)
	}
	if err != nil {
		return fmt.Errorf("publish search build %q: %w", build, err)
	}
	return nil
}

func (s *bleveStore) Current(ctx context.Context) (string, error) {
	_, done, err := s.takeCurrent()
	if err == nil {
		done()
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("read the current search build: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.current, nil
}

func (s *bleveStore) Expire(ctx context.Context, keep ...string) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	err := ctx.Err()
	if err == nil {
		err = s.expire(keep)
	}
	if err != nil {
		return fmt.Errorf("expire search builds: %w", err)
	}
	return nil
}

// expire removes whatever is in the folder and not to be kept.
func (s *bleveStore) expire(keep []string) error {
	s.mu.Lock()
	names := map[string]bool{"search.db": true, bleveLayout + s.current: true}
	for _, build := range keep {
		names[bleveLayout+build] = true
	}
	var dropped []*shelf
	for build, sh := range s.shelves {
		if !names[bleveLayout+build] {
			dropped = append(dropped, sh)
			delete(s.shelves, build)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, sh := range dropped {
		errs = append(errs, sh.close())
	}
	entries, err := os.ReadDir(s.dir)
	errs = append(errs, err)
	for _, e := range entries {
		if !names[e.Name()] && isIndexName(e.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// isIndexName says whether a folder is an index of any layout: v, digits, dash.
func isIndexName(name string) bool {
	version, _, ok := strings.Cut(strings.TrimPrefix(name, "v"), "-")
	return ok && name[0] == 'v' && version != "" && strings.Trim(version, "0123456789") == ""
}
