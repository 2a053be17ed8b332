package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
)

func TestReplayAgreesWithAnIndependentCount(t *testing.T) {
	for name, file := range map[string]func(testing.TB) string{"made up": madeUp, "opening day": enrichtest.WorldCupFile} {
		t.Run(name, func(t *testing.T) {
			file := file(t)
			var out, errs bytes.Buffer
			if code := Run(t.Context(), []string{"--option", "qatar=qatar,#qat", "--option", "ecuador=Ecuador,#ECU", file}, &out, &errs); code != 0 {
				t.Fatalf("%d: %s", code, errs.String())
			}
			want := count(t, file, map[string][]string{"qatar": {"qatar", "qat"}, "ecuador": {"ecuador", "ecu"}})
			for option, n := range want {
				line := fmt.Sprintf("%-16s %8d\n", option, n)
				if !strings.Contains(out.String(), line) {
					t.Errorf("want %q in\n%s", line, out.String())
				}
			}
			posts, worldCup := tagged(t, file)
			heard := []string{fmt.Sprintf("topic        %d posts", posts)}
			if worldCup > 0 {
				heard = append(heard, fmt.Sprintf("hashtag      WorldCup2022 %d", worldCup))
			}
			for _, said := range heard {
				if !strings.Contains(out.String(), said) {
					t.Errorf("want %q in\n%s", said, out.String())
				}
			}
		})
	}
}

// tagged is how many posts a file has, and how many of them have the hashtag of
// the World Cup.
func tagged(t *testing.T, file string) (posts, worldCup int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tag := regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}_&])#worldcup2022($|[^\p{L}\p{N}_])`)
	for line := range strings.Lines(string(b)) {
		var post struct{ Text string }
		if err := json.Unmarshal([]byte(line), &post); err != nil {
			t.Fatal(err)
		}
		posts++
		if tag.MatchString(post.Text) {
			worldCup++
		}
	}
	return posts, worldCup
}

// madeUp are posts around every rule of naming an option.
func madeUp(t testing.TB) string {
	t.Helper()
	texts := []string{
		"Qatar!", "qatár", "I like #QATAR", "@qatar you there?", "#qat", "qatari", "qatar ecuador", "ecuador", "ECUADOR's night",
		"vamos #ecu", "ecuatoriano", "nothing", "QAT-ECU", "#QatarWorldCup", "qatar qatar qatar", "e c u", "(ecuador)",
	}
	var b bytes.Buffer
	for i := range 400 {
		line, err := json.Marshal(map[string]string{
			"id": fmt.Sprint("post-", i), "created_at": "2022-11-20 16:07:41+00:00", "text": texts[i%len(texts)],
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	file := filepath.Join(t.TempDir(), "posts.ndjson")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

var wordAndSign = regexp.MustCompile(`@?[\p{L}\p{N}_]+`)

// count is the same question answered in another way: every word that is no
// mention, folded, looked up.
func count(t *testing.T, file string, options map[string][]string) map[string]int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fold := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)))
	votes := map[string]int{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var post struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &post); err != nil {
			t.Fatal(err)
		}
		text, _, err := transform.String(fold, post.Text)
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]bool{}
		for _, w := range wordAndSign.FindAllString(strings.ToLower(text), -1) {
			words[w] = true
		}
		var named []string
		for option, keywords := range options {
			if words[keywords[0]] || words[keywords[1]] {
				named = append(named, option)
			}
		}
		if len(named) == 1 {
			votes[named[0]]++
		}
	}
	return votes
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	for _, args := range [][]string{{}, {"nowhere.ndjson"}, {"--option", "x", "f"}} {
		var out, errs bytes.Buffer
		if code := Run(t.Context(), args, &out, &errs); code != 1 || errs.Len() == 0 {
			t.Errorf("%v: %d %s", args, code, errs.String())
		}
	}
}
