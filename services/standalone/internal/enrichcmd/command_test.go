package enrichcmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// line is the contract of one line of output.
type line struct {
	ID         string             `json:"id"`
	Language   string             `json:"language"`
	LanguageP  float64            `json:"language_p"`
	Sentiment  string             `json:"sentiment"`
	SentimentP map[string]float64 `json:"sentiment_p"`
	Place      *struct {
		Country    string  `json:"country"`
		Admin1     string  `json:"admin1"`
		City       string  `json:"city"`
		Evidence   string  `json:"evidence"`
		Confidence float64 `json:"confidence"`
	} `json:"place"`
	GenderP  *float64 `json:"gender_p"`
	Hashtags []string `json:"hashtags"`
	Topics   []string `json:"topics"`
}

func run(t *testing.T, in string, args ...string) []line {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Run(context.Background(), args, strings.NewReader(in), &out, &errs); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var lines []line
	for _, text := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		var l line
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		lines = append(lines, l)
	}
	return lines
}

func TestOneLineForEach(t *testing.T) {
	in := strings.Join([]string{
		`{"id":"a","text":"não gostei nada desse programa, horrível #BBB","author_name":"Maria","author_location":"Recife, PE","lang":"pt"}`,
		`{"id":2,"text":"what a wonderful night, I love it","coordinates":[-0.1257,51.5085]}`,
		`{broken`,
		`{"text":"\ud83d\ude0d"}`,
		"{\"id\":\"e\",\"text\":\"caf\xff\xfe muito bom\"}",
	}, "\n")
	got := run(t, in)
	var ids, languages []string
	for _, l := range got {
		ids, languages = append(ids, l.ID), append(languages, l.Language)
	}
	if d := cmp.Diff([]string{"a", "2", "3", "4", "e"}, ids); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff([]string{"pt", "en", "und", "und", "pt"}, languages); d != "" {
		t.Error(d)
	}
	if got[0].Sentiment != "neg" || got[0].Place.City != "Recife" || got[0].Place.Evidence != "profile" || *got[0].GenderP < 0.98 {
		t.Errorf("have %+v", got[0])
	}
	if d := cmp.Diff([]string{"BBB"}, got[0].Hashtags); d != "" {
		t.Error(d)
	}
	if got[1].Sentiment != "pos" || got[1].Place.Country != "GB" || got[1].Place.Evidence != "gps" || got[1].GenderP != nil {
		t.Errorf("have %+v", got[1])
	}
	if got[2].Sentiment != "unknown" || got[2].Place != nil {
		t.Errorf("have %+v", got[2])
	}
}

// TestFaultsAreCounted on standard error: the output holds answers alone.
func TestFaultsAreCounted(t *testing.T) {
	var out, errs bytes.Buffer
	in := "{\"id\":\"a\"}\n{bad\n{worse\n"
	if code := Run(context.Background(), nil, strings.NewReader(in), &out, &errs); code != exitOK {
		t.Fatal(code)
	}
	if want := "2 lines: invalid JSON; the first is line 2"; !strings.Contains(errs.String(), want) {
		t.Errorf("have %q, want %q", errs.String(), want)
	}
}

func TestByteOrderMark(t *testing.T) {
	got := run(t, "\uFEFF{\"id\":\"a\",\"text\":\"x\"}\r\n{\"id\":\"b\"}")
	if len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Errorf("have %+v", got)
	}
}

func TestPlainLines(t *testing.T) {
	got := run(t, "\nque partidazo de la selección\n\n[1,2]\r\nI love this\n\n")
	want := []string{"und", "es", "und", "und", "en", "und"}
	var languages []string
	for i, l := range got {
		languages = append(languages, l.Language)
		if l.ID != fmt.Sprint(i+1) {
			t.Errorf("line %d has id %s", i+1, l.ID)
		}
	}
	if d := cmp.Diff(want, languages); d != "" {
		t.Error(d)
	}
}

func TestBlankLinesAmongObjects(t *testing.T) {
	got := run(t, "\n{\"id\":\"a\",\"text\":\"x\"}\n\n{\"id\":\"b\",\"text\":\"y\"}\n\n")
	if len(got) != 2 || got[0].ID != "a" || got[1].ID != "b" {
		t.Errorf("have %+v", got)
	}
}

