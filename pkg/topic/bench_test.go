package topic_test

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/topic"
)

// BenchmarkHearAndCount goes from bytes of JSON to counted minutes: three topics,
// of which one listens to every post.
func BenchmarkHearAndCount(b *testing.B) {
	c := compile(b, define("all", "worldcup OR worldcup2022 OR #worldcup2022 OR #worldcup OR the OR qatar OR ecuador", nil),
		define("qatar", "qatar OR #qatar", nil), define("ecuador", "ecuador OR #ecuador", nil))
	listener, p, out := topic.NewListener(c), topic.NewPartition(), topic.NewOpen()
	in := newTape(enrichtest.WorldCup(b))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Post(listener.HearPost(in.next(b)), out)
		if i%50_000 == 49_999 { // as a worker does
			p.TakeJournal()
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkHear is the same without counting: what is left for it.
func BenchmarkHear(b *testing.B) {
	c := compile(b, define("all", "worldcup OR #worldcup2022 OR the", nil))
	listener, in := topic.NewListener(c), newTape(enrichtest.WorldCup(b))
	b.ReportAllocs()
	for b.Loop() {
		listener.HearPost(in.next(b))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

func benchmarkRules(b *testing.B, n int) {
	listener, in := topic.NewListener(compile(b, many(enrichtest.WorldCup(b), n)...)), newTape(enrichtest.WorldCup(b))
	for b.Loop() {
		listener.HearPost(in.next(b))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/post")
}

// The difference of these two is what a thousand rules cost a post, and counting
// out what the posts say that only some of the thousand listen to.
func BenchmarkRules1(b *testing.B)    { benchmarkRules(b, 1) }
func BenchmarkRules1000(b *testing.B) { benchmarkRules(b, 1000) }

// BenchmarkCompile1000 is what a change of one topic among a thousand costs.
func BenchmarkCompile1000(b *testing.B) {
	topics := many(enrichtest.WorldCup(b), 1000)
	for b.Loop() {
		compile(b, topics...)
	}
}

func BenchmarkTrends(b *testing.B) {
	c := compile(b, define("all", "NOT zzz", nil))
	listener, p, out, in := topic.NewListener(c), topic.NewCounter(), topic.NewOpen(), newTape(enrichtest.WorldCup(b))
	for range 40_000 {
		x := in.next(b)
		x.ReceivedAt = 60_000 * (x.ReceivedAt / 60_000 % 2 * 45)
		p.Post(listener.HearPost(x), out)
	}
	minutes := out.View()[c.Subject(0)]
	b.ReportAllocs()
	for b.Loop() {
		minutes.Trends(topic.Window{From: 40, To: 70}, 50, []string{"en"})
	}
}
