package control_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/google/go-cmp/cmp"
)

func TestEveryConnectorSaysWhatItCanBeTold(t *testing.T) {
	names := map[string]bool{}
	for _, c := range control.Connectors() {
		if names[c.Name] || c.Doc == "" || !slices.Contains([]control.Way{control.Gateways, control.Pushed, control.Pulled, control.Hooked}, c.Way) {
			t.Errorf("%+v", c)
		}
		names[c.Name] = true
		settings := map[string]bool{}
		for _, s := range c.Settings {
			if settings[s.Name] || s.Doc == "" || s.Secret && s.Type != control.Text && s.Type != control.Address {
				t.Errorf("%s: %+v", c.Name, s)
			}
			if (s.Type == control.Whole || s.Type == control.Number) && s.Least >= s.Most || s.Type == control.Address && len(s.OneOf) == 0 {
				t.Errorf("%s: %s has no bounds", c.Name, s.Name)
			}
			settings[s.Name] = true
		}
	}
}

func TestSettingsAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		connector string
		settings  map[string]any
		budget    *audience.Budget
		want      []string
	}{
		"fine":   {"x-v2", map[string]any{"bearer_token": "t", "rules": []any{"gol"}, "backfill": true}, nil, nil},
		"sealed": {"x-v2", map[string]any{"bearer_token": "sealed:1:x"}, nil, nil},
		"types": {
			"x-v2", map[string]any{"bearer_token": 1.0, "rules": "gol", "backfill": "yes", "base_url": "ftp://x", "max_rules": 1.5}, nil,
			[]string{"/settings/backfill", "/settings/base_url", "/settings/bearer_token", "/settings/max_rules", "/settings/rules"},
		},
		"missing":  {"x-v2", nil, nil, []string{"/settings/bearer_token"}},
		"unknown":  {"x-v2", map[string]any{"bearer_token": "t", "a/b": 1.0}, nil, []string{"/settings/a~1b"}},
		"choice":   {"x-v1", map[string]any{"consumer_key": "k", "consumer_secret": "s", "access_token": "t", "access_secret": "s", "mode": "guess"}, nil, []string{"/settings/mode"}},
		"tag":      {"mastodon", map[string]any{"url": "https://m.test", "stream": "hashtag", "hashtag": "gol"}, nil, nil},
		"no tag":   {"mastodon", map[string]any{"url": "https://m.test", "stream": "hashtag"}, nil, []string{"/settings/hashtag"}},
		"odd tag":  {"mastodon", map[string]any{"url": "https://m.test", "hashtag": "gol"}, nil, []string{"/settings/hashtag"}},
		"local":    {"mastodon", map[string]any{"url": "https://m.test", "hashtag": "gol", "stream": "local"}, nil, []string{"/settings/hashtag"}},
		"chat":     {"twitch", map[string]any{"channels": []any{"#Clamor"}, "nick": "Ear", "token": "t"}, nil, nil},
		"no nick":  {"twitch", map[string]any{"channels": []any{"a"}, "token": "t"}, nil, []string{"/settings/nick"}},
		"no token": {"twitch", map[string]any{"channels": []any{"a"}, "nick": "ear"}, nil, []string{"/settings/token"}},
		"names":    {"twitch", map[string]any{"channels": []any{"a", "a b"}, "nick": "#ear", "token": "t"}, nil, []string{"/settings/channels/1", "/settings/nick"}},
		"nowhere":  {"twitch", map[string]any{"channels": []any{}}, nil, []string{"/settings/channels"}},
		"crowded":  {"twitch", map[string]any{"channels": slices.Repeat([]any{"a"}, 21)}, nil, []string{"/settings/channels"}},
		"both":     {"youtube", map[string]any{"key": "k", "token": "t", "video": "v", "live_chat": "c"}, nil, []string{"/settings/live_chat", "/settings/token"}},
		"broker":   {"amqp", map[string]any{"url": "amqp://u:p@mq.test:5672/v?heartbeat=0", "queue": "q"}, nil, []string{"/settings/url"}},
		"secret":   {"amqp", map[string]any{"url": "sealed:1:x?y", "queue": "q"}, nil, nil},
		"sms":      {"sms", map[string]any{"author_key": "k", "auth_token": "t", "url": "https://m.test", "reply_counted": "Obrigado"}, nil, nil},
		"sms json": {"sms", map[string]any{"author_key": "k", "form": "json", "secret": "s", "fields": map[string]any{"id": "/a~1b"}, "tolerance_s": 5.0}, nil, nil},
		"two forms": {
			"sms", map[string]any{"author_key": "k", "auth_token": "t", "secret": "s", "fields": map[string]any{}, "reply_unknown": strings.Repeat("é", 1601)}, nil,
			[]string{"/settings/fields", "/settings/reply_unknown", "/settings/secret"},
		},
		"one form":  {"sms", map[string]any{"author_key": "k", "form": "json", "secret": "s", "auth_token": "t", "fields": map[string]any{"who": "/x"}}, nil, []string{"/settings/auth_token", "/settings/fields/who"}},
		"webhook":   {"webhook", map[string]any{"secret": "s", "signature_prefix": "v1=", "items": "/posts", "fields": map[string]any{"id": "/id", "text": "/t"}}, nil, nil},
		"two locks": {"webhook", map[string]any{"key": "k", "secret": "s", "fields": map[string]any{"id": "/id", "text": "/t"}}, nil, []string{"/settings/secret"}},
		"no lock":   {"webhook", map[string]any{"key": "", "secret": "s", "fields": map[string]any{"id": "/id", "text": "/t"}}, nil, []string{"/settings/key", "/settings/secret"}},
		"pointers": {
			"webhook", map[string]any{"key": "k", "items": "posts", "fields": map[string]any{"id": "/a~2", "a/b": "/x", "lat": strings.Repeat("/x", 33)}}, nil,
			[]string{"/settings/fields/a~1b", "/settings/fields/id", "/settings/fields/lat", "/settings/fields/text", "/settings/items"},
		},
		"units":    {"push", nil, &audience.Budget{Units: 1, Per: "day"}, nil},
		"nothing":  {"push", nil, &audience.Budget{Per: "day"}, []string{"/budget/posts"}},
		"no price": {"push", nil, &audience.Budget{Money: 1, Per: "day"}, []string{"/budget/cents_per_post"}},
		"negative": {"push", nil, &audience.Budget{Posts: 1, Units: -1, Per: "day", Overflow: "burst"}, []string{"/budget/overflow", "/budget/units"}},
	} {
		err := control.ValidateSource(&audience.Source{ID: "s", Show: "g", Connector: c.connector, Settings: c.settings, Budget: c.budget})
		var got []string
		if err != nil {
			for _, f := range err.Fields {
				got = append(got, f.Pointer)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
