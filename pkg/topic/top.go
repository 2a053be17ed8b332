package topic

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
)

// Top keeps the most frequent keys of a stream in bounded space (space-saving;
// Metwally, Agrawal and El Abbadi 2005), each with a text to show. Sums are those
// of mergeable summaries (Agarwal et al. 2012): what is missing in one part may
// have been there as often as its floor says.
//
// What a moderator takes out is kept apart and exactly, so that taking out and
// putting back leaves no trace. As long as no key was ever dropped, all counts
// are exact and sums agree in any order.
type Top struct {
	size  int
	items []item
	heap  []int32 // rows of items, rarest first
	place []int32 // row → place in heap
	loose bool    // after a sum there may be more items than size, and no heap
	index keyIndex
	floor int64 // no absent key was counted more often
	less  map[uint64]int64
	lost  int64 // taken out beyond what less holds
}

// item is a kept key. Its text is the spelling that most of its posts agree on
// (a majority vote; Boyer and Moore 1981).
type item struct {
	key   uint64
	n     int64
	error int64
	votes int64
	text  []byte
}

// Count is a key's count: the true one lies between N-Error and N.
type Count struct {
	Key   uint64
	Text  string
	N     int64
	Error int64
}

// Sure is the count that is certain.
func (c Count) Sure() int64 { return c.N - c.Error }

// maxText bounds a text, in bytes.
const maxText = 256

// maxTaken bounds the keys of which something was taken out.
const maxTaken = 1024

func newTop(size int) Top { return Top{size: size} }

// IsZero says whether nothing is counted.
func (t *Top) IsZero() bool {
	return len(t.items) == 0 && len(t.less) == 0 && t.floor == 0 && t.lost == 0
}

// Len is the number of keys kept.
func (t *Top) Len() int { return len(t.items) }

// Count counts one more of a key.
func (t *Top) Count(key uint64, text []byte) {
	t.settle()
	if row, ok := t.index.find(key, t.items); ok {
		it := &t.items[row]
		it.n++
		it.vote(text, 1)
		t.down(int(t.place[row]))
		return
	}
	t.insert(key, t.floor+1, t.floor, 1, text)
}

// Take takes n posts out of a key; a negative n puts them back.
func (t *Top) Take(key uint64, n int64) {
	was, ok := t.less[key]
	switch {
	case was+n == 0:
		delete(t.less, key)
	case ok || len(t.less) < maxTaken:
		if t.less == nil {
			t.less = make(map[uint64]int64)
		}
		t.less[key] = was + n
	default:
		t.lost += max(n, -n)
	}
}

// Get is one key's count.
func (t *Top) Get(key uint64) Count {
	c := Count{Key: key, N: t.floor, Error: t.floor}
	if row, ok := t.index.find(key, t.items); ok {
		it := &t.items[row]
		c = Count{key, string(it.text), it.n, it.error}
	}
	return t.net(c)
}

// net takes out of a count what a moderator took out of the key.
func (t *Top) net(c Count) Count {
	c.N -= t.less[c.Key]
	c.Error += t.lost
	c.N = max(0, c.N)
	c.Error = min(c.Error, c.N)
	return c
}

// Most returns the k keys that were certainly counted most often, most frequent
// first.
func (t *Top) Most(k int) []Count {
	out := make([]Count, 0, len(t.items))
	for i := range t.items {
		it := &t.items[i]
		if c := t.net(Count{it.key, "", it.n, it.error}); c.N > 0 {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Sure(), a.Sure()), cmp.Compare(b.N, a.N), cmp.Compare(a.Key, b.Key))
	})
	out = out[:min(k, len(out))]
	for i := range out {
		row, _ := t.index.find(out[i].Key, t.items)
		out[i].Text = string(t.items[row].text)
	}
	return out
}

