package archive_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/audience"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

var postSegment = archive.Segment{Topic: archive.Posts, Epoch: 2, Partition: 3}

var posts = kind[archive.PostRow]{segment: postSegment, add: addPosts, read: readPosts}

func somePost(t *rapid.T) *clamorv1.Post {
	texts := rapid.SliceOfN(rapid.String(), 0, 3)
	text := func(name string) string { return rapid.String().Draw(t, name) }
	p := &clamorv1.Post{
		Platform: text("platform"), Id: text("id"), Source: text("source"), Show: text("show"), Text: text("text"),
		CreatedAt: rapid.Int64().Draw(t, "created"), ReceivedAt: rapid.Int64().Draw(t, "received"),
		Language: text("language"), ReplyTo: text("reply"), RepostOf: text("repost"),
		Media: texts.Draw(t, "media"), Links: texts.Draw(t, "links"), Topics: texts.Draw(t, "topics"),
		SampleRate: rapid.Float64Range(0, 1).Draw(t, "rate"),
		Sensitive:  rapid.Bool().Draw(t, "sensitive"),
		Decision:   rapid.SampledFrom([]string{"", "approve", "reject"}).Draw(t, "decision"),
	}
	if rapid.Bool().Draw(t, "author") {
		p.Author = &clamorv1.Author{
			Id: "a" + text("author"), Name: text("name"), Handle: text("handle"), Location: text("location"),
			Followers: rapid.Uint64().Draw(t, "followers"), CreatedAt: rapid.Int64().Draw(t, "author created"),
		}
	}
	if rapid.Bool().Draw(t, "place") {
		p.Coordinates = &clamorv1.Coordinates{Lat: float64(rapid.IntRange(-720, 720).Draw(t, "lat")) / 8, Lon: float64(rapid.IntRange(-1440, 1440).Draw(t, "lon")) / 8}
	}
	for range rapid.IntRange(0, 2).Draw(t, "votes") {
		p.Votes = append(p.Votes, &clamorv1.Vote{
			Poll: "final", Round: rapid.Uint32().Draw(t, "round"), Voter: []byte("0123456789abcdef"), Ballot: []byte("fedcba9876543210"),
			Slots: []uint32{rapid.Uint32Range(1, 1<<16-1).Draw(t, "slot"), 1},
		})
	}
	return p
}

func somePostRows(t *rapid.T) (rows []archive.PostRow, next int64) {
	for range rapid.IntRange(0, 30).Draw(t, "records") {
		row := archive.PostRow{Offset: next + rapid.Int64Range(0, 3).Draw(t, "gap")}
		row.Type = rapid.SampledFrom([]archive.RowType{archive.RowPost, archive.RowPost, archive.RowModeration, archive.RowCut, archive.RowUnreadable}).Draw(t, "type")
		switch row.Type {
		case archive.RowPost:
			row.Post = somePost(t)
		case archive.RowModeration:
			row.Moderation = &clamorv1.Moderation{
				Post: somePost(t), Reject: rapid.Bool().Draw(t, "reject"), At: rapid.Int64().Draw(t, "at"), Actor: rapid.String().Draw(t, "actor"),
			}
		case archive.RowCut:
			row.Cut = audience.Cut{Number: rapid.Uint64Range(1, 9).Draw(t, "cut"), At: 1700000000000}
		}
		rows = append(rows, row)
		next = row.Offset + 1
	}
	return rows, next
}

func addPosts(w *archive.Writer, rows []archive.PostRow) (err error) {
	for i := 0; i < len(rows) && err == nil; i++ {
		switch row := &rows[i]; row.Type {
		case archive.RowPost:
			err = w.Post(row.Offset, row.Post)
		case archive.RowModeration:
			err = w.Moderation(row.Offset, row.Moderation)
		case archive.RowCut:
			err = w.Cut(row.Offset, row.Cut)
		default:
			err = w.Unreadable(row.Offset)
		}
	}
	return err
}

