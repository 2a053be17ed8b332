// Package archive keeps the log for ever: one Parquet file an epoch and
// partition on a bucket, beside the certificates and receipts drawn from them.
//
// Its one trick is that a file is a function of the log alone: the same records
// give the same bytes, whoever writes them and however often, so a retry is
// harmless and a certificate can name files by their hash. The folder is plain
// Parquet for DuckDB, Trino and Spark.
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"
	"gocloud.dev/gcerrors"
)

// ErrNotFound says that there is no such file; the error around it names it.
var ErrNotFound = errors.New("no such file in the archive")

// ErrCorrupt says that a file is truncated, damaged or none of ours; the error
// around it names it.
var ErrCorrupt = errors.New("the file is damaged or was not written by this program")

// Archive is a bucket with the files of one installation. Safe for concurrent
// use.
type Archive struct {
	bucket *blob.Bucket
	dir    string // set for folders: writes are synced by hand
	name   string // for errors
}

// Open opens the archive at address: a path or file:///dir, mem://, or any URL
// whose driver the program carries (s3://, gs://, azblob:// in the programs of
// the cluster). A folder is made when missing.
func Open(ctx context.Context, address string) (*Archive, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case !ok:
		return openDir(strings.TrimPrefix(address, "file:"))
	case scheme == "file":
		u, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		}
		return openDir(filepath.FromSlash(u.Host + u.Path))
	case scheme == "mem" && rest == "":
		return &Archive{bucket: memblob.OpenBucket(nil), name: address}, nil
	}
	if !blob.DefaultURLMux().ValidBucketScheme(scheme) {
		return nil, fmt.Errorf("open archive %s: this program carries no driver for %s:// (the programs of the cluster do); use a folder", address, scheme)
	}
	bucket, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", address, err)
	}
	return &Archive{bucket: bucket, name: address}, nil
}

// OpenExisting is Open for readers: it makes no folder, and says so when there
// is none.
func OpenExisting(ctx context.Context, address string) (*Archive, error) {
	if !strings.Contains(address, "://") {
		if info, err := os.Stat(address); err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("open archive %s: not a folder", address)
		}
	}
	return Open(ctx, address)
}

func openDir(dir string) (*Archive, error) {
	if dir == "" {
		return nil, errors.New("open archive: the address is empty")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", dir, err)
	}
	return &Archive{bucket: bucket, dir: dir, name: dir}, nil
}

// Bucket is the bucket itself, for others who keep files in it.
func (a *Archive) Bucket() *blob.Bucket { return a.bucket }

// Close lets go of the bucket.
func (a *Archive) Close() error { return a.bucket.Close() }

// String names the archive.
func (a *Archive) String() string { return a.name }

// Get reads a small file whole.
func (a *Archive) Get(ctx context.Context, path string) ([]byte, error) {
	b, err := a.bucket.ReadAll(ctx, path)
	if err != nil {
		return nil, a.wrap("read", path, err)
	}
	return b, nil
}

// Put writes a small file whole, durably, in the place of any other.
func (a *Archive) Put(ctx context.Context, path string, body []byte) error {
	w, err := a.create(ctx, path)
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		w.abort()
		return a.wrap("write", path, err)
	}
	if err := w.commit(); err != nil {
		return a.wrap("write", path, err)
	}
	return nil
}

// Delete removes a file; a missing one is no error.
func (a *Archive) Delete(ctx context.Context, path string) error {
	if err := a.bucket.Delete(ctx, path); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return a.wrap("delete", path, err)
	}
	return nil
}

// List is the paths below prefix, sorted.
func (a *Archive) List(ctx context.Context, prefix string) ([]string, error) {
	var paths []string
	it := a.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := it.Next(ctx)
		if errors.Is(err, io.EOF) {
			return paths, nil
		}
		if err != nil {
			return nil, a.wrap("list", prefix, err)
		}
		if !isTemporary(o.Key) {
			paths = append(paths, o.Key)
		}
	}
}

func (a *Archive) wrap(act, path string, err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%s %s: %w", act, path, ErrNotFound)
	}
	return fmt.Errorf("%s %s in the archive: %w", act, path, err)
}
