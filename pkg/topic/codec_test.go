package topic

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

func drawMinute(t *rapid.T) *Minute {
	m := NewMinute()
	n := func(what string) int64 { return rapid.Int64Range(-5, 1000).Draw(t, what) }
	m.Posts, m.Reposts, m.Replies, m.Media, m.Rejected = n("posts"), n("reposts"), n("replies"), n("media"), n("rejected")
	m.Estimate = Estimate{n("weight"), n("variance")}
	for _, c := range []*Counts{&m.Languages, &m.Countries, &m.Regions, &m.Platforms} {
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			c.put(rapid.SampledFrom([]string{"", "pt", "BR", "BR/São Paulo"}).Draw(t, "key"), n("count"))
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "moods") {
		m.moods(rapid.SampledFrom([]string{"pt", "es", "und"}).Draw(t, "language"))[rapid.IntRange(0, 3).Draw(t, "mood")] += n("mood")
	}
	for i, top := range []*Top{&m.Hashtags, &m.Words, &m.Links, &m.Authors} {
		top.size = rapid.IntRange(1, 20).Draw(t, "size")
		for range rapid.IntRange(0, 40).Draw(t, "counts") {
			key := rapid.Uint64Range(0, 30).Draw(t, "key") << (16 * i)
			top.Count(key, fmt.Append(nil, "t", key%3))
			if key%11 == 0 {
				top.Take(key, 1)
			}
		}
	}
	for i := range rapid.SampledFrom([]int{0, 3, 600}).Draw(t, "authors") {
		m.Distinct.Count(authorHash(i))
		m.Crowd.Count(authorHash(i), names.ID(i%7-1))
	}
	return m
}

func TestCodecIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMinute(t)
		blob := Encode(m)
		back, err := Decode(blob)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Equal(m) || !bytes.Equal(Encode(back), blob) || !bytes.Equal(Encode(m.Clone()), blob) {
			t.Fatal("a minute comes back as another")
		}
		// What is decoded counts on as the first would have.
		for range 20 {
			key := rapid.Uint64Range(0, 40).Draw(t, "key")
			m.Words.Count(key, []byte("x"))
			back.Words.Count(key, []byte("x"))
		}
		if !bytes.Equal(Encode(back), Encode(m)) {
			t.Fatal("a decoded minute counts otherwise")
		}
		cut := rapid.IntRange(0, len(blob)-1).Draw(t, "cut")
		if _, err := Decode(blob[:cut]); err == nil {
			t.Fatalf("%d of %d bytes are a minute", cut, len(blob))
		}
	})
}

func TestMinutesSumInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawMinute(t), drawMinute(t), drawMinute(t)
		left, right := NewSum(), NewSum()
		for _, m := range []*Minute{a, b, c} {
			left.Add(m)
		}
		bc := c.Clone()
		bc.Add(b)
		right.Add(bc)
		right.Add(a)
		if !left.Equal(right) || left.Distinct.Distinct() != right.Distinct.Distinct() {
			t.Fatal("the order matters")
		}
		left.Prune()
		right.Prune()
		if len(left.Languages) != len(right.Languages) {
			t.Fatal("pruned sums have two forms")
		}
	})
}

// A minute to which parts are added is the same to the byte whether it was
// written and read between them or not.
func TestAddingOnIsAddingAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := drawMinute(t)
		straight, again := first.Clone(), first.Clone()
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			part := drawMinute(t)
			straight.Add(part)
			again.Add(part)
			back, err := Decode(Encode(again))
			if err != nil {
				t.Fatal(err)
			}
			again = back
		}
		if !bytes.Equal(Encode(straight), Encode(again)) {
			t.Fatal("they differ")
		}
	})
}

func TestZeroIsEmpty(t *testing.T) {
	m := NewMinute()
	m.Languages.put("pt", 1)
	m.Languages.put("pt", -1)
	if !m.IsZero() || !m.Equal(nil) || !bytes.Equal(Encode(m), Encode(NewMinute())) {
		t.Error("nothing is something")
	}
	if size := len(Encode(m)); size > 64 {
		t.Errorf("an empty minute takes %d bytes", size)
	}
}

