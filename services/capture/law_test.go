package capture

import (
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"pgregory.net/rapid"
)

// TestTheTableAndConnectorsAgree: settings are refused where they are written, or
// work.
func TestTheTableAndConnectorsAgree(t *testing.T) {
	env := connecttest.Env(t)
	for _, c := range control.Connectors() {
		open := func(settings map[string]any) (err error) {
			if pull := pullers()[c.Name]; pull != nil {
				_, err = pull(settings, env)
			} else if hook := hookers()[c.Name]; hook != nil {
				_, err = hook(settings, env)
			}
			return err
		}
		if c.Name == audience.ConnectorReplay {
			continue // it looks for its file
		}
		t.Run(c.Name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				settings := map[string]any{}
				for _, s := range c.Settings {
					if s.Needed || rapid.Bool().Draw(rt, s.Name+" is there") {
						settings[s.Name] = rapid.SampledFrom(values(s)).Draw(rt, s.Name)
					}
				}
				refused := control.ValidateSource(&audience.Source{ID: "s", Show: "show", Connector: c.Name, Settings: settings})
				if err := open(settings); (refused == nil) != (err == nil) {
					rt.Fatalf("%v: the table says %v, the connector %v", settings, refused, err)
				}
			})
		})
	}
}

// values are some that a setting of a type may be given.
func values(s control.Setting) (all []any) {
	switch s.Type {
	case control.Whole, control.Number:
		return []any{s.Least, s.Most, s.Least + 1, s.Least + 0.5}
	case control.Switch:
		return []any{true, false}
	case control.List:
		return []any{[]any{}, []any{"x"}, []any{"#x", "Y"}, []any{"a b"}}
	case control.Texts:
		return []any{map[string]any{}, map[string]any{"id": "/id"}, map[string]any{"id": "/id", "text": "/t"}, map[string]any{"id": "id", "text": "/t"}, map[string]any{"id": "/id", "text": "/t", "odd": "/x"}, map[string]any{
			"id": "/0", "text": "/1", "author_id": "/2", "author_name": "/3", "author_handle": "/4", "author_location": "/5", "author_followers": "/6",
			"author_created_at": "/7", "created_at": "/8", "language": "/9", "lat": "/10", "lon": "/11", "links": "/~0", "media": "/~1", "reply_to": "/14", "repost_of": "/15",
		}}
	case control.Address:
		return []any{s.OneOf[0] + "://example.org/x", s.OneOf[0] + "://example.org", s.OneOf[0] + "://user:pw@example.org:99/x?y=z#w"}
	}
	for _, choice := range s.OneOf {
		all = append(all, choice)
	}
	return append(all, "x", "#x", "/x", "a b", "")
}
