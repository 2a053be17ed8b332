package topic

import "math/bits"

// Hashes name posts, authors and links in 8 bytes. They are the same in every
// process, since what is counted in one is added to what another counted.
const (
	hashStart = 14695981039346656037
	hashPrime = 1099511628211
)

// hashOf continues a hash with bytes (FNV-1a).
func hashOf[T ~string | ~[]byte](h uint64, s T) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * hashPrime
	}
	return h
}

// finish mixes all bits of a hash into all others, which sketches rely on.
func finish(h uint64) uint64 {
	hi, lo := bits.Mul64(h^0x243f6a8885a308d3, 0x9E3779B97F4A7C15)
	h = hi ^ lo
	hi, lo = bits.Mul64(h^0x13198a2e03707345, 0xD6E8FEB86659FD93)
	return hi ^ lo
}

// nameOf is the hash of an id on its platform.
func nameOf(platform, id []byte) uint64 { return finish(named(hashStart, platform, id)) }

func named(h uint64, platform, id []byte) uint64 {
	return hashOf((hashOf(h, platform)^':')*hashPrime, id)
}

// markOf is the hash of a post: two shows may hear the same one.
func markOf(p *Post) uint64 {
	return finish(named((hashOf(hashStart, p.Show)^'/')*hashPrime, p.Platform, p.ID))
}
