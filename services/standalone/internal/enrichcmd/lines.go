package enrichcmd

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/clamor-live/clamor/pkg/enrich"
)

const longest = 32 << 20 // bytes of a line; the rest of a longer one is skipped

const byteOrder = "\uFEFF" // what some editors put before a text

var (
	errInvalid = errors.New("invalid JSON")
	errLong    = errors.New("line too long")
)

// lines reads a stream of posts, each a JSON object or plain text.
type lines struct {
	in      *bufio.Reader
	buf     []byte
	decoder enrich.Decoder
	number  int
	blanks  int  // blank lines that wait for the first post to tell what they are
	object  bool // the last post was an object
	begun   bool
	opened  bool // a mark of byte order at the beginning is past
	id      []byte
	plain   []byte // kept while a blank line is told first
	pending bool
}

func newLines(r io.Reader) *lines { return &lines{in: bufio.NewReaderSize(r, 1<<16)} }

// next fills p with the next post. A fault of the line alone comes as a non-nil
// bad; err ends the stream, io.EOF at its end. Blank lines count among plain
// ones, where each line in must have its line out, but not among objects.
func (l *lines) next(p *enrich.Post) (id []byte, bad, err error) {
	for {
		if l.blanks > 0 && l.pending && !l.object {
			l.blanks--
			*p = enrich.Post{}
			return l.lineID(l.number - 1 - l.blanks), nil, nil
		}
		if l.pending {
			l.pending, l.blanks = false, 0
			return l.read(p)
		}
		line, err := l.line()
		if errors.Is(err, io.EOF) && l.blanks > 0 && !l.object {
			l.blanks--
			*p = enrich.Post{}
			return l.lineID(l.number - l.blanks), nil, nil
		}
		if err != nil && !errors.Is(err, errLong) {
			return nil, nil, err
		}
		l.number++
		if errors.Is(err, errLong) {
			*p = enrich.Post{}
			return l.lineID(l.number), errLong, nil
		}
		l.plain = bytes.TrimSpace(line)
		if len(l.plain) == 0 {
			if !l.begun || !l.object {
				l.blanks++
			}
			continue
		}
		l.begun, l.pending = true, true
		l.object = l.plain[0] == '{'
	}
}

func (l *lines) read(p *enrich.Post) (id []byte, bad, err error) {
	if !l.object {
		*p = enrich.Post{Text: l.plain}
		return l.lineID(l.number), nil, nil
	}
	id, err = l.decoder.Decode(l.plain, p)
	if err != nil {
		*p = enrich.Post{}
		return l.lineID(l.number), errInvalid, nil
	}
	if len(id) == 0 {
		id = l.lineID(l.number)
	}
	return id, nil, nil
}

func (l *lines) lineID(n int) []byte {
	l.id = strconv.AppendInt(l.id[:0], int64(n), 10)
	return l.id
}

// line returns the next line without its end; a longer one than is read comes
// as errLong, once, with the rest of it skipped.
func (l *lines) line() ([]byte, error) {
	l.buf = l.buf[:0]
	long := false
	if !l.opened {
		l.opened = true
		if mark, _ := l.in.Peek(len(byteOrder)); string(mark) == byteOrder {
			_, _ = l.in.Discard(len(byteOrder)) // it was just seen
		}
	}
	for {
		part, err := l.in.ReadSlice('\n')
		if len(l.buf)+len(part) > longest {
			long = true
		} else {
			l.buf = append(l.buf, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.buf) == 0 && !long:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case long:
			return nil, errLong
		}
		return l.buf, nil
	}
}
