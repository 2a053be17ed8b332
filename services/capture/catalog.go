package capture

import (
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/amqp"
	"github.com/clamor-live/clamor/services/capture/internal/connect/bluesky"
	"github.com/clamor-live/clamor/services/capture/internal/connect/mastodon"
	"github.com/clamor-live/clamor/services/capture/internal/connect/meta"
	"github.com/clamor-live/clamor/services/capture/internal/connect/rss"
	"github.com/clamor-live/clamor/services/capture/internal/connect/sms"
	"github.com/clamor-live/clamor/services/capture/internal/connect/telegram"
	"github.com/clamor-live/clamor/services/capture/internal/connect/twitch"
	"github.com/clamor-live/clamor/services/capture/internal/connect/webhook"
	"github.com/clamor-live/clamor/services/capture/internal/connect/xv1"
	"github.com/clamor-live/clamor/services/capture/internal/connect/xv2"
	"github.com/clamor-live/clamor/services/capture/internal/connect/youtube"
)

// pullers make the connectors of platforms that we ask.
func pullers() map[string]func(map[string]any, connect.Env) (connect.Connector, error) {
	return map[string]func(map[string]any, connect.Env) (connect.Connector, error){
		audience.ConnectorReplay: func(settings map[string]any, env connect.Env) (connect.Connector, error) {
			return connect.NewReplay(env.ReplayDir, settings, env.Now)
		},
		"x-v1":     xv1.New,
		"x-v2":     xv2.New,
		"bluesky":  bluesky.New,
		"mastodon": mastodon.New,
		"twitch":   twitch.New,
		"youtube":  youtube.New,
		"rss":      rss.New,
		"amqp":     amqp.New,
	}
}

// takesBack says whether a connector's platform tells of posts that are gone.
func takesBack(connector string) bool {
	switch connector {
	case "x-v1", "bluesky", "mastodon", "twitch", "youtube":
		return true
	}
	return false
}

// hookers make the readers of platforms that call us.
func hookers() map[string]func(map[string]any, connect.Env) (connect.Hook, error) {
	return map[string]func(map[string]any, connect.Env) (connect.Hook, error){
		"telegram": telegram.NewHook,
		"meta":     meta.NewHook,
		"sms":      sms.NewHook,
		"webhook":  webhook.NewHook,
	}
}

// settings are a source's with its secrets opened, and the secrets, which are
// never to be told.
func (s *Service) settings(src *control.Source) (open map[string]any, secrets []string, err error) {
	table, ok := control.ConnectorOf(src.Connector)
	if !ok {
		return nil, nil, fmt.Errorf("there is no connector %q", src.Connector)
	}
	open = make(map[string]any, len(src.Settings))
	for name, v := range src.Settings {
		open[name] = v
	}
	for _, name := range table.Secrets() {
		text, ok := open[name].(string)
		if !ok || text == "" {
			continue
		}
		if strings.HasPrefix(text, audience.SealMark) {
			if text, err = s.keys.Unseal(src.ID, name, text); err != nil {
				return nil, nil, fmt.Errorf("settings.%s: %w", name, err)
			}
		}
		open[name], secrets = text, append(secrets, text)
	}
	return open, secrets, nil
}
