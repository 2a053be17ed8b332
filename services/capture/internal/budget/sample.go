package budget

// In says whether a post is in a sample of that rate. It depends on the post's
// name alone, so a post that comes again is judged alike, and a smaller sample is
// part of a larger one.
func In(name string, rate float64) bool {
	if rate >= 1 {
		return true
	}
	return float64(hash(name)>>11) < rate*(1<<53)
}

// hash is FNV-1a with a finisher, for its upper bits decide.
func hash(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd // MurmurHash3's fmix64
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
