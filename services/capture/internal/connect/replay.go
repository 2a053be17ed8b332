package connect

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/capture/internal/lines"
	"github.com/clamor-live/clamor/services/capture/internal/post"
)

// Replay reads a file of posts (NDJSON) at the pace of their created_at.
type Replay struct {
	// Folder is the only one that files are read from.
	Folder string
	File   string
	// Speed is how many times faster than the posts' own pace.
	Speed float64
	// Loop begins again at the end; the posts of later passes are new ones: "~2"
	// is added to their ids, then "~3", and so on.
	Loop bool
	Now  func() time.Time
}

const (
	// MaxSpeed is faster than any file lasts.
	MaxSpeed  = 1e6
	maxPosts  = 500
	maxGather = 20 * time.Millisecond // posts that are due together travel together
)

// NewReplay reads a source's settings.
func NewReplay(folder string, settings map[string]any, now func() time.Time) (*Replay, error) {
	r := &Replay{Folder: folder, Speed: 1, Now: now}
	for name, v := range settings {
		ok := true
		switch name {
		case "file":
			r.File, ok = v.(string)
		case "speed":
			r.Speed, ok = v.(float64)
		case "loop":
			r.Loop, ok = v.(bool)
		}
		if !ok {
			return nil, fmt.Errorf("settings.%s has the wrong type", name)
		}
	}
	switch {
	case folder == "":
		return nil, errors.New("this installation has no folder for replays")
	case r.File == "":
		return nil, errors.New("settings.file names no file")
	case !(r.Speed > 0 && r.Speed <= MaxSpeed):
		return nil, fmt.Errorf("settings.speed is not above 0 and at most %d", int(MaxSpeed))
	}
	return r, nil
}

// mark is a place in a file.
type mark struct {
	// of tells which file: in another one the mark means nothing.
	of string
	// pass counts the times the file was read to its end; offset is in bytes.
	pass   int
	offset int64
}

func (m mark) place() Place { return Place(fmt.Sprintf("%s/%d/%d", m.of, m.pass, m.offset)) }

// resume is the mark that a place says, or the file's beginning.
func (r *Replay) resume(from Place) mark {
	fields := strings.Split(string(from), "/")
	if len(fields) != 3 || fields[0] != r.of() {
		return mark{of: r.of()}
	}
	pass, passErr := strconv.Atoi(fields[1])
	offset, offsetErr := strconv.ParseInt(fields[2], 10, 64)
	if passErr != nil || offsetErr != nil || pass < 0 || offset < 0 {
		return mark{of: r.of()}
	}
	return mark{of: r.of(), pass: pass, offset: offset}
}

// of names the file without telling it.
func (r *Replay) of() string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.File)) // never fails
	return strconv.FormatUint(uint64(h.Sum32()), 36)
}

// Run delivers the posts from a place on, until the end of the file or of ctx.
func (r *Replay) Run(ctx context.Context, place Place, out Outlet) error {
	from := r.resume(place)
	for {
		delivered, err := r.pass(ctx, from, out)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // stopped, as it was asked to
		case err != nil:
			return fmt.Errorf("replay %q: %w", r.File, err)
		case !r.Loop || !delivered && from.offset == 0:
			return nil // a file without posts is not read for ever
		}
		from.pass, from.offset = from.pass+1, 0
	}
}

// open opens the file; what leads out of the folder, by ".." or by a link, is
// refused.
func (r *Replay) open(at int64) (*os.File, error) {
	root, err := os.OpenRoot(r.Folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	f, err := root.Open(r.File)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrInvalid
	}
	if err == nil && at <= info.Size() {
		_, err = f.Seek(at, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// pass reads from a place to the end of the file.
func (r *Replay) pass(ctx context.Context, from mark, out Outlet) (delivered bool, err error) {
	f, err := r.open(from.offset)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	p := pacer{speed: r.Speed, now: r.Now}
	out.Streaming()
	b, behind := Batch{}, from
	flush := func() error {
		if len(b.Posts) == 0 && b.Malformed == 0 {
			return nil
		}
		b.Behind = behind.place()
		err := out.Deliver(ctx, b)
		delivered = delivered || len(b.Posts) > 0
		b = Batch{Posts: b.Posts[:0]}
		return err
	}
	in := bufio.NewReaderSize(f, lines.MaxLine)
	for {
		line, size, end := next(in)
		if size == 0 && end {
			return delivered, flush()
		}
		if item, err := read(line, size); err != nil {
			b.Malformed++
			if b.First == nil {
				b.First = err
			}
		} else if item != nil {
			if wait := p.until(item.CreatedAt); wait > maxGather || len(b.Posts) >= maxPosts {
				if err := flush(); err != nil {
					return delivered, err
				}
				if err := sleep.For(ctx, p.until(item.CreatedAt)); err != nil {
					return delivered, err
				}
			}
			if from.pass > 0 {
				item.ID += "~" + strconv.Itoa(from.pass+1)
			}
			b.Posts = append(b.Posts, *item)
		}
		behind.offset += int64(size)
	}
}

// read is the post in a line; nil for a blank one.
func read(line []byte, size int) (*audience.Post, error) {
	if len(line) < size {
		return nil, fmt.Errorf("the line is larger than %d bytes", lines.MaxLine)
	}
	if len(bytes.TrimSpace(line)) == 0 {
		return nil, nil
	}
	p, err := post.Lenient(line)
	return &p, err
}

// next is the next line, of which size bytes were read; one that is too long is
// passed over and given in part.
func next(in *bufio.Reader) (line []byte, size int, end bool) {
	line, err := in.ReadSlice('\n')
	size = len(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = in.ReadSlice('\n')
		size += len(more)
	}
	if size > len(line) {
		line = nil // the buffer has other bytes by now
	}
	return line, size, err != nil
}

// pacer tells when a post is due: as long after the first one as its created_at
// is, divided by the speed.
type pacer struct {
	speed float64
	now   func() time.Time
	begun time.Time
	first audience.Millis
}

func (p *pacer) until(created audience.Millis) time.Duration {
	now := p.now()
	if p.begun.IsZero() {
		p.begun, p.first = now, created
	}
	after := time.Duration(float64(created-p.first) / p.speed * float64(time.Millisecond))
	return p.begun.Add(after).Sub(now)
}
