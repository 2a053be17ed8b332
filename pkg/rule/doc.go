// Package rule holds boolean rules over posts: which posts a topic listens to.
//
//	gol AND (brasil OR #copa2026) NOT "fora de jogo"
//	from:globoesporte lang:pt -@spammer
//
// Words match whole words, whatever their case and accents; "quoted" words
// match their accents too, in that order. A space means AND, a dash means NOT.
// The fields are from:, lang:, country: and source:.
//
// Its one trick: all rules of all topics become one matcher. Every rule names
// terms of which one must be present; only rules whose term stands in the post
// are looked at, so a thousand rules cost little more than one.
package rule

// Word is one word of a post, as two hashes: as written in lower case, and
// without accents.
type Word struct{ Exact, Folded uint64 }

// Doc is what rules can see of a post. Keys are made by Key.
type Doc struct {
	Words   []Word
	Tags    []uint64 // hashtags, by Tokenizer.Tag
	Names   []uint64 // mentioned names, by Tokenizer.Name
	From    uint64   // Tokenizer.Name of the author's handle
	Lang    uint64   // Key of the language
	Country uint64   // Key of the ISO code
	Source  uint64   // Key of the source's id
}

// Tokenizer cuts the text of terms the way posts are cut. It is called while
// rules are compiled only, and need not be safe for concurrent use.
type Tokenizer interface {
	Words(text string) []Word
	Tag(name string) uint64
	Name(handle string) uint64
}

// Key is the hash of a language, country or source. Case does not count.
func Key[T ~string | ~[]byte](s T) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}
