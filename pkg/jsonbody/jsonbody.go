// Package jsonbody reads the JSON of a request strictly, and says exactly what
// is wrong with it.
//
// It reads a body twice: once as JSON (bad-json: malformed, empty, no object,
// duplicate names, text behind it, bad UTF-8, NUL), then as the request
// (invalid-request: unknown members, wrong types, with the member's pointer). So
// a body that is both broken and unknown is called broken, wherever the two
// places are.
package jsonbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/clamor-live/clamor/pkg/fault"
)

// Limits of request bodies in bytes, by the HTTP contract.
const (
	Limit      = 64 << 10
	BatchLimit = 8 << 20
)

// Decode reads one JSON object of at most limit bytes into a pointer to a
// struct or map. Every error is a *fault.Error.
func Decode(r io.Reader, limit int64, into any) error {
	data, err := read(r, limit)
	if err != nil {
		return err
	}
	return Unmarshal(data, into)
}

// Unmarshal reads one JSON object, such as a line of NDJSON.
func Unmarshal(data []byte, into any) error {
	if err := check(data); err != nil {
		return err
	}
	err := json.Unmarshal(data, into, json.RejectUnknownMembers(true), json.WithUnmarshalers(noNulls))
	if err != nil {
		return describe(err)
	}
	return nil
}

// TooLarge is the problem of a body over limit bytes.
func TooLarge(limit int64) *fault.Error {
	return fault.New(fault.BodyTooLarge, "the body is larger than %d bytes", limit).With("limit", limit)
}

func read(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, TooLarge(tooLarge.Limit)
	case err != nil:
		return nil, fault.New(fault.BadJSON, "the body ended before it was complete").Because(err)
	case int64(len(data)) > limit:
		return nil, TooLarge(limit)
	}
	return data, nil
}

// check makes sure that data is one JSON object and nothing else.
func check(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return broken("the body is empty; a JSON object is expected")
	case bytes.IndexByte(data, 0) >= 0:
		return broken("the body has a NUL byte at offset %d", bytes.IndexByte(data, 0))
	case !utf8.Valid(data):
		return broken("the body is not valid UTF-8 at offset %d", invalidAt(data))
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if is := article(d.PeekKind()); is != "" && is != "an object" {
		return broken("the body is %s; a JSON object is expected", is)
	}
	escapedNUL := bytes.Contains(data, []byte(`\u0000`))
	if err := walk(d, escapedNUL); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return broken("there is text after the JSON object, from offset %d", d.InputOffset())
	}
	return nil
}

// walk passes over one value; it looks into each string only if one could hold
// an escaped NUL.
func walk(d *jsontext.Decoder, escapedNUL bool) error {
	if !escapedNUL {
		if err := d.SkipValue(); err != nil {
			return malformed(err)
		}
		return nil
	}
	for {
		tok, err := d.ReadToken()
		if err != nil {
			return malformed(err)
		}
		if tok.Kind() == '"' && bytes.IndexByte([]byte(tok.String()), 0) >= 0 {
			return broken("%s has a NUL character", place(d.StackPointer()))
		}
		if d.StackDepth() == 0 {
			return nil
		}
	}
}

func malformed(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.Is(err, io.EOF) {
		return broken("the JSON ends before it is complete").Because(err)
	}
	if !errors.As(err, &syntax) {
		return broken("the JSON cannot be read").Because(err)
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return broken("the name %s is given twice", place(syntax.JSONPointer)).Because(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return broken("the JSON ends before it is complete").Because(err)
	}
	return broken("the JSON is malformed at offset %d: %v", syntax.ByteOffset, syntax.Err).Because(err)
}

func broken(format string, args ...any) *fault.Error {
	return fault.New(fault.BadJSON, format, args...)
}

func place(p jsontext.Pointer) string {
	if p == "" {
		return "the body"
	}
	return fmt.Sprintf("%q", clip(string(p)))
}

// clip keeps a caller's own text from filling the answer.
func clip(s string) string {
	const longest = 200
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func invalidAt(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}
