package topic_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// record is one of the three things that a partition of posts holds.
type record struct {
	post   *clamorv1.Post
	reject bool // with post and word: a moderator's
	word   bool
	cut    uint64
}

func lawCatalog(t testing.TB) *topic.Catalog {
	crowd := define("crowd", "gol OR lang:es", nil)
	crowd.Crowd = true
	return compile(t, define("all", "NOT zzz", nil), crowd,
		define("fresh", "NOT zzz", &audience.TopicFilters{Duplicates: no(), Reposts: no()}))
}

// texts the laws draw from: several languages, near-duplicates, too much of all.
var texts = []string{
	"que gol incrível do Brasil #Copa #copa #BRASIL https://www.globo.com/a?b=1#c",
	"no me gusta nada este árbitro, qué vergüenza @fifa",
	"what a goal, best match ever 😂😂 t.co/xyz",
	"o participante saiu da casa ontem à noite depois de perder a prova do líder e chorou muito ao lado de todos",
	"o participante saiu da casa ontem à noite depois de perder a prova do líder e chorou muito ao lado de todos!!!",
	"", "#a #b #c #d", "日本 勝った", "ok",
}

func drawPost(t *rapid.T) *clamorv1.Post {
	p := say(fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "id")), rapid.SampledFrom(texts).Draw(t, "text"))
	p.Platform = rapid.SampledFrom([]string{"x", "mastodon", "sms!"}).Draw(t, "platform")
	p.ReceivedAt = rapid.Int64Range(0, 4).Draw(t, "minute") * 60_000
	p.SampleRate = rapid.SampledFrom([]float64{0, 1, 0.5, 0.1, 1e-9, -1}).Draw(t, "rate")
	p.Author.Id = fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "author"))
	p.Author.Location = rapid.SampledFrom([]string{"", "Recife - PE", "Madrid", "Brasil"}).Draw(t, "location")
	if rapid.Bool().Draw(t, "repost") {
		p.RepostOf = "1"
	}
	if rapid.IntRange(0, 5).Draw(t, "held") == 0 {
		p.Decision = topic.HeldBy
	}
	return p
}

// drawLog gives posts, moderators' words on posts that came before or not, and
// cuts that count up, now and then repeated. A post that comes again says the
// same: what a moderator's record carries is the post as it was counted.
func drawLog(t *rapid.T) []record {
	var log []record
	first := map[string]*clamorv1.Post{}
	cut := uint64(0)
	for range rapid.IntRange(0, 40).Draw(t, "records") {
		p := drawPost(t)
		if known := first[p.Platform+p.Id]; known != nil {
			p = known
		} else {
			first[p.Platform+p.Id] = p
		}
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			cut += rapid.Uint64Range(0, 2).Draw(t, "step")
			log = append(log, record{cut: cut})
		case 1, 2:
			log = append(log, record{post: p, word: true, reject: rapid.Bool().Draw(t, "reject")})
		default:
			log = append(log, record{post: p})
		}
	}
	return log
}

func foldOne(p *topic.Partition, l *topic.Listener, r record, out *topic.Open) {
	switch {
	case r.word:
		p.Moderate(l.Hear(r.post), r.reject, out)
	case r.post != nil:
		p.Post(l.Hear(r.post), out)
	default:
		p.Cut(audience.Cut{Number: r.cut})
	}
}

func foldAll(l *topic.Listener, log []record) topic.View {
	p, out := topic.NewCounter(), topic.NewOpen()
	for _, r := range log {
		foldOne(p, l, r, out)
	}
	return out.View()
}

func same(t *rapid.T, what string, got, want topic.View) {
	t.Helper()
	if !got.Equal(want) {
		t.Fatalf("%s: %s", what, diff(got, want))
	}
}

func diff(got, want topic.View) string {
	for s, m := range want {
		for minute, x := range m {
			if !x.Equal(got[s][minute]) {
				return fmt.Sprintf("%s minute %d:\n%s", s, minute, cmp.Diff(shown(x), shown(got[s][minute])))
			}
		}
	}
	return "there is more than wanted"
}

