package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
)

const temporary = ".tmp"

func isTemporary(key string) bool { return strings.HasSuffix(key, temporary) }

// staged is a file that nobody sees before commit.
type staged interface {
	io.Writer
	commit() error
	abort()
}

func (a *Archive) create(ctx context.Context, name string) (staged, error) {
	if a.dir != "" {
		return createFile(filepath.Join(a.dir, filepath.FromSlash(name)))
	}
	ctx, cancel := context.WithCancel(ctx)
	w, err := a.bucket.NewWriter(ctx, name, &blob.WriterOptions{ContentType: contentType(name)})
	if err != nil {
		cancel()
		return nil, a.wrap("create", name, err)
	}
	return &stagedBlob{Writer: w, cancel: cancel}, nil
}

func contentType(name string) string {
	if path.Ext(name) == ".json" {
		return "application/json"
	}
	return "application/octet-stream"
}

// stagedBlob: object stores show an upload when it is closed, and drop it when
// its context was cancelled before.
type stagedBlob struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (s *stagedBlob) commit() error {
	defer s.cancel()
	return s.Close()
}

func (s *stagedBlob) abort() {
	s.cancel()
	_ = s.Close() // says that it was cancelled
}

// stagedFile writes beside its place and renames. The bucket's own file driver
// does so too, but without syncing: after a power cut a name could stand over an
// empty file.
type stagedFile struct {
	*os.File
	place string
}

func createFile(place string) (staged, error) {
	dir := filepath.Dir(place)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create %s: %w", place, err)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(place)+".*"+temporary)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", place, err)
	}
	return &stagedFile{File: f, place: place}, nil
}

func (s *stagedFile) commit() error {
	if err := s.publish(); err != nil {
		s.abort()
		return err
	}
	s.sweep()
	return syncDirs(filepath.Dir(s.place))
}

func (s *stagedFile) publish() error {
	if err := s.Sync(); err != nil {
		return err
	}
	if err := s.Chmod(0o644); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	return os.Rename(s.Name(), s.place)
}

// sweep removes what killed writers of the same file left behind. One that is
// still alive fails at its rename, and its file stands already.
func (s *stagedFile) sweep() {
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(s.place), "."+filepath.Base(s.place)+".*"+temporary))
	for _, name := range left {
		_ = os.Remove(name)
	}
}

func (s *stagedFile) abort() {
	_ = s.Close()
	_ = os.Remove(s.Name())
}

// syncDirs makes a new name in dir durable, and dir in its parent.
func syncDirs(dir string) error {
	for _, d := range []string{dir, filepath.Dir(dir)} {
		f, err := os.Open(d)
		if err != nil {
			return err
		}
		err = f.Sync()
		_ = f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// sum hashes and counts what goes through it.
type sum struct {
	w     io.Writer
	hash  hash.Hash
	bytes int64
}

func newSum(w io.Writer) *sum { return &sum{w: w, hash: sha256.New()} }

func (s *sum) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.hash.Write(b[:n])
	s.bytes += int64(n)
	return n, err
}

func (s *sum) hex() string { return hex.EncodeToString(s.hash.Sum(nil)) }

// Hash reads a file whole and gives its SHA-256 in hexadecimal and its size.
func (a *Archive) Hash(ctx context.Context, name string) (sha string, size int64, err error) {
	r, err := a.bucket.NewReader(ctx, name, nil)
	if err != nil {
		return "", 0, a.wrap("hash", name, err)
	}
	defer func() { _ = r.Close() }()
	s := newSum(io.Discard)
	if _, err := io.Copy(s, r); err != nil {
		return "", 0, a.wrap("hash", name, err)
	}
	return s.hex(), s.bytes, nil
}
