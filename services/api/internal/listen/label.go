package listen

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/clamor-live/clamor/pkg/topic"
)

// Labels are what people call the parts of a dimension, in a locale.
type Labels struct {
	tag       language.Tag
	languages display.Namer
	regions   display.Namer
}

// NewLabels makes labels in the first of the locales that is one, or in English.
func NewLabels(locales ...string) *Labels {
	tag := language.English
	for _, l := range locales {
		if t, err := language.Parse(l); l != "" && err == nil {
			tag = t
			break
		}
	}
	l := &Labels{tag: tag, languages: display.Languages(tag), regions: display.Regions(tag)}
	if l.languages == nil {
		l.languages = display.Languages(language.English)
	}
	if l.regions == nil {
		l.regions = display.Regions(language.English)
	}
	return l
}

// words are the parts that have no name of their own, by language.
var words = map[string]map[string]string{
	"en": {"unknown": "unknown", "neg": "negative", "neu": "neutral", "pos": "positive", withMedia: "with media", withoutMedia: "without media"},
	"es": {"unknown": "desconocido", "neg": "negativo", "neu": "neutro", "pos": "positivo", withMedia: "con medios", withoutMedia: "sin medios"},
	"pt": {"unknown": "desconhecido", "neg": "negativo", "neu": "neutro", "pos": "positivo", withMedia: "com mídia", withoutMedia: "sem mídia"},
}

func (l *Labels) word(key string) string {
	base, _ := l.tag.Base()
	if w, ok := words[base.String()][key]; ok {
		return w
	}
	return words["en"][key]
}

// Of is the label of a part.
func (l *Labels) Of(by topic.Dimension, key string) string {
	switch by {
	case topic.ByLanguage:
		return l.language(key)
	case topic.ByCountry:
		return l.country(key)
	case topic.ByRegion:
		country, region, _ := strings.Cut(key, "/")
		if region == "" {
			return l.country(country)
		}
		return region
	case topic.BySentiment, ByMedia:
		return l.word(key)
	case topic.ByHashtag:
		return "#" + key
	}
	return key
}

func (l *Labels) language(key string) string {
	tag, err := language.Parse(key)
	if err != nil || key == "und" || key == "" {
		return l.word("unknown")
	}
	if name := l.languages.Name(tag); name != "" {
		return name
	}
	return key
}

func (l *Labels) country(key string) string {
	region, err := language.ParseRegion(key)
	if err != nil || key == "" {
		return l.word("unknown")
	}
	if name := l.regions.Name(region); name != "" {
		return name
	}
	return key
}
