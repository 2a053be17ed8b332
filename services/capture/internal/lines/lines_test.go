package lines

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/fault"
	"pgregory.net/rapid"
)

// TestChunksChangeNothing: however many processors read a body, every line is
// read once, and the report is that of one.
func TestChunksChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		long := strings.Repeat("x", worthwhile/3)
		list := rapid.SliceOfN(rapid.SampledFrom([]string{"", " ", "ok", "bad", long, long + "bad"}), 0, 40).Draw(t, "lines")
		body := []byte(strings.Join(list, "\n"))
		n := rapid.IntRange(1, 8).Draw(t, "processors")
		read := func(n int) (*Report, string) {
			chunks := Split(body, n)
			if !bytes.Equal(bytes.Join(chunks, nil), body) {
				t.Fatal("the chunks are not the body")
			}
			taken := make([]strings.Builder, len(chunks))
			report := Join(Each(chunks, func(i int, line []byte) error {
				fmt.Fprintf(&taken[i], "%s\n", line)
				if bytes.HasSuffix(line, []byte("bad")) {
					return fault.New(fault.BadJSON, "bad")
				}
				return nil
			}))
			all := ""
			for i := range taken {
				all += taken[i].String()
			}
			return report, all
		}
		one, oneTaken := read(1)
		many, manyTaken := read(n)
		if fmt.Sprint(one) != fmt.Sprint(many) || oneTaken != manyTaken {
			t.Fatalf("one: %v\nmany: %v", one, many)
		}
	})
}

func TestReport(t *testing.T) {
	var r Report
	r.Reject(3, fault.New(fault.InvalidBallot, "%s", "a \"quote\" and \x01"))
	r.Reject(4, errors.New("secret"))
	r.Accepted = 2
	var got struct {
		Accepted, Rejected int
		Errors             []struct {
			Line         int
			Code, Detail string
		}
	}
	if err := json.Unmarshal(r.AppendJSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	if got.Accepted != 2 || got.Rejected != 2 || got.Errors[0].Detail != "a \"quote\" and \x01" || got.Errors[1].Code != "internal" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(got.Errors[1].Detail, "secret") {
		t.Error("an error of ours is told")
	}
	for i := range 2 * MaxErrors {
		r.Reject(i, fault.New(fault.BadJSON, "bad"))
	}
	if len(r.Errors) != MaxErrors || r.Rejected != 2*MaxErrors+2 {
		t.Error("all are counted and the first are listed")
	}
}

func TestALongLineIsRefused(t *testing.T) {
	r := Join(Each(Split(bytes.Repeat([]byte("x"), MaxLine+1), 4), func(int, []byte) error { return nil }))
	if r.Rejected != 1 || r.Errors[0].Code != "body-too-large" {
		t.Errorf("%+v", r)
	}
}
