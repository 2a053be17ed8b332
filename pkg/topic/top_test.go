package topic

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// counted is a top with what it should know.
type counted struct {
	top  Top
	true map[uint64]int64
}

func drawTop(t *rapid.T, size int) counted {
	c := counted{newTop(size), map[uint64]int64{}}
	for range rapid.IntRange(0, 80).Draw(t, "counts") {
		key := rapid.Uint64Range(1, 20).Draw(t, "key")
		if rapid.IntRange(0, 7).Draw(t, "take") == 0 && c.true[key] > 0 {
			c.top.Take(key, 1)
			c.true[key]--
			continue
		}
		c.top.Count(key, fmt.Append(nil, key))
		c.true[key]++
	}
	return c
}

func (c *counted) add(o *counted) {
	c.top.Add(&o.top)
	for key, n := range o.true {
		c.true[key] += n
	}
}

func (c *counted) check(t *rapid.T) {
	t.Helper()
	for key := uint64(0); key <= 21; key++ {
		if got := c.top.Get(key); got.N < c.true[key] || got.Sure() > c.true[key] {
			t.Fatalf("key %d: %d is not in [%d, %d]", key, c.true[key], got.Sure(), got.N)
		}
	}
}

func TestTopBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 25).Draw(t, "size")
		sum := counted{newTop(rapid.IntRange(1, 25).Draw(t, "sum's size")), map[uint64]int64{}}
		for range rapid.IntRange(1, 5).Draw(t, "parts") {
			part := drawTop(t, size)
			part.check(t)
			sum.add(&part)
			sum.check(t)
		}
		sum.top.Count(3, []byte("3"))
		sum.true[3]++
		sum.check(t)
		if got := len(sum.top.items); got > sum.top.size {
			t.Fatalf("%d keys in %d places", got, sum.top.size)
		}
	})
}

// Where no key was dropped, order does not matter.
func TestTopsSumInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := []counted{drawTop(t, 30), drawTop(t, 30), drawTop(t, 30)}
		sum := func(order ...int) []Count {
			s := newTop(30)
			for _, i := range order {
				s.Add(&parts[i].top)
			}
			return s.Most(30)
		}
		if d := cmp.Diff(sum(0, 1, 2), sum(2, 1, 0)); d != "" {
			t.Fatal(d)
		}
	})
}

func TestTakenAndPutBackIsNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawTop(t, 5)
		before := c.top.Most(99)
		for _, n := range []int64{1, -1} {
			c.top.Take(7, n)
		}
		if d := cmp.Diff(before, c.top.Most(99)); d != "" {
			t.Fatal(d)
		}
	})
}

// What is taken out beyond the bound makes bounds wider, never wrong.
func TestTooMuchTaken(t *testing.T) {
	c := counted{newTop(10), map[uint64]int64{}}
	for range 3 {
		c.top.Count(1, []byte("one"))
		c.true[1]++
	}
	for key := range uint64(maxTaken) {
		c.top.Take(key+100, 1)
	}
	c.top.Take(1, 1)
	if got := c.top.Get(1); got.N < 2 || got.Sure() > 2 {
		t.Errorf("2 is not in [%d, %d]", got.Sure(), got.N)
	}
}

func TestTextIsWhatMostWrite(t *testing.T) {
	top := newTop(2)
	for _, text := range []string{"BRASIL", "Brasil", "Brasil", "brasil", "Brasil"} {
		top.Count(1, []byte(text))
	}
	if got := top.Get(1); got.Text != "Brasil" || got.N != 5 {
		t.Errorf("have %+v", got)
	}
}

func TestKeyIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		items := make([]item, 40)
		var x keyIndex
		var in []int32
		for i := range items {
			items[i].key = rapid.Uint64Range(0, 1<<40).Draw(t, "key")<<20 | uint64(i)
		}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			row := rapid.Int32Range(0, 39).Draw(t, "row")
			if at := slices.Index(in, row); at >= 0 {
				x.remove(items[row].key, row, items)
				in = slices.Delete(in, at, at+1)
			} else {
				x.add(items[row].key, row, items)
				in = append(in, row)
			}
		}
		for row := range items {
			got, ok := x.find(items[row].key, items)
			if ok != slices.Contains(in, int32(row)) || ok && got != int32(row) {
				t.Fatalf("row %d: found %v", row, ok)
			}
		}
	})
}

func BenchmarkTopCountDropping(b *testing.B) {
	top, text := newTop(topWords), []byte("palavra")
	b.ReportAllocs()
	key := uint64(1)
	for b.Loop() {
		key = key*6364136223846793005 + 1442695040888963407
		top.Count(key>>40%5000, text)
	}
}
