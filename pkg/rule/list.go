package rule

import (
	"fmt"
	"strings"
	"unicode"
)

// maxListed bounds one entry of a list, in bytes.
const maxListed = 200

// AnyOf is the rule that holds for posts with any of the words, phrases and
// #hashtags of a list. Case and accents do not count.
func AnyOf(list []string) (*Rule, error) {
	return anyOf(list, func(text string) (Field, string) {
		if name, ok := strings.CutPrefix(text, "#"); ok {
			return FieldTag, name
		}
		return FieldWord, text
	})
}

// AnyFrom is the rule that holds for posts by any of the handles of a list.
func AnyFrom(list []string) (*Rule, error) {
	return anyOf(list, func(text string) (Field, string) { return FieldFrom, strings.TrimPrefix(text, "@") })
}

func anyOf(list []string, read func(string) (Field, string)) (*Rule, error) {
	if len(list) == 0 {
		return nil, ErrEmpty
	}
	if len(list) > MaxTerms {
		return nil, ErrTerms
	}
	root := &node{op: opOr}
	for _, text := range list {
		n := &node{op: opTerm}
		n.field, n.text = read(strings.TrimSpace(text))
		if len(n.text) > maxListed || !tellsSomething(n.text) {
			return nil, fmt.Errorf("%.*q has no word to look for, or is longer than %d bytes", maxListed, text, maxListed)
		}
		root.kids = append(root.kids, n)
	}
	return &Rule{text: strings.Join(list, " OR "), root: root}, nil
}

// tellsSomething says whether a term has anything that posts are cut into: a
// letter, a digit or a pictograph.
func tellsSomething(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.So, r)
	})
}
