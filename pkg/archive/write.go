package archive

import (
	"context"
	"errors"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// Writer writes one segment in the order of the log. Nothing is to be seen of
// it before Commit. Not for concurrent use.
type Writer struct{}

// Create begins a segment whose first offset is first.
func (a *Archive) Create(ctx context.Context, s Segment, first int64) (*Writer, error) {
	return nil, errors.ErrUnsupported
}

func (w *Writer) Ballots(offset int64, bs []audience.Ballot) error      { return nil }
func (w *Writer) Revocation(offset int64, r *audience.Revocation) error { return nil }
func (w *Writer) Cut(offset int64, c audience.Cut) error                { return nil }
func (w *Writer) Post(offset int64, p *clamorv1.Post) error             { return nil }
func (w *Writer) Control(offset int64, c *clamorv1.Control) error       { return nil }
func (w *Writer) Unreadable(offset int64) error                         { return nil }
func (w *Writer) Commit(next int64) (File, error)                       { return File{}, nil }
func (w *Writer) Abort()                                                {}

type staged interface {
	Write([]byte) (int, error)
	commit() error
	abort()
}

func (a *Archive) create(ctx context.Context, path string) (staged, error) {
	return nil, errors.ErrUnsupported
}
func isTemporary(string) bool { return false }