// Add sums o into t.
func (t *Top) Add(o *Top) {
	if o.IsZero() {
		return
	}
	floor := t.floor
	t.allowFor(o)
	var fresh []*item
	for i := range o.items {
		x := &o.items[i]
		row, ok := t.index.find(x.key, t.items)
		if !ok {
			fresh = append(fresh, x)
			continue
		}
		it := &t.items[row]
		it.n += x.n
		it.error += x.error
		it.vote(x.text, x.votes)
	}
	for _, x := range fresh {
		t.append(x.key, x.n+floor, x.error+floor, x.votes, x.text)
	}
	t.floor += o.floor
	t.lost += o.lost
	for _, key := range slices.Sorted(maps.Keys(o.less)) {
		t.Take(key, o.less[key])
	}
	t.loose = true
	// Sums sort once for several parts. A minute is the same whether it was written
	// and read between the parts or not.
	if t.size < sumKeys || len(t.items) > 2*t.size {
		t.settle()
	}
}

// allowFor adds what o may have counted of keys that it does not have.
func (t *Top) allowFor(o *Top) {
	if o.floor == 0 {
		return
	}
	for i := range t.items {
		if _, ok := o.index.find(t.items[i].key, o.items); !ok {
			t.items[i].n += o.floor
			t.items[i].error += o.floor
		}
	}
}

// vote lets n posts speak for a spelling.
func (it *item) vote(text []byte, n int64) {
	text = text[:min(len(text), maxText)]
	switch {
	case bytes.Equal(it.text, text):
		it.votes += n
	case it.votes > n, it.votes == n && bytes.Compare(it.text, text) < 0:
		it.votes -= n
	default:
		it.votes = n - it.votes
		it.text = append(it.text[:0], text...)
	}
}

// insert gives a new key its row: a free one, or that of the rarest.
func (t *Top) insert(key uint64, n, err, votes int64, text []byte) {
	text = text[:min(len(text), maxText)]
	if len(t.items) < t.size {
		row := int32(len(t.items))
		t.append(key, n, err, votes, text)
		t.heap = append(t.heap, row)
		t.place = append(t.place, row)
		t.up(len(t.heap) - 1)
		return
	}
	row := t.heap[0]
	it := &t.items[row]
	t.floor = it.n
	t.index.remove(it.key, row, t.items)
	it.key, it.error, it.n, it.votes = key, it.n, it.n+n-err, votes
	it.text = append(it.text[:0], text...)
	t.index.add(key, row, t.items)
	t.down(0)
}

// append adds a row; the heap is set right afterwards.
func (t *Top) append(key uint64, n, err, votes int64, text []byte) {
	t.items = append(t.items, item{key: key, n: n, error: err, votes: votes, text: bytes.Clone(text)})
	t.index.add(key, int32(len(t.items)-1), t.items)
}

// settle drops the rarest keys beyond the size and orders the heap anew, after
// sums.
func (t *Top) settle() {
	if !t.loose {
		return
	}
	t.loose = false
	slices.SortFunc(t.items, func(a, b item) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.key, b.key)) })
	if extra := len(t.items) - t.size; extra > 0 {
		t.floor = max(t.floor, t.items[extra-1].n)
		t.items = slices.Delete(t.items, 0, extra)
	}
	t.rebuild()
}

// rebuild makes heap and index of items, which are sorted.
func (t *Top) rebuild() {
	t.heap, t.place = t.heap[:0], t.place[:0]
	t.index = keyIndex{}
	for i := range t.items {
		t.heap, t.place = append(t.heap, int32(i)), append(t.place, int32(i))
		t.index.add(t.items[i].key, int32(i), t.items[:i+1])
	}
}

// rarer is the order of the heap; no two keys are equal in it, so that which key
// goes does not depend on how the heap came to be.
func (t *Top) rarer(i, j int) bool {
	a, b := &t.items[t.heap[i]], &t.items[t.heap[j]]
	return a.n < b.n || a.n == b.n && a.key < b.key
}

// byKey are the rows in order of their keys.
func (t *Top) byKey() []int32 {
	rows := slices.Clone(t.heap)
	slices.SortFunc(rows, func(a, b int32) int { return cmp.Compare(t.items[a].key, t.items[b].key) })
	return rows
}

func (t *Top) swap(i, j int) {
	t.heap[i], t.heap[j] = t.heap[j], t.heap[i]
	t.place[t.heap[i]], t.place[t.heap[j]] = int32(i), int32(j)
}

func (t *Top) up(i int) {
	for i > 0 && t.rarer(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (t *Top) down(i int) {
	for {
		least := i
		for k := 2*i + 1; k <= 2*i+2 && k < len(t.heap); k++ {
			if t.rarer(k, least) {
				least = k
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}
