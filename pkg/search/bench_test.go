package search

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// benchDocs is how many posts one round of a benchmark indexes.
const benchDocs = 10_000

// benchPosts are of a usual length, each of other words.
func benchPosts() []Doc {
	words := strings.Fields(`gol do Equador contra o Catar na abertura da copa que jogo lindo pênalti o goleiro falhou
		que golazo de Enner Valencia vamos carajo el árbitro no vio nada what a goal by Valencia the keeper had no chance
		hoje amanhã torcida estádio camisa chuteira juiz impedimento cartão amarelo vermelho escanteio falta trave`)
	docs := make([]Doc, benchDocs)
	for i := range docs {
		var text strings.Builder
		for w := range 18 {
			text.WriteString(words[(i*7+w*w*3+i*w)%len(words)] + " ")
		}
		fmt.Fprintf(&text, "#tag%d @user%d https://t.example/%d", i%500, i%3000, i)
		docs[i] = Doc{
			ID: fmt.Sprintf("x:%d", i), Platform: "x", Show: "final", Topics: []string{"qatar", "ecuador"}[:1+i%2], Text: text.String(),
			Language: []string{"pt", "es", "en"}[i%3], Sentiment: []string{"pos", "neu", "neg"}[i%3], Country: "BR", Region: "BR.21",
			AuthorID: fmt.Sprint(i % 3000), AuthorName: "Ana", AuthorHandle: "ana", Followers: uint64(i), CreatedAt: 1669032000000,
			ReceivedAt: 1669032000000 + audience.Millis(i), Hashtags: []string{"tag"}, Generation: 1, Raw: bytes.Repeat([]byte{byte(i)}, 300),
		}
	}
	return docs
}

// rate runs index over and over, and reports docs/s.
func rate(b *testing.B, index func(n int)) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		index(n)
		n++
	}
	b.ReportMetric(float64(n)*benchDocs/b.Elapsed().Seconds(), "docs/s")
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkBleve compares Put with Bleve alone: the same documents, made before,
// in batches of the same size.
func BenchmarkBleve(b *testing.B) {
	docs := benchPosts()
	b.Run("put", func(b *testing.B) {
		dir := b.TempDir()
		s, err := Open(b.Context(), "file:"+dir)
		check(b, err)
		defer s.Close()
		rate(b, func(n int) {
			build := fmt.Sprint("b", n)
			check(b, s.Begin(b.Context(), build))
			check(b, s.Put(b.Context(), build, docs))
		})
		b.ReportMetric(float64(folderSize(b, filepath.Join(dir, "v1-b0")))/benchDocs, "bytes/doc")
	})
	b.Run("raw", func(b *testing.B) {
		entries := prepare(docs, &RefusedError{})
		data := make([]map[string]any, len(entries))
		for i := range entries {
			data[i] = entries[i].bleve()
		}
		dir := b.TempDir()
		rate(b, func(n int) {
			sh, err := makeShelf(filepath.Join(dir, fmt.Sprint("b", n)))
			check(b, err)
			for from := 0; from < len(data); from += bleveBatch {
				batch := sh.index.NewBatch()
				for i := from; i < from+bleveBatch; i++ {
					check(b, batch.Index(docs[i].ID, data[i]))
				}
				check(b, sh.index.Batch(batch))
			}
			check(b, sh.close())
		})
	})
}

func folderSize(b *testing.B, dir string) (size int64) {
	check(b, filepath.Walk(dir, func(_ string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			size += info.Size()
		}
		return err
	}))
	return size
}

// BenchmarkElasticsearch compares Put with the same bytes sent by a bare HTTP
// client. It needs CLAMOR_TEST_ELASTICSEARCH.
func BenchmarkElasticsearch(b *testing.B) {
	server := os.Getenv("CLAMOR_TEST_ELASTICSEARCH")
	if server == "" {
		b.Skip("CLAMOR_TEST_ELASTICSEARCH is not set")
	}
	docs := benchPosts()
	opened, err := Open(b.Context(), fmt.Sprintf("%s/clamor_bench_%d", server, time.Now().UnixNano()))
	check(b, err)
	s := opened.(*elasticStore)
	defer s.Close()
	check(b, s.Begin(b.Context(), "warm")) // a JVM is slow at first
	for range 3 {
		check(b, s.Put(b.Context(), "warm", docs))
	}
	b.Run("put", func(b *testing.B) {
		rate(b, func(n int) {
			check(b, s.Expire(b.Context()))
			build := fmt.Sprint("b", n)
			check(b, s.Begin(b.Context(), build))
			check(b, s.Put(b.Context(), build, docs))
		})
	})
	b.Run("raw", func(b *testing.B) {
		bodies := benchBodies(b, s, docs)
		rate(b, func(n int) {
			check(b, s.Expire(b.Context()))
			build := fmt.Sprint("r", n)
			check(b, s.Begin(b.Context(), build))
			for _, body := range bodies {
				res, err := http.Post(server+"/"+s.index(build)+"/_bulk?filter_path=errors", "application/json", bytes.NewReader(body))
				check(b, err)
				if res.Body.Close(); res.StatusCode != http.StatusOK {
					b.Fatal(res.Status)
				}
			}
		})
	})
	check(b, s.Expire(b.Context()))
	http.DefaultClient.CloseIdleConnections()
}

func benchBodies(b *testing.B, s *elasticStore, docs []Doc) (bodies [][]byte) {
	for from := 0; from < len(docs); from += bulkDocs {
		var body []byte
		entries := prepare(docs[from:from+bulkDocs], &RefusedError{})
		items, err := s.items(&entries)
		check(b, err)
		for i := range items {
			body = append(body, items[i].lines...)
		}
		bodies = append(bodies, body)
	}
	return bodies
}
