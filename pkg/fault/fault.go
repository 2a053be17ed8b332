// Package fault holds the few kinds of errors that a caller outside can tell
// apart, and maps them to HTTP in one table (RFC 9457 problem documents).
//
// An error that is not one of these kinds is ours, not the caller's: it becomes
// a 500 whose text stays in our log.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Field says what is wrong with one member of a request.
type Field struct {
	// Pointer is the RFC 6901 path of the member, "" for the whole body.
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// Error is a problem that its caller can act on.
type Error struct {
	Code Code
	// Detail is for people: it names the cause and the way out.
	Detail string
	Fields []Field
	// Extra are further members of the document, such as the current revision.
	Extra map[string]any
	// RetryAfter, when positive, is sent as Retry-After in whole seconds, rounded up.
	RetryAfter time.Duration
	// Cause is for our log and is never sent.
	Cause error
}

// New makes a problem whose detail is formatted; an argument of %w becomes its
// cause.
func New(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Detail: err.Error(), Cause: errors.Unwrap(err)}
}

// Invalid makes an invalid-request of the given fields.
func Invalid(fields ...Field) *Error {
	e := &Error{Code: InvalidRequest, Fields: fields}
	if len(fields) > 0 {
		e.Detail = fields[0].String()
	}
	return e
}

// String is the field's pointer and detail in one line.
func (f Field) String() string {
	if f.Pointer == "" {
		return f.Detail
	}
	return f.Pointer + ": " + f.Detail
}

// With adds a member to the document and returns e.
func (e *Error) With(key string, v any) *Error {
	if e.Extra == nil {
		e.Extra = map[string]any{}
	}
	e.Extra[key] = v
	return e
}

// After sets how long the caller should wait before trying again, and returns e.
func (e *Error) After(d time.Duration) *Error {
	e.RetryAfter = d
	return e
}

// Because notes the cause, for our log only, and returns e.
func (e *Error) Because(cause error) *Error {
	e.Cause = cause
	return e
}

// Error is the code and the detail.
func (e *Error) Error() string {
	if e.Detail == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Detail
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// As finds the problem in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// Is says whether err is a problem of that code.
func Is(err error, code Code) bool {
	e, ok := As(err)
	return ok && e.Code == code
}
