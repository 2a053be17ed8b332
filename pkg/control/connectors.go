package control

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Way is how what a source brings comes in.
type Way string

const (
	// Gateways bring ballots, and pushers posts, with the source's key.
	Gateways Way = "gateway"
	Pushed   Way = "push"
	// Pulled are platforms that we ask, Hooked those that call us.
	Pulled Way = "pull"
	Hooked Way = "hook"
)

// SettingType is what a setting is in JSON.
type SettingType string

const (
	Text    SettingType = "text"
	Address SettingType = "address" // a URL
	Whole   SettingType = "whole number"
	Number  SettingType = "number"
	Switch  SettingType = "switch" // true or false
	List    SettingType = "list of texts"
	Texts   SettingType = "object of texts"
)

// Setting is one thing that a connector can be told.
type Setting struct {
	Name string      `json:"name"`
	Type SettingType `json:"type"`
	// Needed ones must be there; Secret ones are sealed and never shown.
	Needed bool `json:"needed,omitempty"`
	Secret bool `json:"secret,omitempty"`
	// Least and Most bound numbers; OneOf lists what a text may be, or the schemes
	// of an address.
	Least float64  `json:"least,omitempty"`
	Most  float64  `json:"most,omitempty"`
	OneOf []string `json:"one_of,omitempty"`
	Doc   string   `json:"doc"`
}

// Connector is a way to fetch posts, or ballots, and what it can be told.
type Connector struct {
	Name     string    `json:"name"`
	Way      Way       `json:"way"`
	Doc      string    `json:"doc"`
	Settings []Setting `json:"settings,omitempty"`

	// also judges what no single setting shows.
	also func(f *faults, settings map[string]any)
}

// ConnectorOf is the connector of that name.
func ConnectorOf(name string) (Connector, bool) {
	table := Connectors()
	i := slices.IndexFunc(table, func(c Connector) bool { return c.Name == name })
	if i < 0 {
		return Connector{}, false
	}
	return table[i], true
}

// Secrets are the names of the settings that are never shown.
func (c Connector) Secrets() (names []string) {
	for _, s := range c.Settings {
		if s.Secret {
			names = append(names, s.Name)
		}
	}
	return names
}

func connectorNames() (names []string) {
	for _, c := range Connectors() {
		names = append(names, c.Name)
	}
	return names
}

// judge says what is wrong with a source's settings.
func (c Connector) judge(f *faults, settings map[string]any) {
	known := map[string]bool{}
	for _, s := range c.Settings {
		known[s.Name] = true
		v := settings[s.Name]
		if v == nil {
			f.check(!s.Needed, "/settings/"+escape(s.Name), "is missing: %s", s.Doc)
			continue
		}
		if why := s.wrong(v); why != "" {
			f.add("/settings/"+escape(s.Name), "%s", why)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		f.check(known[name] || c.Way == Gateways || c.Way == Pushed, "/settings/"+escape(name), "is not a setting of %s", c.Name)
	}
	if c.also != nil {
		c.also(f, settings)
	}
}

// wrong is what is wrong with a value, without telling it: it may be a secret.
func (s Setting) wrong(v any) string {
	switch s.Type {
	case Text:
		text, ok := v.(string)
		switch {
		case !ok:
			return "is not a text"
		case text == "" && s.Needed:
			return "must not be empty"
		case len(s.OneOf) > 0 && !slices.Contains(s.OneOf, text):
			return "is not one of " + strings.Join(s.OneOf, ", ")
		}
	case Address:
		text, _ := v.(string)
		if s.Secret && strings.HasPrefix(text, audience.SealMark) {
			return "" // judged before it was sealed
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || len(text) > maxURL || !slices.Contains(s.OneOf, u.Scheme) {
			return "is not an address that begins with " + strings.Join(s.OneOf, ":// or ") + "://"
		}
	case Whole, Number:
		n, ok := v.(float64)
		if !ok || !(n >= s.Least && n <= s.Most) || s.Type == Whole && n != float64(int64(n)) {
			return fmt.Sprintf("is not a %s from %v to %v", s.Type, s.Least, s.Most)
		}
	case Switch:
		if _, ok := v.(bool); !ok {
			return "is not true or false"
		}
	case List:
		if list, ok := v.([]any); !ok || len(list) > maxList || slices.ContainsFunc(list, notText) {
			return fmt.Sprintf("is not a list of at most %d texts", maxList)
		}
	case Texts:
		if object, ok := v.(map[string]any); !ok || len(object) > maxList || slices.ContainsFunc(slices.Collect(maps.Values(object)), notText) {
			return "is not an object of texts"
		}
	}
	return ""
}

func notText(v any) bool {
	text, ok := v.(string)
	return !ok || text == ""
}

// replayFile judges a replay's file: one of the data folder's replay/.
func replayFile(f *faults, settings map[string]any) {
	file, _ := settings["file"].(string)
	f.check(file == "" || !path.IsAbs(file) && !strings.ContainsAny(file, "\\\x00") && path.Clean(file) == file &&
		file != ".." && !strings.HasPrefix(file, "../"), "/settings/file", "is not the name of a file below replay/")
}
