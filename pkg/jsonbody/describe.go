package jsonbody

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/clamor-live/clamor/pkg/fault"
)

var errNull = errors.New("null where a value is expected")

// noNulls refuses null for values that have no way to be absent: a null in a
// list of scores must not become a score of 0. Pointers, lists, objects and
// types that read themselves decide for themselves.
var noNulls = json.UnmarshalFromFunc(func(d *jsontext.Decoder, v any) error {
	if d.PeekKind() == 'n' && !takesNull(reflect.TypeOf(v)) {
		return errNull
	}
	return json.SkipFunc
})

var (
	selfReader = reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()
	textReader = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func takesNull(pointer reflect.Type) bool {
	if pointer.Implements(selfReader) || pointer.Implements(textReader) {
		return true
	}
	switch pointer.Elem().Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		return true
	default:
		return false
	}
}

// describe turns a decoding error of well-formed JSON into a field's problem.
func describe(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return malformed(err)
	}
	pointer := clip(string(semantic.JSONPointer))
	var detail string
	var inner *fault.Error
	switch {
	case errors.As(semantic.Err, &inner):
		return inner
	case errors.Is(err, json.ErrUnknownName):
		detail = fmt.Sprintf("unknown field %q", clip(semantic.JSONPointer.LastToken()))
	case errors.Is(err, errNull):
		detail = "must not be null"
	default:
		detail = mismatch(semantic)
	}
	return fault.Invalid(fault.Field{Pointer: pointer, Detail: detail}).Because(err)
}

func mismatch(e *json.SemanticError) string {
	want := expected(e.GoType)
	switch {
	case errors.Is(e.Err, strconv.ErrRange):
		return fmt.Sprintf("must be %s; %s is out of its range", want, clip(string(e.JSONValue)))
	case e.Err != nil && e.GoType != nil && reflect.PointerTo(e.GoType).Implements(selfReader):
		return clip(e.Err.Error())
	case e.JSONKind == '0' && whole(e.GoType):
		return fmt.Sprintf("must be %s, not %s", want, clip(string(e.JSONValue)))
	case e.JSONKind != 0:
		return fmt.Sprintf("must be %s, not %s", want, article(e.JSONKind))
	}
	return "must be " + want
}

func expected(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", ^uint64(0)>>(64-t.Bits()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	default:
		return "another type"
	}
}

func whole(t reflect.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	default:
		return false
	}
}

// article is the kind with its article; "" for what is no JSON value.
func article(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return ""
}