// shown are the exact fields.
func shown(m *topic.Minute) map[string]any {
	if m == nil {
		return nil
	}
	return map[string]any{
		"posts": m.Posts, "reposts": m.Reposts, "rejected": m.Rejected, "estimate": m.Estimate, "languages": m.Languages,
		"countries": m.Countries, "regions": m.Regions, "platforms": m.Platforms, "sentiment": m.Sentiment, "crowd": m.Crowd.Len(),
	}
}

// However the log is cut, the epochs sum to the fold of the whole; and as long as
// no key was dropped, so do the tops.
func TestCutsNeverChangeTheSum(t *testing.T) {
	c := lawCatalog(t)
	l := topic.NewListener(c)
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		p, out, merged := topic.NewPartition(), topic.NewOpen(), topic.View{}
		for _, r := range log {
			if r.post == nil && r.cut > p.Epoch() {
				merged.Add(out.View())
				out.Reset()
			}
			foldOne(p, l, r, out)
		}
		merged.Add(out.View())
		whole := foldAll(l, log)
		same(t, "cut", merged, whole)
		for s, m := range whole {
			for minute, x := range m {
				sameTops(t, merged[s][minute], x)
			}
		}
	})
}

func sameTops(t *rapid.T, got, want *topic.Minute) {
	t.Helper()
	for name, pair := range map[string][2]*topic.Top{
		"hashtags": {&got.Hashtags, &want.Hashtags}, "words": {&got.Words, &want.Words},
		"links": {&got.Links, &want.Links}, "authors": {&got.Authors, &want.Authors},
	} {
		counts := func(top *topic.Top) map[uint64]int64 {
			out := map[uint64]int64{}
			for _, c := range top.Most(1000) {
				if out[c.Key] = c.N; c.Error != 0 {
					t.Fatalf("%s: error %d where nothing was dropped", name, c.Error)
				}
			}
			return out
		}
		if d := cmp.Diff(counts(pair[1]), counts(pair[0])); d != "" {
			t.Fatalf("%s: %s", name, d)
		}
	}
	if got.Distinct.Distinct() != want.Distinct.Distinct() {
		t.Fatalf("authors: %d, want %d", got.Distinct.Distinct(), want.Distinct.Distinct())
	}
}

// Sharing posts out over partitions by their ids changes nothing but what needs
// the neighbourhood: near-duplicates.
func TestPartitionsSumToOne(t *testing.T) {
	l := topic.NewListener(compile(t, define("all", "NOT zzz", nil)))
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		parts := make([][]record, 3)
		for _, r := range log {
			if r.post != nil {
				at := (len(r.post.Id) + int(r.post.Id[0]) + len(r.post.Platform)) % len(parts)
				parts[at] = append(parts[at], r)
			}
		}
		merged := topic.View{}
		for _, part := range parts {
			merged.Add(foldAll(l, part))
		}
		same(t, "partitions", merged, foldAll(l, log))
	})
}

// A worker that dies anywhere and starts again from what it wrote counts on as if
// nothing had been, to the byte.
func TestRestoredStateCountsOn(t *testing.T) {
	l := topic.NewListener(lawCatalog(t))
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		alive, out := topic.NewPartition(), topic.NewOpen()
		straight, all := topic.NewPartition(), topic.NewOpen()
		var journals [][]byte
		written := map[topic.MinuteKey][]byte{}
		for _, r := range log {
			foldOne(alive, l, r, out)
			foldOne(straight, l, r, all)
			if rapid.IntRange(0, 3).Draw(t, "write") > 0 {
				continue
			}
			if rapid.IntRange(0, 4).Draw(t, "rewrite") == 0 {
				alive.TakeJournal()
				journals = [][]byte{alive.Snapshot()}
			} else if j := alive.TakeJournal(); j != nil {
				journals = append(journals, j)
			}
			for key, blob := range out.Take() {
				written[key] = blob
			}
			out.Cool(rapid.Int64Range(0, 4).Draw(t, "cool"))
			if rapid.IntRange(0, 2).Draw(t, "crash") == 0 {
				alive, out = restart(t, journals, written)
			}
		}
		if !bytes.Equal(alive.Snapshot(), straight.Snapshot()) {
			t.Fatal("the state is another")
		}
		if alive.Totals() != straight.Totals() {
			t.Fatalf("totals %+v, want %+v", alive.Totals(), straight.Totals())
		}
		want := map[topic.MinuteKey][]byte{}
		for key, m := range all.All() {
			want[key] = topic.Encode(m)
		}
		for key, m := range out.All() {
			if !bytes.Equal(want[key], topic.Encode(m)) {
				t.Fatalf("%v is another", key)
			}
			delete(want, key)
		}
		if len(want) > 0 {
			t.Fatalf("%d minutes are lost", len(want))
		}
	})
}

