package pointer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

// TestRFC6901 has the document and the pointers of section 5.
func TestRFC6901(t *testing.T) {
	doc, err := Read([]byte(`{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}`))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]any{
		"": doc, "/foo": []any{"bar", "baz"}, "/foo/0": "bar", "/": json.Number("0"), "/a~1b": json.Number("1"), "/c%d": json.Number("2"),
		"/e^f": json.Number("3"), "/g|h": json.Number("4"), "/i\\j": json.Number("5"), "/k\"l": json.Number("6"), "/ ": json.Number("7"), "/m~0n": json.Number("8"),
		"/foo/2": nil, "/foo/00": nil, "/foo/-": nil, "/foo/-1": nil, "/foo/0/x": nil, "/none": nil, "/foo/99999999999999999999": nil,
	} {
		p, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, p.In(doc)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	for _, bad := range []string{"foo", "#/foo", "/a~", "/a~2b", strings.Repeat("/x", 33)} {
		if _, err := Parse(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestRead(t *testing.T) {
	v, err := Read([]byte(` {"id":17841405726653026123} `))
	if err != nil || Text(Path{"id"}.In(v)) != "17841405726653026123" {
		t.Error(v, err)
	}
	for _, bad := range []string{"", "{", "{} {}", "{}x", "\xff", "\"\xff\"", strings.Repeat("[", 100000)} {
		if _, err := Read([]byte(bad)); !fault.Is(err, fault.BadJSON) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestTexts(t *testing.T) {
	v, err := Read([]byte(`["a",1,"",null,{"url":"b"},"c"]`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, Texts(v)); diff != "" {
		t.Error(diff)
	}
	if got := Texts("a"); len(got) != 1 || got[0] != "a" || Texts(nil) != nil {
		t.Error(got)
	}
}

func TestMoment(t *testing.T) {
	for v, want := range map[any]audience.Millis{
		"2026-05-01T20:00:00.5Z": 1777665600500, "2026-05-01T17:00:00-03:00": 1777665600000, json.Number("1777665600"): 1777665600000,
		"1777665600": 1777665600000, json.Number("1777665600.25"): 1777665600250, json.Number("1777665600500"): 1777665600500,
		json.Number("1.7776656e9"): 1777665600000, "soon": 0, json.Number("-5"): 0, "NaN": 0, "Inf": 0, nil: 0, true: 0, json.Number("1e300"): 0,
	} {
		if got := Moment(v); got != want {
			t.Errorf("%v: %d, want %d", v, got, want)
		}
	}
}

func FuzzPointer(f *testing.F) {
	f.Add("/a/0/b~1", []byte(`{"a":[{"b/":1}]}`))
	f.Fuzz(func(_ *testing.T, text string, body []byte) {
		p, err := Parse(text)
		v, readErr := Read(body)
		if err == nil && readErr == nil {
			found := p.In(v)
			_, _, _ = Text(found), Texts(found), Moment(found)
		}
	})
}
