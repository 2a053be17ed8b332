package topic_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/unicode/norm"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/rule"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

func heard(c *topic.Catalog, u *topic.Understood) []string {
	var ids []string
	for _, n := range u.Subjects {
		ids = append(ids, c.Subject(n).Topic)
	}
	return ids
}

func TestHear(t *testing.T) {
	other := define("other-show", "gol", nil)
	other.Show = "z"
	c := compile(t, define("gol", "gol", nil), define("tag", "#copa", nil), other, define("none", "futebol lang:es", nil))
	l := topic.NewListener(c)
	for _, tt := range []struct {
		name   string
		change func(*clamorv1.Post)
		want   []string
	}{
		{"both", nil, []string{"gol", "tag"}},
		{"another show", func(p *clamorv1.Post) { p.Show = "z" }, []string{"other-show"}},
		{"no show", func(p *clamorv1.Post) { p.Show = "y" }, nil},
		{"a source for one topic", func(p *clamorv1.Post) { p.Topics = []string{"tag", "gone"} }, []string{"tag"}},
		{"nothing of it", func(p *clamorv1.Post) { p.Text = "bom dia" }, nil},
	} {
		p := say("1", "que goool #Copa")
		if tt.change != nil {
			tt.change(p)
		}
		if d := cmp.Diff(tt.want, heard(c, l.Hear(p))); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestFilters(t *testing.T) {
	const day = 24 * 3600 * 1000
	for _, tt := range []struct {
		name    string
		filters audience.TopicFilters
		change  func(*clamorv1.Post)
		keeps   bool
	}{
		{"none", audience.TopicFilters{}, nil, true},
		{"language", audience.TopicFilters{Languages: []string{"pt-BR"}}, nil, true},
		{"other language", audience.TopicFilters{Languages: []string{"es", "en"}}, nil, false},
		{"country", audience.TopicFilters{Countries: []string{"BR"}}, func(p *clamorv1.Post) { p.Author.Location = "Recife - PE" }, true},
		{"unknown country", audience.TopicFilters{Countries: []string{"BR"}}, nil, false},
		{"followers", audience.TopicFilters{MinFollowers: 10}, func(p *clamorv1.Post) { p.Author.Followers = 10 }, true},
		{"few followers", audience.TopicFilters{MinFollowers: 10}, func(p *clamorv1.Post) { p.Author.Followers = 9 }, false},
		{"no author", audience.TopicFilters{MinFollowers: 10}, func(p *clamorv1.Post) { p.Author = nil }, true},
		{"old account", audience.TopicFilters{MinAccountAgeDays: 2}, func(p *clamorv1.Post) { p.ReceivedAt, p.Author.CreatedAt = 5*day, 3*day }, true},
		{"young account", audience.TopicFilters{MinAccountAgeDays: 2}, func(p *clamorv1.Post) { p.ReceivedAt, p.Author.CreatedAt = 5*day, 3*day+1 }, false},
		{"account of unknown age", audience.TopicFilters{MinAccountAgeDays: 2}, nil, true},
		{"repost", audience.TopicFilters{Reposts: no()}, func(p *clamorv1.Post) { p.RepostOf = "7" }, false},
		{"reply", audience.TopicFilters{Replies: no()}, func(p *clamorv1.Post) { p.ReplyTo = "7" }, false},
		{"reply that may", audience.TopicFilters{Reposts: no()}, func(p *clamorv1.Post) { p.ReplyTo = "7" }, true},
		{"sensitive", audience.TopicFilters{Sensitive: no()}, func(p *clamorv1.Post) { p.Sensitive = true }, false},
		{"blocked word", audience.TopicFilters{BlockWords: []string{"CASSINO", "fora de jogo"}}, func(p *clamorv1.Post) { p.Text += " estava fora de jogo" }, false},
		{"blocked tag", audience.TopicFilters{BlockWords: []string{"#bet"}}, func(p *clamorv1.Post) { p.Text += " #Bet" }, false},
		{"part of a blocked word", audience.TopicFilters{BlockWords: []string{"inc"}}, nil, true},
		{"blocked author", audience.TopicFilters{BlockAuthors: []string{"@Handle1"}}, nil, false},
		{"mention of a blocked author", audience.TopicFilters{BlockAuthors: []string{"@ana"}}, func(p *clamorv1.Post) { p.Text += " @ana" }, true},
	} {
		l := topic.NewListener(compile(t, define("t", "gol", &tt.filters)))
		p := say("1", "não acredito nesse gol incrível da seleção")
		if tt.change != nil {
			tt.change(p)
		}
		if keeps := len(l.Hear(p).Subjects) == 1; keeps != tt.keeps {
			t.Errorf("%s: kept %v", tt.name, keeps)
		}
	}
}

func TestWhy(t *testing.T) {
	l := topic.NewListener(compile(t, define("t", "gol brasil", &audience.TopicFilters{Replies: no()})))
	p := say("1", "gol do Brasil")
	p.ReplyTo = "0"
	l.Hear(p)
	e, reason := l.Why(0)
	if !e.Holds || len(e.Tree.Parts) != 2 || reason != rule.IsReply {
		t.Errorf("have %+v, %q", e, reason)
	}
}

func TestCompileSkipsWhatIsBroken(t *testing.T) {
	bad := []topic.Definition{
		define("b1", "(", nil), define("b2", "", nil), define("b3", "globo.com", nil),
		define("b4", "gol", &audience.TopicFilters{BlockWords: []string{"?!"}}),
		define("b5", "gol", &audience.TopicFilters{BlockAuthors: []string{""}}),
	}
	c, err := topic.Compile(append(bad, define("a", "gol", nil), define("c", "copa", nil), define("c", "copa", nil)), nil)
	if err != nil || c.Len() != 2 || len(c.Faults()) != 6 {
		t.Fatalf("%d topics, faults %v, error %v", c.Len(), c.Faults(), err)
	}
	for i := range bad {
		if topic.Check(&bad[i].Topic) == nil {
			t.Errorf("%s is taken for sound", bad[i].ID)
		}
	}
	if d := cmp.Diff([]string{"c"}, heard(c, topic.NewListener(c).Hear(say("1", "a copa")))); d != "" {
		t.Error(d)
	}
	if n, ok := c.Number(topic.Subject{Topic: "c", Revision: 1}); !ok || n != 1 || c.Has(topic.Subject{Topic: "b1", Revision: 1}) {
		t.Error("the numbers are wrong")
	}
}

// TestCheckPointsAtWhatIsWrong: what people wrote is named, and where.
func TestCheckPointsAtWhatIsWrong(t *testing.T) {
	words := func(list ...string) *audience.TopicFilters { return &audience.TopicFilters{BlockWords: list} }
	for _, tt := range []struct {
		rule    string
		filters *audience.TopicFilters
		pointer string
		detail  string
	}{
		{"gol", words("a", "#b"), "", ""},
		{"lang:pt-BR lang:pt_BR country:br lang:und", nil, "", ""},
		{"gol (", nil, "/rule", "at 6: a term is missing before the end"},
		{"gol http://a.test", nil, "/rule", `at 5: "http://a.test" has no word to look for`},
		{"é lang:xx", nil, "/rule", `at 3: "xx" is not a language like pt`},
		{"NOT country:brasil", nil, "/rule", `at 5: "brasil" is not a country like BR`},
		{"gol", words("a", "http://a.test"), "/filters/block_words/1", `"http://a.test" has no word to look for`},
		{"gol", &audience.TopicFilters{BlockAuthors: []string{"a", "?"}}, "/filters/block_authors/1", `"?" has no word to look for`},
	} {
		d := define("a", tt.rule, tt.filters)
		err := topic.Check(&d.Topic)
		var flaw *topic.Flaw
		switch {
		case tt.pointer == "":
			if err != nil {
				t.Errorf("%s: %v", tt.rule, err)
			}
		case !errors.As(err, &flaw) || flaw.Pointer != tt.pointer || flaw.Err.Error() != tt.detail:
			t.Errorf("%s: have %v, want %s: %s", tt.rule, err, tt.pointer, tt.detail)
		}
	}
}

func TestFingerprint(t *testing.T) {
	base := define("a", "gol", nil)
	named := func(change func(*topic.Definition)) string {
		d := base
		change(&d)
		return compile(t, d).Fingerprint(0)
	}
	same := named(func(*topic.Definition) {})
	if same != named(func(d *topic.Definition) { d.Title, d.Revision = "other", 9 }) {
		t.Error("a title changes what is counted")
	}
	for i, change := range []func(*topic.Definition){
		func(d *topic.Definition) { d.Rule = "goool" }, func(d *topic.Definition) { d.Crowd = true },
		func(d *topic.Definition) { d.Languages = nil }, func(d *topic.Definition) { d.Filters = &audience.TopicFilters{MinFollowers: 1} },
	} {
		if named(change) == same {
			t.Errorf("change %d counts the same", i)
		}
	}
}

func TestSubject(t *testing.T) {
	for _, s := range []topic.Subject{{Topic: "a", Revision: 1}, {Topic: "a@b", Revision: 1<<64 - 1}} {
		if back, err := topic.ParseSubject(s.String()); err != nil || back != s {
			t.Errorf("%v: %v, %v", s, back, err)
		}
	}
	for _, bad := range []string{"", "a", "@1", "a@", "a@x", "a@-1"} {
		if _, err := topic.ParseSubject(bad); err == nil {
			t.Errorf("%q is a subject", bad)
		}
	}
}

func count(t *testing.T, posts ...*clamorv1.Post) *topic.Minute {
	t.Helper()
	out, sum := topic.NewOpen(), topic.NewSum()
	l, p := topic.NewListener(compile(t, define("all", "NOT zzz", nil))), topic.NewPartition()
	for _, x := range posts {
		p.Post(l.Hear(x), out)
	}
	for _, m := range out.All() {
		sum.Add(m)
	}
	return sum
}

func keys(m *topic.Minute, d topic.Dimension) []string {
	parts, _ := m.By(d, 1000)
	var list []string
	for _, p := range parts {
		list = append(list, p.Key)
	}
	slices.Sort(list)
	return list
}

func TestBadInput(t *testing.T) {
	var tags strings.Builder
	for i := range 10_000 {
		tags.WriteString(" #tag" + strconv.Itoa(i))
	}
	for name, text := range map[string]string{
		"invalid UTF-8": "gol \xff\xfe #co\xffpa", "100 kB": strings.Repeat("palavra ", 12_500), "one long word": strings.Repeat("ab", 50_000),
		"10,000 hashtags": tags.String(), "nothing": "", "emoji": strings.Repeat("👩‍👩‍👧‍👦🇧🇷", 2000), "marks": strings.Repeat("\u200b\u202e", 10_000),
		"links": strings.Repeat("https://a.example/x?y=1 ", 4000), "NUL": "a\x00b #c\x00d",
	} {
		p := say("1", text)
		p.Author.Name, p.Author.Location, p.Platform, p.Language = text, text, text, text
		p.Author.Handle = text[:min(len(text), 1000)]
		p.Links = []string{"https://ok.example/", text, "", "https://\xff.example", "ftp"}
		m := count(t, p)
		if m.Posts != 1 || m.Platforms[topic.OtherPlatform] != 1 {
			t.Errorf("%s: have %d posts, platforms %v", name, m.Posts, m.Platforms)
		}
		if n := m.Hashtags.Len(); n > 32 {
			t.Errorf("%s: %d hashtags of one post", name, n)
		}
		if n := m.Words.Len(); n > 64 {
			t.Errorf("%s: %d words of one post", name, n)
		}
		for _, d := range topic.Dimensions() {
			for _, key := range keys(m, d) {
				if !utf8.ValidString(key) || len(key) > 256 || strings.ContainsAny(key, "\x00\u202e\u200b") {
					t.Errorf("%s: %s is %q", name, d, key)
				}
			}
		}
		if size := len(topic.Encode(m)); size > 32<<10 {
			t.Errorf("%s: one post makes a minute of %d bytes", name, size)
		}
	}
}

func TestMarksWithoutWidthDoNotCount(t *testing.T) {
	m := count(t, say("1", "#Bra\u200bsil bom"), say("2", "#brasil\u200f"), say("3", "\u202e#BRASIL"), say("4", "#\u2066brásil"))
	parts, _ := m.By(topic.ByHashtag, 10)
	if len(parts) != 1 || parts[0].N != 4 || strings.ContainsFunc(parts[0].Key, func(r rune) bool { return r > 0x1FFF }) {
		t.Errorf("have %+v", parts)
	}
}

// The minute is capture's, whatever the platform says.
func TestTimes(t *testing.T) {
	c := compile(t, define("all", "NOT zzz", nil))
	l, p, out := topic.NewListener(c), topic.NewPartition(), topic.NewOpen()
	for i, at := range []int64{0, -5, 59_999, 60_000, 1 << 52} {
		x := say(strconv.Itoa(i), "gol")
		x.ReceivedAt, x.CreatedAt = at, 1<<60
		p.Post(l.Hear(x), out)
	}
	m := out.View()[c.Subject(0)]
	if d := cmp.Diff([]int64{0, 1, 1 << 52 / 60_000}, m.Sorted()); d != "" || m[0].Posts != 3 {
		t.Errorf("%d posts; %s", m[0].Posts, d)
	}
}

func TestLinksOfOnePage(t *testing.T) {
	p := say("1", "see https://t.co/abc")
	p.Links = []string{"https://www.Globo.com/Gol/?a=1#top", "http://globo.com/Gol/?a=1", "https://globo.com/gol/?a=1"}
	if d := cmp.Diff([]string{"Globo.com/Gol/?a=1", "globo.com/gol/?a=1"}, keys(count(t, p), topic.ByLink)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"t.co/abc"}, keys(count(t, say("1", "see https://t.co/abc, now")), topic.ByLink)); d != "" {
		t.Error(d)
	}
}

func TestWordsThatCount(t *testing.T) {
	m := count(t, say("1", "não acredito que o Brasil ganhou o jogo, Brasil! #copa @ana 10 https://x.example/y"))
	if d := cmp.Diff([]string{"acredito", "brasil", "ganhou", "jogo"}, keys(m, topic.ByWord)); d != "" {
		t.Error(d)
	}
	parts, _ := m.By(topic.ByWord, 9)
	for _, p := range parts {
		if p.N != 1 {
			t.Errorf("%s counts %d times in one post", p.Key, p.N)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	crowd := define("crowd", "worldcup OR qatar OR the", nil)
	crowd.Crowd = true
	c := compile(t, define("all", "NOT zzz", nil), crowd)
	l, p, out := topic.NewListener(c), topic.NewCounter(), topic.NewOpen()
	lines := [][]byte{
		[]byte(`{"text":"The #WorldCup in Qatar, what a goal! https://t.co/x @fifa 😂","author_name":"Ana","author_location":"Recife - PE","lang":"en"}`),
		[]byte(`{"text":"que partidazo del ecuador, qué golazo señores #Qatar2022 vamos","author_name":"José","author_location":"Quito"}`),
	}
	in := newTape(lines)
	run := func() {
		x := in.next(t)
		x.ReceivedAt = 60_000
		p.Post(l.HearPost(x), out)
	}
	for range 20_000 { // memories grow by doubling
		run()
	}
	if n := testing.AllocsPerRun(2000, run); n > 0 {
		t.Errorf("%v allocations a post", n)
	}
	wire := say("1", "que gol do Brasil #copa https://t.co/x")
	again := func() { l.Hear(wire) }
	again()
	if n := testing.AllocsPerRun(200, again); n > 0 {
		t.Errorf("%v allocations a record", n)
	}
}

// The real posts, counted plainly.
func TestRealPostsAgainstAPlainCount(t *testing.T) {
	lines := enrichtest.WorldCup(t)
	c := compile(t, define("all", "NOT zzz", nil))
	l, p, out := topic.NewListener(c), topic.NewPartition(), topic.NewOpen()
	in := newTape(lines)
	tags, languages := map[string]int64{}, topic.Counts{}
	for range lines {
		u := l.HearPost(in.next(t))
		p.Post(u, out)
		languages[u.Result.Language]++
		for tag := range plainTags(string(u.Post.Text)) {
			tags[tag]++
		}
	}
	sum := topic.NewSum()
	for _, m := range out.All() {
		sum.Add(m)
	}
	if sum.Posts != int64(len(lines)) || !cmp.Equal(sum.Languages, languages) {
		t.Fatalf("%d posts, languages %s", sum.Posts, cmp.Diff(languages, sum.Languages))
	}
	parts, _ := sum.By(topic.ByHashtag, 30)
	for _, part := range parts {
		want := int64(0)
		for tag := range plainTags("#" + part.Key) {
			want = tags[tag]
		}
		if part.N > want || part.N+part.Error < want {
			t.Errorf("#%s: %d is not in [%d, %d]", part.Key, want, part.N, part.N+part.Error)
		}
	}
	if parts[0].Error > parts[0].N/50 {
		t.Errorf("#%s: %d with an error of %d", parts[0].Key, parts[0].N, parts[0].Error)
	}
	if totals := p.Totals(); totals.Repeated != 0 || totals.Near == 0 || totals.Near > 500 {
		t.Errorf("have %+v", totals)
	}
}

// plainTags are the distinct hashtags of a text without case, accents and lines.
func plainTags(text string) map[string]bool {
	found := map[string]bool{}
	runes := []rune(norm.NFKD.String(strings.ToLower(text)))
	for i := 0; i < len(runes); i++ {
		if runes[i] != '#' || i > 0 && (unicode.IsDigit(runes[i-1]) || runes[i-1] == '&') {
			continue
		}
		var tag []rune
		for _, r := range runes[i+1:] {
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && r != '_' {
				break
			}
			if r != '_' && !unicode.IsMark(r) {
				tag = append(tag, r)
			}
		}
		found[string(tag)] = true
	}
	return found
}
