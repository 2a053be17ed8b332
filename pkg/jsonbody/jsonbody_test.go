package jsonbody_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/jsonbody"
)

type inner struct {
	Per  uint8 `json:"per"`
	Flag bool  `json:"flag"`
}

type body struct {
	ID       string             `json:"id"`
	Choices  []string           `json:"choices"`
	Scores   map[string]int32   `json:"scores"`
	Limits   inner              `json:"limits"`
	Optional *inner             `json:"optional"`
	At       audience.Millis    `json:"at"`
	Ratio    float64            `json:"ratio"`
	Settings map[string]any     `json:"settings"`
	List     []inner            `json:"list"`
	When     map[string]float64 `json:"when"`
}

func TestDecode(t *testing.T) {
	var got body
	text := ` {"id":"a\u00e9😀","choices":["x"],"scores":{"a":-7},"limits":{"per":255,"flag":true},"optional":null,
		"at":"2026-06-11T19:00:00.250Z","ratio":0.5,"settings":{"deep":[1,{"x":null}]},"list":[{"per":1}]}` + "\r\n\t "
	if err := jsonbody.Decode(strings.NewReader(text), 4096, &got); err != nil {
		t.Fatal(err)
	}
	want := body{
		ID: "aé😀", Choices: []string{"x"}, Scores: map[string]int32{"a": -7}, Limits: inner{255, true},
		At:    audience.MillisOf(time.Date(2026, 6, 11, 19, 0, 0, 250e6, time.UTC)),
		Ratio: 0.5, Settings: map[string]any{"deep": []any{1.0, map[string]any{"x": nil}}}, List: []inner{{Per: 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenBodies(t *testing.T) {
	cases := map[string]struct{ text, says string }{
		"empty":                 {"", "empty"},
		"white space":           {" \n\t", "empty"},
		"a word":                {"hello", "malformed"},
		"cut short":             {`{"id":"a"`, "ends before"},
		"cut in a string":       {`{"id":"a`, "ends before"},
		"only a brace":          {`{`, "ends before"},
		"an array":              {`[]`, "an array"},
		"a string":              {`"x"`, "a string"},
		"a number":              {`7`, "a number"},
		"null":                  {`null`, "null"},
		"true":                  {`true`, "a boolean"},
		"a comma too many":      {`{"id":"a",}`, "malformed"},
		"single quotes":         {`{'id':'a'}`, "malformed"},
		"a comment":             {`{"id":"a"} // no`, "after the JSON"},
		"two objects":           {`{"id":"a"}{"id":"b"}`, "after the JSON"},
		"a brace too many":      {`{"id":"a"}}`, "after the JSON"},
		"NaN":                   {`{"ratio":NaN}`, "malformed"},
		"leading zero":          {`{"ratio":01}`, "malformed"},
		"plus":                  {`{"ratio":+1}`, "malformed"},
		"duplicate":             {`{"id":"a","id":"b"}`, `"/id" is given twice`},
		"duplicate, escaped":    {`{"id":"a","\u0069d":"b"}`, "given twice"},
		"duplicate deep":        {`{"settings":{"a":[{"b":1,"b":2}]}}`, `"/settings/a/0/b" is given twice`},
		"duplicate map":         {`{"scores":{"a":1,"a":2}}`, "given twice"},
		"raw NUL":               {"{\"id\":\"a\x00b\"}", "NUL"},
		"NUL behind":            {"{\"id\":\"a\"}\x00", "NUL"},
		"escaped NUL":           {`{"id":"a\u0000b"}`, `"/id" has a NUL`},
		"escaped NUL in a name": {`{"a\u0000":1}`, "NUL"},
		"bad UTF-8":             {"{\"id\":\"a\xff\"}", "UTF-8 at offset 8"},
		"overlong UTF-8":        {"{\"id\":\"\xc0\xaf\"}", "UTF-8"},
		"half a surrogate":      {`{"id":"\ud800"}`, "malformed"},
		"control character":     {"{\"id\":\"a\nb\"}", "malformed"},
		"byte order mark":       {"\ufeff{}", "malformed"},
		"UTF-16":                {"{\x00}\x00", "NUL"},
		// Broken and unknown: broken wins, wherever the places are.
		"unknown, then text": {`{"nope":1} x`, "after the JSON"},
		"ill-typed, cut":     {`{"id":7,`, "ends before"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got body
			err := jsonbody.Decode(strings.NewReader(c.text), 4096, &got)
			e, ok := fault.As(err)
			if !ok || e.Code != fault.BadJSON || !strings.Contains(e.Detail, c.says) {
				t.Errorf("%v, want bad-json saying %q", err, c.says)
			}
		})
	}
}

func TestInvalidFields(t *testing.T) {
	cases := map[string]struct {
		text string
		want fault.Field
	}{
		"unknown":            {`{"colour":1}`, fault.Field{Pointer: "/colour", Detail: `unknown field "colour"`}},
		"unknown deep":       {`{"list":[{"per":1},{"x/y":2}]}`, fault.Field{Pointer: "/list/1/x~1y", Detail: `unknown field "x/y"`}},
		"other case":         {`{"ID":"a"}`, fault.Field{Pointer: "/ID", Detail: `unknown field "ID"`}},
		"number for string":  {`{"id":7}`, fault.Field{Pointer: "/id", Detail: "must be a string, not a number"}},
		"string for array":   {`{"choices":"a"}`, fault.Field{Pointer: "/choices", Detail: "must be an array, not a string"}},
		"number in strings":  {`{"choices":["a",1]}`, fault.Field{Pointer: "/choices/1", Detail: "must be a string, not a number"}},
		"null in strings":    {`{"choices":[null]}`, fault.Field{Pointer: "/choices/0", Detail: "must not be null"}},
		"null score":         {`{"scores":{"a":null}}`, fault.Field{Pointer: "/scores/a", Detail: "must not be null"}},
		"string score":       {`{"scores":{"a":"7"}}`, fault.Field{Pointer: "/scores/a", Detail: "must be a whole number, not a string"}},
		"fraction score":     {`{"scores":{"a":7.5}}`, fault.Field{Pointer: "/scores/a", Detail: "must be a whole number, not 7.5"}},
		"huge score":         {`{"scores":{"a":99999999999}}`, fault.Field{Pointer: "/scores/a", Detail: "must be a whole number; 99999999999 is out of its range"}},
		"negative uint":      {`{"limits":{"per":-1}}`, fault.Field{Pointer: "/limits/per", Detail: "must be a whole number from 0 to 255, not -1"}},
		"string for boolean": {`{"limits":{"flag":"true"}}`, fault.Field{Pointer: "/limits/flag", Detail: "must be true or false, not a string"}},
		"array for object":   {`{"limits":[]}`, fault.Field{Pointer: "/limits", Detail: "must be an object, not an array"}},
		"null object":        {`{"limits":null}`, fault.Field{Pointer: "/limits", Detail: "must not be null"}},
		"null string":        {`{"id":null}`, fault.Field{Pointer: "/id", Detail: "must not be null"}},
		"no time":            {`{"at":"yesterday"}`, fault.Field{Pointer: "/at", Detail: `a time is written as RFC 3339, like "2006-01-02T15:04:05.000Z"`}},
		"number for time":    {`{"at":17}`, fault.Field{Pointer: "/at", Detail: `a time is written as RFC 3339, like "2006-01-02T15:04:05.000Z"`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got body
			err := jsonbody.Decode(strings.NewReader(c.text), 4096, &got)
			e, ok := fault.As(err)
			if !ok || e.Code != fault.InvalidRequest {
				t.Fatalf("%v, want invalid-request", err)
			}
			if diff := cmp.Diff([]fault.Field{c.want}, e.Fields); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLimit(t *testing.T) {
	text := `{"id":"` + strings.Repeat("x", 100) + `"}`
	var got body
	if err := jsonbody.Decode(strings.NewReader(text), int64(len(text)), &got); err != nil {
		t.Errorf("a body of the limit itself: %v", err)
	}
	err := jsonbody.Decode(strings.NewReader(text), int64(len(text)-1), &got)
	if !fault.Is(err, fault.BodyTooLarge) {
		t.Errorf("%v, want body-too-large", err)
	}
	limited := http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader(text)), 10)
	if err := jsonbody.Decode(limited, 4096, &got); !fault.Is(err, fault.BodyTooLarge) {
		t.Errorf("%v, want body-too-large", err)
	}
}

func TestABodyThatStopsComing(t *testing.T) {
	lost := errors.New("connection reset")
	var got body
	err := jsonbody.Decode(io.MultiReader(strings.NewReader(`{"id":`), iotest.ErrReader(lost)), 4096, &got)
	if !fault.Is(err, fault.BadJSON) || !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
}

func TestALongNameDoesNotFillTheAnswer(t *testing.T) {
	var got body
	err := jsonbody.Unmarshal([]byte(`{"`+strings.Repeat("é", 5000)+`":1}`), &got)
	if e, ok := fault.As(err); !ok || len(e.Detail) > 1000 || len(e.Fields[0].Pointer) > 300 {
		t.Errorf("%v", err)
	}
}

// FuzzUnmarshal holds the reader to encoding/json: what it accepts, the standard
// library accepts too and reads the same; and it never answers with anything
// but a problem of the two kinds.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"id":"a"}`, `{"id":"a","id":"b"}`, `{"choices":["a",null]}`, `{"scores":{"a":1e2}}`, `[]`, "{\"id\":\"\xff\"}",
		`{"id":"\u0000"}`, `{"at":"2026-06-11T19:00:00Z"}`, `{"settings":{"a":{"b":[1,2,{"c":null}]}}}`, `{"id":"\ud800"}`, `{} {}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, want body
		err := jsonbody.Unmarshal(data, &got)
		if err != nil {
			if !fault.Is(err, fault.BadJSON) && !fault.Is(err, fault.InvalidRequest) {
				t.Fatalf("%v is no problem of the caller", err)
			}
			return
		}
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
