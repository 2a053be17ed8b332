package realtime

import (
	"fmt"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich"
	"github.com/clamor-live/clamor/pkg/enrich/enrichtest"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed/speedtest"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"google.golang.org/protobuf/proto"
)

// realPosts are the handed-out posts; what needs them is skipped where they are
// absent.
func realPosts(tb testing.TB) []*clamorv1.Post {
	tb.Helper()
	var posts []*clamorv1.Post
	var d enrich.Decoder
	for _, line := range enrichtest.WorldCup(tb) {
		var p enrich.Post
		if _, err := d.Decode(line, &p); err != nil {
			tb.Fatal(err)
		}
		posts = append(posts, &clamorv1.Post{
			Platform: "x", Show: "gala", Source: "main", Text: string(p.Text), Language: string(p.Language),
			Author: &clamorv1.Author{Name: string(p.AuthorName), Location: string(p.Place.Profile)},
		})
	}
	return posts
}

// manyPosts is a log of n posts, a thousand of them a second, each once.
func manyPosts(tb testing.TB, n int) *memoryLog {
	tb.Helper()
	of := realPosts(tb)
	log := newMemoryLog()
	log.chunk = eventlog.MaxEntries
	for i := range n {
		p := of[i%len(of)]
		p.Id, p.ReceivedAt = fmt.Sprint("wc22-", i), 1_764_000_000_000+int64(i)
		p.Author.Id = fmt.Sprint("fan", i*7919%100_000)
		value, err := proto.Marshal(&clamorv1.Record{Body: &clamorv1.Record_Post{Post: p}})
		if err != nil {
			tb.Fatal(err)
		}
		log.values = append(log.values, value)
	}
	return log
}

// listeners are topics as a show of football would have them.
func listeners() *desk {
	d := newDesk()
	d.topic("everything", "lang:en OR lang:pt OR lang:es OR lang:und OR lang:fr OR lang:ar", nil)
	for i, rule := range []string{
		"goal OR gol", "Qatar OR Catar", "Ecuador", "referee OR VAR", "FIFA", "opening OR ceremony", "#WorldCup2022 OR #FIFAWorldCup", "Brasil OR Brazil", "beer",
	} {
		d.topic(fmt.Sprint("t", i), rule, &audience.TopicFilters{MinFollowers: 0})
	}
	return d
}

// BenchmarkPostsIntoRedis folds a partition of posts into Redis by one worker, as
// standalone does: posts/s from undecoded records to the speed view. bare is what
// the machine can at most, understanding the same posts one after the other on
// one core and doing nothing with them.
func BenchmarkPostsIntoRedis(b *testing.B) {
	const posts = 100_000
	log := manyPosts(b, posts)
	b.Run("bare", func(b *testing.B) { bareHearing(b, log) })
	for _, ears := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("ears=%d", ears), func(b *testing.B) { foldPosts(b, log, ears) })
	}
}

func bareHearing(b *testing.B, log *memoryLog) {
	catalog, err := topic.Compile(definitions(listeners().State()), nil)
	if err != nil {
		b.Fatal(err)
	}
	l := topic.NewListener(catalog)
	var d eventlog.Decoder
	posts, began := 0, time.Now()
	for b.Loop() {
		for _, value := range log.values {
			body, err := d.Decode(value)
			if err != nil {
				b.Fatal(err)
			}
			l.Hear(body.Post)
			posts++
		}
	}
	b.ReportMetric(float64(posts)/time.Since(began).Seconds(), "posts/s")
	b.ReportMetric(0, "ns/op")
}

func foldPosts(b *testing.B, log *memoryLog, ears int) {
	cfg := DefaultConfig()
	cfg.Posts.Ears = ears
	s := newService(b, cfg, Deps{
		Log: log, Store: speedtest.Open(b, redisAddress(b)), Topics: listeners(), PostOrigin: &fixedOrigin{},
	})
	foldOver(b, log, len(log.values), "posts/s", func(partition int32) *worker { return newPostsWorker(s, partition) })
}

func unmarshal(tb testing.TB, raw []byte, m proto.Message) {
	tb.Helper()
	if err := proto.Unmarshal(raw, m); err != nil {
		tb.Fatal(err)
	}
}
