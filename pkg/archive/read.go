package archive

import (
	"context"
	"errors"
)

// Stat reads a segment's footer.
func (a *Archive) Stat(ctx context.Context, s Segment) (File, error) {
	return File{}, errors.ErrUnsupported
}

// Hash reads a file whole and gives its SHA-256 in hexadecimal and its size.
func (a *Archive) Hash(ctx context.Context, path string) (sum string, size int64, err error) {
	return "", 0, errors.ErrUnsupported
}

// ReadBallots calls visit with the rows of a ballots segment in order, some at
// a time. The slice and what its rows point to are reused by the next call.
func (a *Archive) ReadBallots(ctx context.Context, s Segment, visit func([]Row) error) (File, error) {
	return File{}, errors.ErrUnsupported
}

// ReadPosts calls visit with the rows of a posts segment in order.
func (a *Archive) ReadPosts(ctx context.Context, s Segment, visit func([]PostRow) error) (File, error) {
	return File{}, errors.ErrUnsupported
}

// ReadControl calls visit with the rows of a control segment in order.
func (a *Archive) ReadControl(ctx context.Context, s Segment, visit func([]ControlRow) error) (File, error) {
	return File{}, errors.ErrUnsupported
}
