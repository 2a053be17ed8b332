package form

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/google/go-cmp/cmp"
)

const id = "0198c0de-0000-7000-8000-000000000001"

func TestReadsABallot(t *testing.T) {
	for name, tc := range map[string]struct {
		body string
		door Door
		want Form
	}{
		"choice":       {`{"ballot_id":"` + id + `","choices":["a","b"]}`, Voter, Form{BallotID: []byte(id), Choices: [][]byte{[]byte("a"), []byte("b")}}},
		"spaces":       {" {\n\t\"choices\" : [ \"a\" ] , \"ballot_id\" : \"" + id + "\" }\r\n", Voter, Form{BallotID: []byte(id), Choices: [][]byte{[]byte("a")}}},
		"scores":       {`{"ballot_id":"x","scores":{"b":-7,"a":10}}`, Voter, Form{BallotID: []byte("x"), Scores: []Score{{[]byte("a"), 10}, {[]byte("b"), -7}}}},
		"escapes":      {`{"ballot_id":"x","choices":["\u0061"]}`, Voter, Form{BallotID: []byte("x"), Choices: [][]byte{[]byte("a")}}},
		"nothing else": {`{"ballot_id":""}`, Voter, Form{BallotID: []byte("")}},
		"gateway":      {`{"ballot_id":"x","voter_ref":"+4917","choices":["a"],"sent_at":"2026-01-02T03:04:05Z"}`, Gateway, Form{BallotID: []byte("x"), VoterRef: []byte("+4917"), Choices: [][]byte{[]byte("a")}}},
		"letters":      {`{"ballot_id":"x","voter_ref":"Zoë"}`, Gateway, Form{BallotID: []byte("x"), VoterRef: []byte("Zoë")}},
		"nulls":        {`{"ballot_id":"x","choices":null,"scores":null}`, Voter, Form{BallotID: []byte("x")}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Form
			if err := f.Read([]byte(tc.body), tc.door); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(normal(tc.want), normal(f)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefusesABallot(t *testing.T) {
	for body, want := range map[string]struct {
		code    fault.Code
		pointer string
	}{
		``:                                  {fault.BadJSON, ""},
		`[]`:                                {fault.BadJSON, ""},
		`{`:                                 {fault.BadJSON, ""},
		`{"ballot_id":"x"} {}`:              {fault.BadJSON, ""},
		`{"ballot_id":"x","ballot_id":"x"}`: {fault.BadJSON, ""},
		`{"ballot_id":"x","scores":{"a":1,"a":2}}`: {fault.BadJSON, ""},
		"{\"ballot_id\":\"\xff\"}":                 {fault.BadJSON, ""},
		"{\"ballot_id\":\"\x00\"}":                 {fault.BadJSON, ""},
		`{"ballot_id":"\u0000"}`:                   {fault.BadJSON, ""},
		`{"ballot_id":"x",}`:                       {fault.BadJSON, ""},
		`{"choices":["a"]}`:                        {fault.InvalidRequest, "/ballot_id"},
		`{"ballot_id":null}`:                       {fault.InvalidRequest, "/ballot_id"},
		`{"ballot_id":7}`:                          {fault.InvalidRequest, "/ballot_id"},
		`{"ballot_id":"x","choice":"a"}`:           {fault.InvalidRequest, "/choice"},
		`{"ballot_id":"x","choices":"a"}`:          {fault.InvalidRequest, "/choices"},
		`{"ballot_id":"x","choices":[1]}`:          {fault.InvalidRequest, "/choices/0"},
		`{"ballot_id":"x","choices":[null]}`:       {fault.InvalidRequest, "/choices/0"},
		`{"ballot_id":"x","scores":{"a":7.5}}`:     {fault.InvalidRequest, "/scores/a"},
		`{"ballot_id":"x","scores":{"a":1e3}}`:     {fault.InvalidRequest, "/scores/a"},
		`{"ballot_id":"x","voter_ref":"y"}`:        {fault.InvalidRequest, "/voter_ref"},
	} {
		var f Form
		err := f.Read([]byte(body), Voter)
		e, ok := fault.As(err)
		if !ok || e.Code != want.code {
			t.Errorf("%s: %v, want %s", body, err, want.code)
			continue
		}
		if want.pointer != "" && (len(e.Fields) != 1 || e.Fields[0].Pointer != want.pointer) {
			t.Errorf("%s: %+v, want a fault at %s", body, e.Fields, want.pointer)
		}
	}
}

func TestGatewayNeedsAVoterRef(t *testing.T) {
	for _, body := range []string{
		`{"ballot_id":"x"}`, `{"ballot_id":"x","voter_ref":""}`, `{"ballot_id":"x","voter_ref":null}`,
		`{"ballot_id":"x","voter_ref":"` + strings.Repeat("a", MaxRef+1) + `"}`,
		`{"ballot_id":"x","voter_ref":"y","sent_at":"yesterday"}`,
		`{"ballot_id":"x","voter_ref":"y","sent_at":1}`,
	} {
		var f Form
		if err := f.Read([]byte(body), Gateway); !fault.Is(err, fault.InvalidRequest) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzQuick holds the quick reader against the strict one: whatever it accepts,
// the strict one reads alike.
func FuzzQuick(f *testing.F) {
	f.Add([]byte(`{"ballot_id":"`+id+`","choices":["a"]}`), true)
	f.Add([]byte(`{"ballot_id":"x","voter_ref":"y","scores":{"a":-1,"b":20},"sent_at":"2026-01-02T03:04:05.123Z"}`), false)
	f.Add([]byte(`{"ballot_id":"x","choices":[],"choices":["a"]}`), true)
	f.Add([]byte(`{"ballot_id":"x","scores":{"a":01}} x`), true)
	f.Fuzz(func(t *testing.T, body []byte, voter bool) {
		door := Gateway
		if voter {
			door = Voter
		}
		var quick, slow Form
		if !quick.quick(body, door) {
			return
		}
		read := slow.gateway
		if voter {
			read = slow.voter
		}
		if err := read(body); err != nil {
			t.Fatalf("quick takes what the strict reader refuses: %v", err)
		}
		if diff := cmp.Diff(normal(slow), normal(quick)); diff != "" {
			t.Fatal(diff)
		}
	})
}

func normal(f Form) Form {
	f.Choices = append([][]byte{}, f.Choices...)
	f.Scores = append([]Score{}, f.Scores...)
	slices.SortFunc(f.Scores, func(a, b Score) int { return bytes.Compare(a.Option, b.Option) })
	return f
}

func BenchmarkRead(b *testing.B) {
	body := []byte(`{"ballot_id":"` + id + `","choices":["anna"]}`)
	var f Form
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Read(body, Voter); err != nil {
			b.Fatal(err)
		}
	}
}
