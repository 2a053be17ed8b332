package search

import "strings"

// analyzer names a language's analyzer in both engines.
type analyzer struct{ bleve, elastic string }

// languages are those that both engines analyze.
var languages = map[string]analyzer{
	"ar": {"ar", "arabic"}, "da": {"da", "danish"}, "de": {"de", "german"}, "en": {"en", "english"},
	"es": {"es", "spanish"}, "fa": {"fa", "persian"}, "fi": {"fi", "finnish"}, "fr": {"fr", "french"},
	"hi": {"hi", "hindi"}, "hu": {"hu", "hungarian"}, "it": {"it", "italian"}, "nl": {"nl", "dutch"},
	"no": {"no", "norwegian"}, "pt": {"pt", "portuguese"}, "ro": {"ro", "romanian"}, "ru": {"ru", "russian"},
	"sv": {"sv", "swedish"}, "tr": {"tr", "turkish"}, "cjk": {"cjk", "cjk"},
}

const textPrefix = "text_"

// textField is the field of a text in the language of a tag (pt, pt-BR), "" when
// no analyzer knows it.
func textField(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch base {
	case "ja", "ko", "zh":
		base = "cjk"
	case "nb", "nn":
		base = "no"
	}
	if _, ok := languages[base]; !ok {
		return ""
	}
	return textPrefix + base
}