func TestLanguagesRestrict(t *testing.T) {
	for _, l := range run(t, "hello my friend, how are you\nbonjour tout le monde", "--languages", "es,pt") {
		if l.Language != "es" && l.Language != "pt" && l.Language != "und" {
			t.Errorf("answered %s", l.Language)
		}
	}
	var errs bytes.Buffer
	if code := Run(context.Background(), []string{"--prior", "xx"}, strings.NewReader(""), io.Discard, &errs); code != exitUsage {
		t.Errorf("an unknown language exits %d", code)
	}
}

func TestHostileLines(t *testing.T) {
	big, _ := json.Marshal(map[string]string{"id": "big", "text": strings.Repeat("gol ", 25_000)})
	tags, _ := json.Marshal(map[string]string{"id": "tags", "text": strings.Repeat("#a #b #c ", 10_000)})
	tricks, _ := json.Marshal(map[string]string{"id": "rtl", "text": "\u202eabc\u200b\u202c 👨‍👩‍👧🏳️‍🌈 \u0000\u2028"})
	in := strings.Join([]string{string(big), string(tags), string(tricks), strings.Repeat("x", longest+5), `{"id":"last","text":"ok"}`}, "\n")
	got := run(t, in)
	if len(got) != 5 || got[4].ID != "last" || got[3].Language != "und" || len(got[1].Hashtags) != 3 {
		t.Errorf("have %d lines, the last %+v", len(got), got[len(got)-1])
	}
}

func TestCrowd(t *testing.T) {
	var in strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&in, `{"id":"%d","text":"oi","author_name":%q}`+"\n", i, []string{"Ana", "Maria", "Juliana", "Pedro"}[i%4])
	}
	var out bytes.Buffer
	if code := Run(context.Background(), []string{"--crowd", "--country", "BR"}, strings.NewReader(in.String()), &out, io.Discard); code != exitOK {
		t.Fatal(code)
	}
	var e struct {
		Authors int
		Gender  []struct {
			Label            string
			Share, Low, High float64
		}
		Ages []struct{ Label string }
	}
	if err := json.Unmarshal(out.Bytes(), &e); err != nil {
		t.Fatal(err)
	}
	if e.Authors != 2000 || len(e.Gender) != 2 || len(e.Ages) != 6 || e.Gender[0].Low > 0.75 || e.Gender[0].High < 0.75 {
		t.Errorf("have %s", out.String())
	}
}

func TestRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(path, []byte("# topics\ngoals: gol OR goal\nlang:pt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, "que gol incrível meu deus\nwhat a goal\nnothing at all", "--rules", path)
	for i, want := range [][]string{{"goals", "lang:pt"}, {"goals"}, {}} {
		if d := cmp.Diff(want, got[i].Topics); d != "" {
			t.Error(d)
		}
	}
}

func TestBench(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // one pass is enough
	var out bytes.Buffer
	if code := Run(ctx, []string{"--bench"}, strings.NewReader(""), &out, io.Discard); code != exitOK || !strings.Contains(out.String(), `"posts_per_second_core"`) {
		t.Errorf("exit %d: %s", code, out.String())
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if code := Run(ctx, nil, strings.NewReader("x\n"), io.Discard, io.Discard); code != exitFault {
		t.Errorf("a cancelled run exits %d", code)
	}
	if code := Run(context.Background(), nil, strings.NewReader("x\n"), broken{}, io.Discard); code != exitFault {
		t.Errorf("a closed output exits %d", code)
	}
	if code := Run(context.Background(), []string{"--help"}, strings.NewReader(""), io.Discard, io.Discard); code != exitOK {
		t.Errorf("help exits %d", code)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("closed") }

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\n{\"id\":1}\n{bad\n\xff"))
	e, err := (&settings{}).enricher()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		c := converter{e: e}
		if err := errors.Join(c.run(t.Context(), bytes.NewReader(in), w, io.Discard), w.Flush()); err != nil {
			t.Fatal(err)
		}
		for _, l := range bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n")) {
			if len(l) > 0 && !json.Valid(l) {
				t.Fatalf("not JSON: %s", l)
			}
		}
	})
}
