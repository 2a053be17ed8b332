package rss

import (
	"bytes"
	"errors"
)

// maxDepth is far more than any feed nests; a parser's time grows with the square
// of the depth, and nothing stops it half-way.
const maxDepth = 256

var errDeep = errors.New("its elements are nested too deeply")

// shallow refuses XML that nests deeper than a feed does. It counts tags and does
// not mind whether they match: that is the parser's to judge.
func shallow(body []byte) error {
	if i := bytes.IndexAny(body, "<{"); i >= 0 && body[i] == '{' {
		return nil // JSON, whose texts hold HTML with tags that nobody closes
	}
	depth := 0
	for {
		i := bytes.IndexByte(body, '<')
		if i < 0 || i+1 == len(body) {
			return nil
		}
		body = body[i+1:]
		switch c := body[0]; {
		case bytes.HasPrefix(body, []byte("![CDATA[")):
			body = behind(body, "]]>")
		case bytes.HasPrefix(body, []byte("!--")):
			body = behind(body, "-->")
		case c == '/':
			depth = max(0, depth-1)
		case c != '!' && c != '?':
			end := bytes.IndexByte(body, '>')
			if end <= 0 || body[end-1] != '/' {
				depth++
			}
		}
		if depth > maxDepth {
			return errDeep
		}
	}
}

func behind(body []byte, mark string) []byte {
	_, rest, _ := bytes.Cut(body, []byte(mark))
	return rest
}
