package capture

import (
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
)

// TestTheTableKnowsWhatConnectorsRead: what can be told, and must be, is one thing
// in the table that people see and in the connectors.
func TestTheTableKnowsWhatConnectorsRead(t *testing.T) {
	env := connecttest.Env(t)
	for _, c := range control.Connectors() {
		var open func(map[string]any) error
		if pull := pullers()[c.Name]; pull != nil {
			open = func(settings map[string]any) error { _, err := pull(settings, env); return err }
		} else if hook := hookers()[c.Name]; hook != nil {
			open = func(settings map[string]any) error { _, err := hook(settings, env); return err }
		} else {
			if c.Way == control.Pulled || c.Way == control.Hooked {
				t.Errorf("nothing makes a %s", c.Name)
			}
			continue
		}
		ways := []map[string]any{{}}
		for _, s := range c.Settings {
			for _, choice := range s.OneOf { // some settings belong to one choice of another
				ways = append(ways, map[string]any{s.Name: choice})
			}
		}
		for _, s := range c.Settings {
			read := false
			for _, way := range ways {
				settings := map[string]any{s.Name: sample(s)}
				for name, choice := range way {
					if name != s.Name {
						settings[name] = choice
					}
				}
				err := open(settings)
				read = read || err == nil || !strings.Contains(err.Error(), "settings."+s.Name+" is not a setting")
			}
			if !read {
				t.Errorf("%s does not read %s", c.Name, s.Name)
			}
			if err := open(map[string]any{}); s.Needed && (err == nil || !strings.Contains(err.Error(), "settings."+s.Name)) {
				t.Errorf("%s does without %s: %v", c.Name, s.Name, err)
			}
		}
	}
}

func TestTheTableHasEveryConnector(t *testing.T) {
	for name := range pullers() {
		if c, ok := control.ConnectorOf(name); !ok || c.Way != control.Pulled {
			t.Errorf("%s is not in the table as pulled", name)
		}
	}
	for name := range hookers() {
		if c, ok := control.ConnectorOf(name); !ok || c.Way != control.Hooked {
			t.Errorf("%s is not in the table as hooked", name)
		}
	}
}

// sample is a value of a setting's type.
func sample(s control.Setting) any {
	switch s.Type {
	case control.Whole, control.Number:
		return s.Least
	case control.Switch:
		return true
	case control.List:
		return []any{"x"}
	case control.Texts:
		return map[string]any{"id": "/id"}
	case control.Address:
		return s.OneOf[0] + "://example.org/x"
	default:
		return append(s.OneOf, "x")[0]
	}
}
