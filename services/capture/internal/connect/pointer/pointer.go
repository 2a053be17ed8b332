// Package pointer finds things in JSON by JSON pointers (RFC 6901), for the
// settings of sources whose bodies have a form of their own.
package pointer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/fault"
)

// maxDepth bounds a pointer's steps.
const maxDepth = 32

// Path is a pointer that was read.
type Path []string

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// Parse reads a pointer. The empty one is the whole body.
func Parse(text string) (Path, error) {
	if text == "" {
		return Path{}, nil
	}
	if text[0] != '/' {
		return nil, errors.New("is no JSON pointer: it does not begin with /")
	}
	steps := strings.Split(text[1:], "/")
	if len(steps) > maxDepth {
		return nil, fmt.Errorf("is a JSON pointer of more than %d steps", maxDepth)
	}
	for i, step := range steps {
		if bare := strings.NewReplacer("~0", "", "~1", "").Replace(step); strings.Contains(bare, "~") {
			return nil, errors.New("is no JSON pointer: after ~ comes 0 or 1")
		}
		steps[i] = unescape.Replace(step)
	}
	return steps, nil
}

// In is what the path leads to; nil if it leads nowhere.
func (p Path) In(v any) any {
	for _, step := range p {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			n, err := strconv.ParseUint(step, 10, 31)
			if err != nil || int(n) >= len(at) || step != strconv.FormatUint(n, 10) {
				return nil
			}
			v = at[n]
		default:
			return nil
		}
	}
	return v
}

// Text is a string, or a number as it is written; otherwise it is empty.
func Text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// Texts are those of a list, or the one.
func Texts(v any) (all []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, item := range list {
		if text, ok := item.(string); ok && text != "" {
			all = append(all, text)
		}
	}
	return all
}

// Read reads a body for Path.In: numbers keep all their digits. Its errors are
// those of a webhook.
func Read(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, fault.New(fault.BadJSON, "the body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fault.New(fault.BadJSON, "the body is not JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.BadJSON, "there is text after the JSON")
	}
	return v, nil
}
