package topic

import (
	"slices"

	"github.com/clamor-live/clamor/pkg/enrich/names"
)

// Crowd is a sample of distinct authors with the row of their first name: the
// authors whose hashes are least. Which they are is chance, so they are a fair
// sample; and the least of a union are the union's, so crowds of minutes and
// partitions add up in any order and no author stands in one twice.
//
// An author is a hash of its id; which first name that hash has is all that is
// known, and it leaves this type only as the shares of a whole crowd.
type Crowd struct {
	members []member // by hash, rising
}

type member struct {
	hash uint64
	name names.ID
}

// maxCrowd bounds a crowd. Crowds below it hold every author.
const maxCrowd = 2048

// Len is the number of authors held.
func (c *Crowd) Len() int { return len(c.members) }

// Full says whether the crowd is a sample: authors beyond it are not held.
func (c *Crowd) Full() bool { return len(c.members) >= maxCrowd }

// Count counts an author. Of an author with several names the least row stays,
// whatever came first.
func (c *Crowd) Count(hash uint64, name names.ID) {
	if len(c.members) >= maxCrowd && hash > c.members[maxCrowd-1].hash {
		return
	}
	at, found := slices.BinarySearchFunc(c.members, hash, func(m member, h uint64) int {
		switch {
		case m.hash < h:
			return -1
		case m.hash > h:
			return 1
		}
		return 0
	})
	if found {
		c.members[at].name = better(c.members[at].name, name)
		return
	}
	c.members = slices.Insert(c.members, at, member{hash, name})
	if len(c.members) > maxCrowd {
		c.members = c.members[:maxCrowd]
	}
}

// Add counts all authors of o.
func (c *Crowd) Add(o *Crowd) {
	if len(o.members) == 0 {
		return
	}
	merged := make([]member, 0, min(len(c.members)+len(o.members), maxCrowd))
	a, b := c.members, o.members
	for len(merged) < maxCrowd && len(a)+len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].hash < b[0].hash:
			merged, a = append(merged, a[0]), a[1:]
		case len(a) == 0 || b[0].hash < a[0].hash:
			merged, b = append(merged, b[0]), b[1:]
		default:
			merged = append(merged, member{a[0].hash, better(a[0].name, b[0].name)})
			a, b = a[1:], b[1:]
		}
	}
	c.members = merged
}

// better is the lesser row; no name is the greatest.
func better(a, b names.ID) names.ID { return names.ID(min(uint32(a), uint32(b))) }

func (c *Crowd) equal(o *Crowd) bool { return slices.Equal(c.members, o.members) }
