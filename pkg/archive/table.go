package archive

import "github.com/parquet-go/parquet-go"

const (
	// rowGroup is how many rows the reader holds at a time: about 6 MB of
	// ballots. It is part of the bytes of a file, so it does not change.
	rowGroup = 1 << 16
	// writeChunk is how many rows go to the encoder at a time.
	writeChunk = 1 << 10
)

// table buffers rows for the encoder and ends row groups at fixed counts, so
// that the bytes do not depend on how the rows came.
type table[T any] struct {
	w     *parquet.GenericWriter[T]
	rows  []T
	group int
}

func newTable[T any](out *sum) *table[T] {
	return &table[T]{
		w: parquet.NewGenericWriter[T](out,
			parquet.CreatedBy("clamor", "1", "archive"),
			parquet.PageBufferSize(1<<20),
			parquet.DataPageStatistics(true),
			parquet.SkipPageBounds("id"), parquet.SkipPageBounds("voter"),
		),
		rows: make([]T, 0, writeChunk),
	}
}

func (t *table[T]) next() *T {
	t.rows = t.rows[:len(t.rows)+1]
	return &t.rows[len(t.rows)-1]
}

func (t *table[T]) put(row T) error {
	*t.next() = row
	return t.flushFull()
}

func (t *table[T]) flushFull() error {
	if len(t.rows) < cap(t.rows) {
		return nil
	}
	return t.flush()
}

func (t *table[T]) flush() error {
	if _, err := t.w.Write(t.rows); err != nil {
		return err
	}
	t.group += len(t.rows)
	clear(t.rows)
	t.rows = t.rows[:0]
	if t.group < rowGroup {
		return nil
	}
	t.group = 0
	return t.w.Flush()
}

func (t *table[T]) close(meta [][2]string) error {
	if err := t.flush(); err != nil {
		return err
	}
	for _, entry := range meta {
		t.w.SetKeyValueMetadata(entry[0], entry[1])
	}
	return t.w.Close()
}
