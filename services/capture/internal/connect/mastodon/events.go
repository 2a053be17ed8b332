package mastodon

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	maxName = 64
	// maxData bounds an event's data. What is longer is cut, and so is no JSON.
	maxData = 256 << 10
)

// events reads server-sent events (WHATWG HTML, section 9.2).
type events struct {
	in *bufio.Reader
	cr bool // the last line ended with a CR: an LF behind it is the same end
}

func newEvents(r io.Reader) *events { return &events{in: bufio.NewReaderSize(r, 16<<10)} }

// next is the next event, its name and data on lines of their own, or nothing for
// a comment, which is a heartbeat. An event that is broken off is none.
func (e *events) next() ([]byte, error) {
	var name, data []byte
	begun := false
	for {
		line, err := e.line()
		if err != nil {
			return nil, err
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch {
		case len(line) == 0 && begun:
			return append(append(name, '\n'), data...), nil
		case len(line) == 0:
			name = nil
		case len(field) == 0 && !begun:
			return nil, nil
		case string(field) == "event":
			name = within(nil, value, maxName)
		case string(field) == "data" && begun:
			data = within(within(data, []byte{'\n'}, maxData), value, maxData)
		case string(field) == "data":
			data, begun = within(nil, value, maxData), true
		}
	}
}

// within appends as much as is within the bound.
func within(dst, more []byte, most int) []byte {
	return append(dst, more[:min(len(more), max(0, most-len(dst)))]...)
}

// line reads to the next CR, LF or both; what is beyond the bound is left out.
func (e *events) line() ([]byte, error) {
	var line []byte
	for {
		part, end, err := e.part()
		line = within(line, part, maxData+len("data: "))
		if err != nil || end {
			return line, err
		}
	}
}

// part is what the buffer has of a line, and whether the line ends there.
func (e *events) part() ([]byte, bool, error) {
	if _, err := e.in.Peek(1); err != nil {
		return nil, false, err
	}
	waiting, err := e.in.Peek(e.in.Buffered())
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, false, err
	}
	if e.cr && waiting[0] == '\n' {
		e.cr = false
		_, err := e.in.Discard(1)
		return nil, false, err
	}
	e.cr = false
	n := bytes.IndexAny(waiting, "\r\n")
	if n < 0 {
		part := bytes.Clone(waiting)
		_, err := e.in.Discard(len(waiting))
		return part, false, err
	}
	e.cr = waiting[n] == '\r'
	part := bytes.Clone(waiting[:n])
	_, err = e.in.Discard(n + 1)
	return part, true, err
}
