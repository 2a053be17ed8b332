package search

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/blevesearch/bleve/v2"
	index "github.com/blevesearch/bleve_index_api"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// bleveStore is a folder:
//
//	search.db   bbolt: which build is read. Its lock keeps other processes out
//	v1-<build>  an index of Bleve for each build
//
// The indices are open as long as the store is.
type bleveStore struct {
	dir string
	db  *bbolt.DB

	// changing is held by Begin, Publish and Expire, one at a time.
	changing sync.Mutex
	mu       sync.RWMutex
	// shelves are the builds by name, current the one that is read, "" for none.
	shelves map[string]*shelf
	current string
}

// shelf is a build's index, or why it cannot be opened.
type shelf struct {
	index   bleve.Index
	damaged error
	// use is held for reading by those who use the index, and to close it.
	use sync.RWMutex
}

var _ Store = (*bleveStore)(nil)

// bleveLayout starts the names of the indices of this program's mapping: it
// changes with the mapping.
const bleveLayout = "v1-"

// bleveBatch is how many docs are analyzed, and synced to the disk, at a time:
// larger ones are little faster and take memory.
const bleveBatch = 1000

var (
	bleveBucket  = []byte("search")
	bleveCurrent = []byte("current")
)

func openBleve(ctx context.Context, dir string) (Store, error) {
	if dir == "" {
		return nil, errors.New("open search: file: names no folder")
	}
	if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec // the operator names the folder
		return nil, fmt.Errorf("open search: %w", err)
	}
	db, err := bbolt.Open(filepath.Join(dir, "search.db"), 0o600, &bbolt.Options{Timeout: time.Second})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("open search %s: another process has it open", dir)
	case isSystem(err):
		return nil, fmt.Errorf("open search %s: %w", dir, err)
	case err != nil:
		return nil, fmt.Errorf("open search %s: %w (remove the folder, and the next batch run fills it again): %w", dir, ErrDamaged, err)
	}
	s := &bleveStore{dir: dir, db: db, shelves: map[string]*shelf{}}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open search %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// isSystem says whether err is the system's no to the process, which says nothing
// of what is in the files.
func isSystem(err error) bool {
	return slices.ContainsFunc([]error{
		fs.ErrPermission, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC, syscall.EROFS, syscall.EIO,
	}, func(no error) bool { return errors.Is(err, no) })
}

// load opens every index of this layout.
func (s *bleveStore) load(ctx context.Context) error {
	builds, err := s.builds()
	if err != nil {
		return err
	}
	for _, build := range builds {
		if err := ctx.Err(); err != nil {
			return err
		}
		sh, err := openShelf(s.path(build))
		if err != nil {
			return err
		}
		s.shelves[build] = sh
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bleveBucket)
		if err != nil {
			return err
		}
		if name, ok := strings.CutPrefix(string(b.Get(bleveCurrent)), bleveLayout); ok {
			s.current = name
		}
		return nil
	})
	if err == nil && s.current != "" && s.shelves[s.current] == nil {
		s.shelves[s.current] = &shelf{damaged: fmt.Errorf("%w: %s is gone", ErrDamaged, s.path(s.current))}
	}
	return err
}

// builds are those that have a folder of this layout.
func (s *bleveStore) builds() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var builds []string
	for _, e := range entries {
		if build, ok := strings.CutPrefix(e.Name(), bleveLayout); ok && e.IsDir() && checkBuild(build) == nil {
			builds = append(builds, build)
		}
	}
	return builds, nil
}

func (s *bleveStore) path(build string) string { return filepath.Join(s.dir, bleveLayout+build) }

// point makes build the one that is read; the transaction is the moment.
func (s *bleveStore) point(build string) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if build == "" {
			return tx.Bucket(bleveBucket).Delete(bleveCurrent)
		}
		return tx.Bucket(bleveBucket).Put(bleveCurrent, []byte(bleveLayout+build))
	})
	if err == nil {
		s.mu.Lock()
		s.current = build
		s.mu.Unlock()
	}
	return err
}

// take gives a build's index to use until done is called.
func (s *bleveStore) take(build string) (ix bleve.Index, done func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.shelves[build].take()
}

// takeCurrent is take of the build that is read; nil before the first.
func (s *bleveStore) takeCurrent() (ix bleve.Index, done func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.current == "" {
		return nil, func() {}, nil
	}
	return s.shelves[s.current].take()
}

func (sh *shelf) take() (bleve.Index, func(), error) {
	switch {
	case sh == nil:
		return nil, nil, ErrNoBuild
	case sh.damaged != nil:
		return nil, nil, sh.damaged
	}
	sh.use.RLock()
	return sh.index, sh.use.RUnlock, nil
}

// close waits for those who use the index.
func (sh *shelf) close() error {
	if sh.index == nil {
		return nil
	}
	sh.use.Lock()
	defer sh.use.Unlock()
	return sh.index.Close()
}

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

func (s *bleveStore) Get(ctx context.Context, id string) (Doc, error) {
	d, err := s.get(ctx, id)
	if err != nil {
		return Doc{}, fmt.Errorf("read post %q: %w", id, err)
	}
	return d, nil
}

func (s *bleveStore) get(ctx context.Context, id string) (d Doc, err error) {
	ix, done, err := s.takeCurrent()
	if err != nil {
		return d, err
	}
	defer done()
	if ix == nil {
		return d, ErrNotFound
	}
	if err := ctx.Err(); err != nil {
		return d, err
	}
	doc, err := ix.Document(id)
	if err != nil {
		return d, err
	}
	if doc == nil {
		return d, ErrNotFound
	}
	var body, raw []byte
	doc.VisitFields(func(f index.Field) {
		switch f.Name() {
		case fieldPost:
			body = f.Value()
		case fieldRaw:
			raw = slices.Clone(f.Value())
		}
	})
	d, err = decodeDoc(body)
	d.Raw = raw
	return d, err
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

func (s *bleveStore) Close() error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	shelves := s.shelves
	s.shelves, s.current = map[string]*shelf{}, ""
	s.mu.Unlock()
	var errs []error
	for _, sh := range shelves {
		errs = append(errs, sh.close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}
