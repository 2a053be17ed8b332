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

func oneNeeded(names ...string) func(*faults, map[string]any) {
	return func(f *faults, settings map[string]any) {
		for _, name := range names {
			if v := settings[name]; v != nil && v != "" {
				return
			}
		}
		f.add("/settings/"+names[0], "is missing: give one of %s", strings.Join(names, ", "))
	}
}

// smsForm judges that an aggregator can prove who it is.
func smsForm(f *faults, settings map[string]any) {
	if settings["form"] == "json" {
		oneNeeded("secret")(f, settings)
		return
	}
	oneNeeded("auth_token")(f, settings)
}

// Connectors is the table of all connectors, and of all that they can be told.
func Connectors() []Connector {
	return []Connector{
		{Name: audience.ConnectorGateway, Way: Gateways, Doc: "ballots in batches, with the source's key"},
		{Name: audience.ConnectorPush, Way: Pushed, Doc: "posts as NDJSON, with the source's key"},
		{Name: audience.ConnectorReplay, Way: Pulled, Doc: "a file of posts (NDJSON), at the pace of their created_at", also: replayFile, Settings: []Setting{
			{Name: "file", Type: Text, Needed: true, Doc: "name of a file below replay/"},
			{Name: "speed", Type: Number, Least: 1e-6, Most: 1e6, Doc: "how many times faster than the posts' own pace; 1"},
			{Name: "loop", Type: Switch, Doc: "begin again at the end"},
		}},
		{Name: "x-v1", Way: Pulled, Doc: "X, API v1.1 and what is compatible with it: streaming filter, or search", Settings: []Setting{
			{Name: "consumer_key", Type: Text, Needed: true, Doc: "API key"},
			{Name: "consumer_secret", Type: Text, Needed: true, Secret: true, Doc: "API key's secret"},
			{Name: "access_token", Type: Text, Doc: "access token; a stream needs it"},
			{Name: "access_secret", Type: Text, Secret: true, Doc: "access token's secret"},
			{Name: "mode", Type: Text, OneOf: []string{"stream", "search"}, Doc: "stream, or ask again and again; stream"},
			{Name: "base_url", Type: Address, OneOf: []string{"https", "http"}, Doc: "another server that speaks the same API"},
			{Name: "track", Type: List, Doc: "terms, in place of those of the topics"},
			{Name: "languages", Type: List, Doc: "languages to ask for, like pt; all"},
			{Name: "every", Type: Whole, Least: 1, Most: 3600, Doc: "seconds between two searches; 5"},
		}},
		{Name: "x-v2", Way: Pulled, Doc: "X, API v2: filtered stream, and recent search for what was missed", Settings: []Setting{
			{Name: "bearer_token", Type: Text, Needed: true, Secret: true, Doc: "the app's bearer token"},
			{Name: "base_url", Type: Address, OneOf: []string{"https", "http"}, Doc: "another server that speaks the same API"},
			{Name: "rules", Type: List, Doc: "rules of X's own language, in place of those made from the topics"},
			{Name: "backfill", Type: Switch, Doc: "search for what was missed after a gap; true"},
			{Name: "rule_length", Type: Whole, Least: 128, Most: 4096, Doc: "characters that a rule may have; 512"},
			{Name: "max_rules", Type: Whole, Least: 1, Most: 1000, Doc: "rules that the app may have; 25"},
		}},
		{Name: "telegram", Way: Hooked, Doc: "a Telegram bot's groups, channels and chats", Settings: []Setting{
			{Name: "secret_token", Type: Text, Needed: true, Secret: true, Doc: "what setWebhook was given as secret_token"},
			{Name: "chats", Type: List, Doc: "ids or @names of the chats that count; all"},
		}},
		{Name: "meta", Way: Hooked, Doc: "WhatsApp, Facebook pages, Messenger and Instagram", Settings: []Setting{
			{Name: "app_secret", Type: Text, Needed: true, Secret: true, Doc: "the app's secret, which signs every call"},
			{Name: "verify_token", Type: Text, Needed: true, Secret: true, Doc: "what the subscription was given as verify token"},
			{Name: "author_key", Type: Text, Secret: true, Doc: "makes pseudonyms of WhatsApp's numbers; app_secret"},
			{Name: "accounts", Type: List, Doc: "ids of the pages and accounts that count; all"},
		}},
		{Name: "sms", Way: Hooked, Doc: "SMS, by Twilio or another aggregator", also: smsForm, Settings: []Setting{
			{Name: "form", Type: Text, OneOf: []string{"twilio", "json"}, Doc: "how the aggregator speaks; twilio"},
			{Name: "author_key", Type: Text, Needed: true, Secret: true, Doc: "makes pseudonyms of phone numbers; another key makes everybody a new author"},
			{Name: "reply_counted", Type: Text, Doc: "what is sent back for a vote; nothing"},
			{Name: "reply_unknown", Type: Text, Doc: "what is sent back for anything else; nothing"},
			{Name: "service_words", Type: List, Doc: "words that are between the sender and the aggregator; STOP, START, HELP and their like"},
			{Name: "auth_token", Type: Text, Secret: true, Doc: "twilio: the account's auth token"},
			{Name: "url", Type: Address, OneOf: []string{"https", "http"}, Doc: "twilio: the webhook's address as Twilio has it, where a proxy changes it"},
			{Name: "fields", Type: Texts, Doc: "json: pointers to id, from, text, created_at, location and media; /id and so on"},
			{Name: "secret", Type: Text, Secret: true, Doc: "json: signs the calls"},
			{Name: "signature_header", Type: Text, Doc: "header that has the signature; X-Signature-256"},
			{Name: "signature_prefix", Type: Text, Doc: "what stands before it, such as sha256=; nothing"},
			{Name: "signature_encoding", Type: Text, OneOf: []string{"hex", "base64"}, Doc: "how it is written; hex"},
			{Name: "timestamp_header", Type: Text, Doc: "header that has the time of the call in Unix seconds, which is signed too; X-Timestamp"},
			{Name: "tolerance_s", Type: Whole, Least: 1, Most: 86400, Doc: "seconds that a call may be old; 300"},
		}},
		{Name: "webhook", Way: Hooked, Doc: "anybody's JSON, read by JSON pointers", also: oneNeeded("key", "secret"), Settings: []Setting{
			{Name: "fields", Type: Texts, Needed: true, Doc: "a JSON pointer for each part of a post: id, text, author_id and others"},
			{Name: "items", Type: Text, Doc: "pointer to the list of posts; the body is one post"},
			{Name: "platform", Type: Text, Doc: "platform of the posts; the source's id"},
			{Name: "key", Type: Text, Secret: true, Doc: "a bearer key, if the calls are not signed"},
			{Name: "secret", Type: Text, Secret: true, Doc: "signs the calls"},
			{Name: "signature_header", Type: Text, Doc: "header that has the signature; X-Signature-256"},
			{Name: "signature_prefix", Type: Text, Doc: "what stands before it, such as sha256=; nothing"},
			{Name: "signature_encoding", Type: Text, OneOf: []string{"hex", "base64"}, Doc: "how it is written; hex"},
			{Name: "timestamp_header", Type: Text, Doc: "header that has the time of the call in Unix seconds, which is signed too; none"},
			{Name: "tolerance_s", Type: Whole, Least: 1, Most: 86400, Doc: "seconds that a call may be old; 300"},
		}},
		{Name: "amqp", Way: Pulled, Doc: "a queue of RabbitMQ", Settings: []Setting{
			{Name: "url", Type: Address, Needed: true, Secret: true, OneOf: []string{"amqp", "amqps"}, Doc: "amqp://user:password@host:port/vhost"},
			{Name: "queue", Type: Text, Needed: true, Doc: "the queue, which must be there"},
			{Name: "prefetch", Type: Whole, Least: 1, Most: 5000, Doc: "messages on their way at a time; 200"},
			{Name: "heartbeat", Type: Whole, Least: 1, Most: 300, Doc: "seconds; 10"},
		}},
	}
}