func restart(t *rapid.T, journals [][]byte, written map[topic.MinuteKey][]byte) (*topic.Partition, *topic.Open) {
	p, out := topic.NewPartition(), topic.NewOpen()
	for _, blob := range journals {
		if err := p.Restore(blob); err != nil {
			t.Fatal(err)
		}
	}
	for key, blob := range written {
		if err := out.Load(key, blob); err != nil {
			t.Fatal(err)
		}
	}
	return p, out
}

// Redelivery: a log in which records come again, anywhere later, counts the same.
// Moderators' words come again at once, as a retry does: the last word counts.
func TestRedeliveryCountsOnce(t *testing.T) {
	l := topic.NewListener(lawCatalog(t))
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		var again []record
		var seen []record
		for _, r := range log {
			again = append(again, r)
			switch {
			case r.word:
				again = append(again, r)
			case r.post != nil:
				seen = append(seen, r)
			}
			if len(seen) > 0 && rapid.Bool().Draw(t, "again") {
				again = append(again, rapid.SampledFrom(seen).Draw(t, "which"))
			}
		}
		same(t, "redelivered", foldAll(l, again), foldAll(l, log))
	})
}

// Taking out and putting back is as if nothing had happened, authors aside; and
// what stays out is as if it had never come, but for Rejected.
func TestModerationLeavesNoTrace(t *testing.T) {
	l := topic.NewListener(compile(t, define("all", "NOT zzz", nil)))
	rapid.Check(t, func(t *rapid.T) {
		var moderated, without []record
		for i := range rapid.IntRange(0, 10).Draw(t, "posts") {
			p := drawPost(t)
			p.Id, p.Decision = fmt.Sprint(i), ""
			moderated = append(moderated, record{post: p})
			switch rapid.IntRange(0, 3).Draw(t, "fate") {
			case 0:
				moderated = append(moderated, record{post: p, word: true, reject: true})
				continue
			case 1:
				moderated = append(moderated, record{post: p, word: true, reject: true}, record{post: p, word: true})
			}
			without = append(without, record{post: p})
		}
		got, want := foldAll(l, moderated), foldAll(l, without)
		for _, m := range got {
			for _, x := range m {
				x.Rejected = 0
			}
		}
		same(t, "moderated", got, want)
		for s, m := range want {
			for minute, x := range m {
				for _, c := range x.Hashtags.Most(100) {
					if now := got[s][minute].Hashtags.Get(c.Key); now != c {
						t.Fatalf("hashtag %+v, want %+v", now, c)
					}
				}
			}
		}
	})
}

// Counting on from a snapshot is counting from the beginning.
func TestIncrementalIsFull(t *testing.T) {
	l := topic.NewListener(lawCatalog(t))
	rapid.Check(t, func(t *rapid.T) {
		log := drawLog(t)
		at := rapid.IntRange(0, len(log)).Draw(t, "at")
		p, before := topic.NewCounter(), topic.NewOpen()
		for _, r := range log[:at] {
			foldOne(p, l, r, before)
		}
		next, after := topic.NewCounter(), topic.NewOpen()
		if err := next.Restore(p.Snapshot()); err != nil {
			t.Fatal(err)
		}
		for _, r := range log[at:] {
			foldOne(next, l, r, after)
		}
		sum := before.View()
		sum.Add(after.View())
		same(t, "incremental", sum, foldAll(l, log))
	})
}
