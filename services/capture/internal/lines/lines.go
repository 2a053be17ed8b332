// Package lines reads NDJSON: it splits a body into chunks of whole lines for
// several processors, and reports line by line what became of it.
package lines

import (
	"bytes"
	"errors"
	"strconv"
	"sync"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
)

const (
	// MaxLine bounds a line in bytes, like the body of a single request.
	MaxLine = jsonbody.Limit
	// MaxErrors bounds the errors that are listed; all are counted.
	MaxErrors = 1000
	// worthwhile is the least a processor gets: handing over costs more below.
	worthwhile = 32 << 10
)

// Error is what is wrong with one line.
type Error struct {
	Line   int    // from 1
	Code   string // as in problem documents
	Detail string
}

// Report says what became of the lines.
type Report struct {
	Lines, Accepted, Rejected int
	// Errors are the first MaxErrors, in order.
	Errors []Error
	// ByCode counts all rejected lines.
	ByCode map[string]int
}

// Empty says whether there is nothing but blank lines.
func Empty(body []byte) bool { return len(bytes.TrimSpace(body)) == 0 }

// Split cuts body into at most n chunks of whole lines.
func Split(body []byte, n int) [][]byte {
	n = min(n, len(body)/worthwhile+1)
	chunks := make([][]byte, 0, n)
	for left := n; left > 1; left-- {
		end := bytes.IndexByte(body[len(body)/left:], '\n')
		if end < 0 {
			break
		}
		end += len(body)/left + 1
		chunks, body = append(chunks, body[:end]), body[end:]
	}
	if len(body) > 0 {
		chunks = append(chunks, body)
	}
	return chunks
}

// Each hands every line that is not blank to take, chunk by chunk: the lines of
// a chunk in order, the chunks at the same time. It returns when all are done.
func Each(chunks [][]byte, take func(chunk int, line []byte) error) []*Report {
	reports := make([]*Report, len(chunks))
	var all sync.WaitGroup
	for i := 1; i < len(chunks); i++ {
		all.Go(func() { reports[i] = each(chunks[i], i, take) })
	}
	if len(chunks) > 0 {
		reports[0] = each(chunks[0], 0, take)
	}
	all.Wait()
	return reports
}

func each(chunk []byte, number int, take func(chunk int, line []byte) error) *Report {
	r := &Report{}
	for len(chunk) > 0 {
		line := chunk
		if end := bytes.IndexByte(chunk, '\n'); end >= 0 {
			line, chunk = chunk[:end], chunk[end+1:]
		} else {
			chunk = nil
		}
		r.Lines++
		switch {
		case blank(line):
		case len(line) > MaxLine:
			r.Reject(r.Lines, fault.New(fault.BodyTooLarge, "the line is larger than %d bytes", MaxLine))
		default:
			if err := take(number, line); err != nil {
				r.Reject(r.Lines, err)
			} else {
				r.Accepted++
			}
		}
	}
	return r
}

func blank(line []byte) bool { return len(line) == 0 || line[0] <= ' ' && Empty(line) }

// Reject notes what is wrong with a line.
func (r *Report) Reject(line int, err error) {
	e := Error{Line: line, Code: string(fault.Internal), Detail: "the line cannot be taken"}
	var f *fault.Error
	if errors.As(err, &f) {
		e.Code, e.Detail = string(f.Code), f.Detail
	}
	r.Rejected++
	if r.ByCode == nil {
		r.ByCode = map[string]int{}
	}
	r.ByCode[e.Code]++
	if len(r.Errors) < MaxErrors {
		r.Errors = append(r.Errors, e)
	}
}

// Join adds up the reports of consecutive chunks.
func Join(reports []*Report) *Report {
	all := &Report{ByCode: map[string]int{}}
	for _, r := range reports {
		for _, e := range r.Errors {
			if len(all.Errors) < MaxErrors {
				e.Line += all.Lines
				all.Errors = append(all.Errors, e)
			}
		}
		for code, n := range r.ByCode {
			all.ByCode[code] += n
		}
		all.Lines += r.Lines
		all.Accepted += r.Accepted
		all.Rejected += r.Rejected
	}
	return all
}

// AppendJSON writes {accepted, rejected, errors}.
func (r *Report) AppendJSON(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"accepted":`...), int64(r.Accepted), 10)
	dst = strconv.AppendInt(append(dst, `,"rejected":`...), int64(r.Rejected), 10)
	dst = append(dst, `,"errors":[`...)
	for i, e := range r.Errors {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(append(dst, `{"line":`...), int64(e.Line), 10)
		dst = append(append(dst, `,"code":"`...), e.Code...)
		dst = appendText(append(dst, `","detail":`...), e.Detail)
		dst = append(dst, '}')
	}
	return append(dst, "]}\n"...)
}
