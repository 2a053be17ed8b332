package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// aside is the folder of damaged segments: beside those of the topics, so that
// no query over a topic reads them.
const aside = "damaged/"

func asidePath(path string, n int) string { return fmt.Sprintf("%s%s.%d", aside, path, n) }

// SetAside keeps a damaged segment as it is, beside those that were set aside
// before it, and says where. It stays in its own place until another file is
// committed there.
func (a *Archive) SetAside(ctx context.Context, s Segment) (place string, err error) {
	for n := 1; ; n++ {
		place = asidePath(s.Path(), n)
		taken, err := a.bucket.Exists(ctx, place)
		if err != nil {
			return "", a.wrap("look for", place, err)
		}
		if taken {
			continue
		}
		err = a.keep(ctx, s.Path(), place)
		if errors.Is(err, fs.ErrExist) {
			continue // another was faster
		}
		if err != nil {
			return "", a.wrap("set aside", s.Path(), err)
		}
		return place, nil
	}
}

// keep gives a file a second name, or a copy under it. In a folder the bytes are
// not touched: a file on a bad block can be kept, though not read.
func (a *Archive) keep(ctx context.Context, path, place string) error {
	if a.dir == "" {
		return a.bucket.Copy(ctx, place, path, nil)
	}
	at := filepath.Join(a.dir, filepath.FromSlash(place))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	err := os.Link(filepath.Join(a.dir, filepath.FromSlash(path)), at)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = a.bucket.Copy(ctx, place, path, nil) // a file system without links
	}
	if err != nil {
		return err
	}
	return syncDirs(filepath.Dir(at))
}

// Aside are the damaged files that were set aside from a segment's path.
func (a *Archive) Aside(ctx context.Context, path string) ([]string, error) {
	return a.List(ctx, aside+path+".")
}