func readPosts(a *archive.Archive, s archive.Segment) (rows []archive.PostRow, file archive.File, err error) {
	file, err = a.ReadPosts(context.Background(), s, func(some []archive.PostRow) error {
		for _, row := range some {
			if row.Post != nil {
				row.Post = proto.CloneOf(row.Post)
			}
			if row.Moderation != nil {
				row.Moderation = proto.CloneOf(row.Moderation)
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, file, err
}

func TestPostsComeBackAsTheyWere(t *testing.T) {
	both(t, func(t *testing.T, a *archive.Archive) {
		rapid.Check(t, func(t *rapid.T) {
			rows, next := somePostRows(t)
			posts.comesBack(t, a, rows, next)
		})
	})
}

// manyPosts are like those of a busy evening.
func manyPosts(n int) []archive.PostRow {
	rng := rand.New(rand.NewPCG(7, 7))
	words := strings.Fields("gol golaço que jogo é esse o time joga muito hoje vamos ganhar #copa #final não acredito árbitro 😀 🔥 goal what a match tonight le but magnifique")
	rows := make([]archive.PostRow, n)
	for i := range rows {
		var text []string
		for range 6 + rng.IntN(20) {
			text = append(text, words[rng.IntN(len(words))])
		}
		id := rng.Uint64()
		rows[i] = archive.PostRow{Offset: int64(i), Type: archive.RowPost, Post: &clamorv1.Post{
			Platform: "x", Id: strings.Repeat("1", 1+int(id%19)), Source: "x-stream", Show: "gala", Text: strings.Join(text, " "),
			CreatedAt: 1764547200000 + int64(i), ReceivedAt: 1764547200900 + int64(i), Language: "pt",
			Author: &clamorv1.Author{Id: strings.Repeat("2", 1+int(id>>8%19)), Name: "Ana Souza", Handle: "ana", Location: "Recife, Brasil", Followers: id % 5000},
		}}
		if i%5 == 0 {
			rows[i].Post.Links = []string{"https://example.org/a"}
		}
	}
	return rows
}

func TestDamageToPostsIsNamed(t *testing.T) {
	rows := manyPosts(2000)
	rows[7] = archive.PostRow{Offset: 7, Type: archive.RowModeration, Moderation: &clamorv1.Moderation{Post: rows[3].Post, Reject: true, At: 9, Actor: "mona"}}
	// A bit of a text is like any other.
	posts.damageIsNamed(t, rows, 100, func(harm string, _ []archive.PostRow) bool { return harm != "bent" })
}

func BenchmarkReadPosts(b *testing.B) {
	a := open(b, b.TempDir())
	const n = 100_000
	file, err := posts.write(a, manyPosts(n), n)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		if _, err := a.ReadPosts(context.Background(), postSegment, func([]archive.PostRow) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "posts/s")
	b.ReportMetric(float64(file.Bytes)/n, "bytes/post")
}

// TestNoFieldOfAPostIsLost fills every field there is, those of later releases
// too.
func TestNoFieldOfAPostIsLost(t *testing.T) {
	a := open(t, "mem://")
	post := &clamorv1.Post{}
	fill(post.ProtoReflect())
	rows := []archive.PostRow{
		{Offset: 0, Type: archive.RowPost, Post: post},
		{Offset: 1, Type: archive.RowModeration, Moderation: &clamorv1.Moderation{Post: post, Reject: true, At: 5, Actor: "mona"}},
	}
	if _, err := posts.write(a, rows, 2); err != nil {
		t.Fatal(err)
	}
	got, _, err := readPosts(a, postSegment)
	if diff := cmp.Diff(rows, got, protocmp.Transform()); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
}

// fill gives every field, list and message inside a value that is not its default.
func fill(m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		value := func() protoreflect.Value {
			switch f.Kind() {
			case protoreflect.MessageKind:
				inner := m.NewField(f)
				if f.IsList() {
					inner = inner.List().NewElement()
				}
				fill(inner.Message())
				return inner
			case protoreflect.StringKind:
				return protoreflect.ValueOfString("text " + string(f.Name()))
			case protoreflect.BytesKind:
				return protoreflect.ValueOfBytes([]byte("0123456789abcdef"))
			case protoreflect.DoubleKind:
				return protoreflect.ValueOfFloat64(0.25)
			case protoreflect.BoolKind:
				return protoreflect.ValueOfBool(true)
			case protoreflect.Int64Kind:
				return protoreflect.ValueOfInt64(int64(i) + 1)
			case protoreflect.Uint64Kind:
				return protoreflect.ValueOfUint64(uint64(i) + 1)
			case protoreflect.Uint32Kind:
				return protoreflect.ValueOfUint32(uint32(i) + 1)
			}
			panic("a kind of field that no post had before: " + f.Kind().String())
		}
		if f.IsList() {
			m.Mutable(f).List().Append(value())
			m.Mutable(f).List().Append(value())
			continue
		}
		m.Set(f, value())
	}
}