// A fullest minute stays within what Decode reads.
func TestFullMinuteFits(t *testing.T) {
	m, text := NewMinute(), bytes.Repeat([]byte("x"), maxText)
	for i := range 5000 {
		for _, top := range []*Top{&m.Hashtags, &m.Words, &m.Links, &m.Authors} {
			top.Count(authorHash(i), text)
			top.Take(authorHash(i), 1)
		}
		m.Distinct.Count(authorHash(i))
		m.Crowd.Count(authorHash(i), names.ID(i))
		m.Regions.put(fmt.Sprintf("BR/a region with quite a long name %d", i), 1)
	}
	blob := Encode(m)
	if _, err := Decode(blob); err != nil || len(blob) > MaxBlob/2 {
		t.Errorf("%d bytes: %v", len(blob), err)
	}
}

func FuzzDecode(f *testing.F) {
	m := NewMinute()
	m.Posts = 3
	m.Languages.put("pt", 3)
	m.moods("pt")[Positive] = 3
	m.Hashtags.Count(7, []byte("gol"))
	m.Hashtags.Take(7, 1)
	m.Distinct.Count(authorHash(1))
	m.Crowd.Count(authorHash(1), 5)
	f.Add(Encode(m))
	for i := range 600 {
		m.Distinct.Count(authorHash(i))
	}
	f.Add(Encode(m))
	f.Add([]byte{codeVersion})
	f.Fuzz(func(t *testing.T, blob []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Decode(blob)
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; spent > 1<<20+200*uint64(len(blob)) {
			t.Fatalf("%d bytes cost %d", len(blob), spent)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(Encode(m), blob) {
			t.Fatal("a minute has two forms")
		}
		sum := NewSum()
		sum.Add(m)
		sum.Add(m)
		for _, d := range Dimensions() {
			sum.By(d, 5)
		}
		sum.Cloud(5, nil)
		m.Hashtags.Count(1, []byte("a"))
	})
}

func FuzzRestore(f *testing.F) {
	f.Add([]byte{journalVersion, opPost, 1, 2, 3, 4, 5, 6, 7, 8, opPrint, 1, 2, 3, 4, 5, 6, 7, 8, opEpoch, 3, opTotals, 1, 2, 3, 4})
	f.Add([]byte{journalVersion, opWord, 1, 2, 3, 4, 5, 6, 7, 8, opRepeated, opRecent, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Fuzz(func(t *testing.T, blob []byte) {
		p := NewPartition()
		if p.Restore(blob) != nil {
			return
		}
		again := NewPartition()
		if err := again.Restore(p.Snapshot()); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Snapshot(), p.Snapshot()) {
			t.Fatal("a snapshot restores another state")
		}
	})
}

func BenchmarkEncodeMinute(b *testing.B) {
	m := NewMinute()
	for i := range 20_000 {
		m.Words.Count(authorHash(i%3000), []byte("palavra"))
		m.Hashtags.Count(authorHash(i%700), []byte("hashtag"))
		m.Authors.Count(authorHash(i), []byte("handle"))
		m.Distinct.Count(authorHash(i))
	}
	b.ReportAllocs()
	for b.Loop() {
		Encode(m)
	}
	b.ReportMetric(float64(len(Encode(m))), "B/minute")
}

// BenchmarkSumHour adds up sixty full minutes of eight partitions.
func BenchmarkSumHour(b *testing.B) {
	parts := make([]*Minute, 60)
	for i := range parts {
		parts[i] = NewMinute()
		for k := range 3000 {
			parts[i].Words.Count(authorHash((k*k+i*31)%2500), []byte("palavra"))
			parts[i].Hashtags.Count(authorHash((k*k+i*7)%700), []byte("hashtag"))
			parts[i].Distinct.Count(authorHash(k * i))
		}
	}
	for b.Loop() {
		sum := NewSum()
		for range 8 {
			for _, m := range parts {
				sum.Add(m)
			}
		}
	}
}
