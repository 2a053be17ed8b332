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
