package batch

import (
	"context"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/clamor-live/clamor/pkg/views"
	"github.com/clamor-live/clamor/services/batch/listen"
)

// benchPosts are the real posts told again under other ids, by a hundred thousand
// authors over twenty minutes.
const benchPosts = 100_000

func benchPostArchive(b *testing.B) *archive.Archive {
	b.Helper()
	a, err := archive.Open(context.Background(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close() })
	w, err := a.Create(context.Background(), archive.Segment{Topic: archive.Posts}, 0)
	if err != nil {
		b.Fatal(err)
	}
	posts := realPosts(b)
	for i := range benchPosts {
		p := proto.CloneOf(posts[i%len(posts)])
		p.Id, p.Author.Id = fmt.Sprint(1594000000000000000+int64(i)*7919), fmt.Sprint(i*7919%100_000)
		p.ReceivedAt = 1668960000000 + int64(i)*12
		if err := w.Post(int64(i), p); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Cut(benchPosts, audience.Cut{Number: 1}); err != nil {
		b.Fatal(err)
	}
	if _, err := w.Commit(benchPosts + 1); err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkHearAgain is one core's: posts from Parquet through enrichment, rules
// and fold into the minutes of a generation, written as pieces.
func BenchmarkHearAgain(b *testing.B) {
	a := benchPostArchive(b)
	var defined []topic.Definition
	for id, rule := range map[string]string{
		"cup": "worldcup OR #worldcup OR #worldcup2022 OR #fifaworldcup OR the", "qatar": "qatar OR #qatar", "ecuador": "ecuador OR #ecuador",
	} {
		defined = append(defined, topic.Definition{
			Topic: audience.Topic{ID: id, Show: "gala", Title: id, Rule: rule}, Revision: 1, Languages: []string{"en", "es", "pt"},
		})
	}
	t, err := compile(defined)
	if err != nil {
		b.Fatal(err)
	}
	store, err := views.Open(context.Background(), "file:"+b.TempDir()+"/views.db")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	b.ReportAllocs()
	b.ResetTimer()
	began := processorTime(b)
	for n := uint64(1); b.Loop(); n++ {
		part := listen.NewPartition(0, 0, t.Catalog)
		if _, err := part.Epoch(context.Background(), a, t.Catalog, nil); err != nil {
			b.Fatal(err)
		}
		if part.Posts() != benchPosts {
			b.Fatal(part.Posts())
		}
		ledger := listen.NewLedger(store, n)
		for i := range t.Len() {
			ledger.Open(t.Subject(i))
		}
		if err := ledger.Epoch(context.Background(), []*listen.Partition{part}, func(topic.Subject) bool { return true }); err != nil {
			b.Fatal(err)
		}
		if _, err := ledger.Write(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchPosts*float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	b.ReportMetric(benchPosts*float64(b.N)/(processorTime(b)-began).Seconds(), "posts/core-s")
}
