package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// ReadPosts calls visit with the rows of a posts segment in order, some at a
// time. The slice is reused, the posts are not.
func (a *Archive) ReadPosts(ctx context.Context, s Segment, visit func([]PostRow) error) (File, error) {
	return readRows(ctx, a, s, (*postColumns).row, visit)
}

// ReadControl calls visit with the rows of a control segment in order, some at
// a time. The slice is reused, the events are not.
func (a *Archive) ReadControl(ctx context.Context, s Segment, visit func([]ControlRow) error) (File, error) {
	return readRows(ctx, a, s, (*controlColumns).row, visit)
}

// readRows reads the columns C of a segment as rows R.
func readRows[C, R any](ctx context.Context, a *Archive, s Segment, row func(*C) (R, error), visit func([]R) error) (File, error) {
	o, err := a.open(ctx, s, true)
	if err != nil {
		return File{}, err
	}
	defer o.Close()
	if !parquet.EqualNodes(parquet.SchemaOf(new(C)), o.parquet.Schema()) {
		return File{}, corrupt(s.Path(), errColumn)
	}
	reader := parquet.NewGenericReader[C](o.parquet)
	defer func() { _ = reader.Close() }()
	columns, rows := make([]C, visitRows), make([]R, 0, visitRows)
	var seen int64
	for {
		if err := ctx.Err(); err != nil {
			return File{}, fmt.Errorf("read %s: %w", s.Path(), err)
		}
		n, err := readSome(s.Path(), reader, columns)
		seen += int64(n)
		rows = rows[:0]
		for i := range columns[:n] {
			row, err := row(&columns[i])
			if err != nil {
				return File{}, corrupt(s.Path(), err)
			}
			rows = append(rows, row)
		}
		if n > 0 {
			if err := visit(rows); err != nil {
				return File{}, err
			}
		}
		if errors.Is(err, io.EOF) && seen == o.file.Rows {
			return o.file, nil
		}
		if err != nil {
			return File{}, corrupt(s.Path(), err)
		}
	}
}

func readSome[T any](path string, reader *parquet.GenericReader[T], buffer []T) (n int, err error) {
	defer rescue(path, &err)
	clear(buffer)
	return reader.Read(buffer)
}

func (row *postColumns) row() (PostRow, error) {
	t, err := parseType(row.Type)
	if err != nil {
		return PostRow{}, err
	}
	out := PostRow{Offset: row.Offset, Type: t}
	switch t {
	case RowPost:
		out.Post, err = row.post()
	case RowModeration:
		out.Moderation = &clamorv1.Moderation{Reject: row.Reject, At: row.At, Actor: row.Actor}
		out.Moderation.Post, err = row.post()
	case RowCut:
		out.Cut, err = cutOf(row.Cut, row.At, row.Seals)
	}
	return out, err
}

func (row *controlColumns) row() (ControlRow, error) {
	t, err := parseType(row.Type)
	if err != nil {
		return ControlRow{}, err
	}
	out := ControlRow{Offset: row.Offset, Type: t}
	switch t {
	case RowControl:
		out.Control = &clamorv1.Control{
			Id: row.ID, At: row.At, Actor: row.Actor, Kind: row.Kind, Subject: row.Subject,
			BaseRevision: uint64(row.BaseRevision), Payload: row.Payload,
		}
	case RowCut:
		out.Cut, err = cutOf(row.Cut, row.At, row.Seals)
	}
	return out, err
}

func cutOf(number, at int64, text string) (audience.Cut, error) {
	seals, err := parseSeals(text)
	if err != nil {
		return audience.Cut{}, err
	}
	return audience.Cut{Number: uint64(number), At: audience.Millis(at), Seals: seals}, nil
}
