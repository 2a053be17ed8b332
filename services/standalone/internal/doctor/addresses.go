package doctor

import (
	"net/url"
	"path"
	"slices"
	"strings"
)

// format is one address of the feed and how to read it: kind is json (rows), wide
// (one object), nested, map, xml, csv, tsv, txt, atom or rss.
type format struct{ name, kind, url string }

// families are what feeds of topics are about, by the names of their files; polls
// have the first.
var families = []string{"feed", "trends", "posts"}

// flatKinds are the formats that every family has.
var flatKinds = []string{"json", "xml", "csv", "tsv", "txt", "atom", "rss"}

// addresses are the feed's formats, the one asked for first.
func addresses(u *url.URL, only bool) []format {
	last := path.Base(u.Path)
	topic := path.Base(path.Dir(path.Dir(u.Path))) == "topics"
	whole := false
	switch {
	case slices.Contains([]string{"overlay", "events", "ws"}, last): // people give what they have at hand
		u, last = u.JoinPath("..", "feed.json"), "feed.json"
	case path.Ext(last) == "": // the folder of feeds of a poll or a topic
		topic, whole = path.Base(path.Dir(u.Path)) == "topics", true
		u, last = u.JoinPath("feed.json"), "feed.json"
	}
	family, ext, _ := strings.Cut(last, ".")
	all := []format{{nameOf(family, ext), kindOfFile(family, ext, u.Query()), u.String()}}
	if only || !slices.Contains(families, family) {
		return all
	}
	all = append(all, siblings(u, family, all[0].kind)...)
	if topic && whole {
		for _, other := range families[1:] {
			all = append(all, siblings(u, other, "")...)
		}
		all = append(all, format{"topic.json", "nested", sibling(u, "topic.json", "")}, format{"map.json", "map", sibling(u, "map.json", "")})
	}
	return all
}

// siblings are the formats of a family but for one kind.
func siblings(u *url.URL, family, but string) (out []format) {
	for _, ext := range flatKinds {
		if ext != but {
			out = append(out, format{nameOf(family, ext), ext, sibling(u, family+"."+ext, "")})
		}
	}
	if but != "wide" {
		out = append(out, format{nameOf(family, "wide"), "wide", sibling(u, family+".json", "shape=wide")})
	}
	return out
}

// nameOf is what a format is called in the report: that of the first family by its
// kind alone.
func nameOf(family, ext string) string {
	if family == families[0] {
		return ext
	}
	return family + "." + ext
}

func kindOfFile(family, ext string, query url.Values) string {
	preset, counted := query.Get("preset"), family != "posts"
	fields := slices.Contains(families, family) && (preset == "caspar" || preset == "spx")
	switch {
	case ext == "xml" && fields:
		return "template"
	case ext != "json":
		return ext
	case family == "map":
		return "map"
	case !slices.Contains(families, family): // poll.json, topic.json
		return "nested"
	case preset == "viz-social" && counted:
		return "nested"
	case query.Get("shape") == "wide", fields:
		return "wide"
	}
	return ext
}

func sibling(u *url.URL, name, query string) string {
	v := *u
	v.Path = path.Join(path.Dir(u.Path), name)
	v.RawPath, v.RawQuery = "", query
	return v.String()
}
