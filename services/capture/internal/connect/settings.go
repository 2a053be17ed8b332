package connect

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
)

// Settings reads a source's settings strictly: what is missing, of the wrong
// type, out of its range, or read by nobody is an error that names it, never its
// value.
type Settings struct {
	values map[string]any
	read   map[string]bool
	errs   []error
}

// Read begins to read settings; Done ends it.
func Read(values map[string]any) *Settings {
	return &Settings{values: values, read: map[string]bool{}}
}

// Done says all that is wrong with the settings, or nil.
func (s *Settings) Done() error {
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if !s.read[name] {
			s.Fail(name, "is not a setting of this connector")
		}
	}
	return errors.Join(s.errs...)
}

// Fail says what is wrong with a setting.
func (s *Settings) Fail(name, format string, args ...any) {
	s.errs = append(s.errs, fmt.Errorf("settings.%s %s", name, fmt.Sprintf(format, args...)))
}

// take is a setting's value, if it is there and of type T.
func take[T any](s *Settings, name, kind string) (v T, ok bool) {
	s.read[name] = true
	value, there := s.values[name]
	if !there || value == nil {
		return v, false
	}
	if v, ok = value.(T); !ok {
		s.Fail(name, "is not %s", kind)
	}
	return v, ok
}

// String is a text; otherwise stands for a missing one.
func (s *Settings) String(name, otherwise string) string {
	if v, ok := take[string](s, name, "a text"); ok {
		return v
	}
	return otherwise
}

// Need is a text that must not be missing or empty.
func (s *Settings) Need(name string) string {
	before := len(s.errs)
	v := s.String(name, "")
	if v == "" && len(s.errs) == before {
		s.Fail(name, "is missing")
	}
	return v
}

// OneOf is one of several texts; the first stands for a missing one.
func (s *Settings) OneOf(name string, allowed ...string) string {
	v := s.String(name, allowed[0])
	if !slices.Contains(allowed, v) {
		s.Fail(name, "is not one of %q", allowed)
	}
	return v
}

// Int is a whole number from least to most.
func (s *Settings) Int(name string, otherwise, least, most int) int {
	v, ok := take[float64](s, name, "a number") // JSON knows no other
	switch {
	case !ok:
		return otherwise
	case v != float64(int(v)) || int(v) < least || int(v) > most:
		s.Fail(name, "is not a whole number from %d to %d", least, most)
		return otherwise
	}
	return int(v)
}

// Float is a number from least to most.
func (s *Settings) Float(name string, otherwise, least, most float64) float64 {
	v, ok := take[float64](s, name, "a number")
	switch {
	case !ok:
		return otherwise
	case !(v >= least && v <= most):
		s.Fail(name, "is not a number from %g to %g", least, most)
		return otherwise
	}
	return v
}

// Bool is true or false.
func (s *Settings) Bool(name string, otherwise bool) bool {
	if v, ok := take[bool](s, name, "true or false"); ok {
		return v
	}
	return otherwise
}

// Strings is a list of texts, none of them empty; nil if it is missing.
func (s *Settings) Strings(name string) []string {
	list, _ := take[[]any](s, name, "a list of texts")
	out := make([]string, 0, len(list))
	for _, v := range list {
		text, ok := v.(string)
		if !ok || text == "" {
			s.Fail(name, "is not a list of texts")
			return nil
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Map is an object of texts; nil if it is missing.
func (s *Settings) Map(name string) map[string]string {
	object, _ := take[map[string]any](s, name, "an object of texts")
	if len(object) == 0 {
		return nil
	}
	out := make(map[string]string, len(object))
	for k, v := range object {
		text, ok := v.(string)
		if !ok {
			s.Fail(name, "is not an object of texts")
			return nil
		}
		out[k] = text
	}
	return out
}

// URL is an absolute address of one of the schemes; otherwise stands for a
// missing one, and may be empty: then a missing one is nil.
func (s *Settings) URL(name, otherwise string, schemes ...string) *url.URL {
	text := s.String(name, otherwise)
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		s.Fail(name, "is not an address of %q", schemes)
		return nil
	}
	return u
}
