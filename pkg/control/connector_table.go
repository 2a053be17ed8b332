package control

import "github.com/clamor-live/clamor/pkg/audience"

// Connectors is the table of all connectors and of all that they can be told. It
// is what definitions are judged by, what is sealed and masked by, and what is
// shown to people.
func Connectors() []Connector {
	all := []Connector{
		{Name: audience.ConnectorGateway, Way: Gateways, Doc: "ballots in batches, with the source's key"},
		{Name: audience.ConnectorPush, Way: Pushed, Doc: "posts as NDJSON, with the source's key"},
		{Name: audience.ConnectorReplay, Way: Pulled, Doc: "a file of posts (NDJSON), at the pace of their created_at", also: replayFile, Settings: []Setting{
			{Name: "file", Type: Text, Needed: true, Doc: "name of a file below replay/"},
			{Name: "speed", Type: Number, Least: 1e-6, Most: 1e6, Doc: "how many times faster than the posts' own pace; 1"},
			{Name: "loop", Type: Switch, Doc: "begin again at the end"},
		}},
	}
	return append(append(all, pulledConnectors()...), hookedConnectors()...)
}

func web() []string { return []string{"https", "http"} }

func pulledConnectors() []Connector {
	return []Connector{
		{Name: "x-v1", Way: Pulled, Doc: "X by API v1.1, or a server compatible with it: streaming filter, or search", Settings: []Setting{
			{Name: "consumer_key", Type: Text, Needed: true, Doc: "the app's key"},
			{Name: "consumer_secret", Type: Text, Needed: true, Secret: true, Doc: "the app's secret"},
			{Name: "access_token", Type: Text, Needed: true, Doc: "the account's access token"},
			{Name: "access_secret", Type: Text, Needed: true, Secret: true, Doc: "the access token's secret"},
			{Name: "mode", Type: Text, OneOf: []string{"stream", "search"}, Doc: "stream, or search again and again; stream"},
			{Name: "base_url", Type: Address, OneOf: web(), Doc: "another server, up to and with /1.1"},
			{Name: "track", Type: List, Doc: "terms, in place of those of the topics"},
			{Name: "languages", Type: List, Doc: "languages to ask for, like pt; all"},
			{Name: "every", Type: Whole, Least: 1, Most: 3600, Doc: "seconds between two searches; 5"},
		}},
		{Name: "x-v2", Way: Pulled, Doc: "X by API v2: filtered stream, and recent search for what was missed", Settings: []Setting{
			{Name: "bearer_token", Type: Text, Needed: true, Secret: true, Doc: "the app's bearer token"},
			{Name: "base_url", Type: Address, OneOf: web(), Doc: "in place of https://api.x.com"},
			{Name: "rules", Type: List, Doc: "rules in X's own language, in place of those made from the topics"},
			{Name: "backfill", Type: Switch, Doc: "search for what was missed in a gap; true"},
			{Name: "rule_length", Type: Whole, Least: 128, Most: 4096, Doc: "characters that a rule may have; 512"},
			{Name: "max_rules", Type: Whole, Least: 1, Most: 1000, Doc: "rules that the app may have; 25"},
		}},
		{Name: "bluesky", Way: Pulled, Doc: "Bluesky, through Jetstream", Settings: []Setting{
			{Name: "url", Type: Address, OneOf: []string{"wss", "ws"}, Doc: "the subscribe address of a Jetstream server; one of Bluesky's own"},
			{Name: "filter", Type: Text, OneOf: []string{"topics", "none"}, Doc: "topics keeps the posts that have words of the topics; topics"},
		}},
		{Name: "mastodon", Way: Pulled, Doc: "a Mastodon server's stream", also: mastodonStream, Settings: []Setting{
			{Name: "url", Type: Address, OneOf: web(), Needed: true, Doc: "the server, like https://mastodon.social"},
			{Name: "token", Type: Text, Secret: true, Doc: "an access token with the scope read; most servers want one"},
			{Name: "stream", Type: Text, OneOf: []string{"public", "local", "hashtag", "user"}, Doc: "which stream; public"},
			{Name: "hashtag", Type: Text, Doc: "the hashtag of the stream hashtag"},
			{Name: "streaming_url", Type: Address, OneOf: web(), Doc: "where streams are served, if not where the server says"},
		}},
		{Name: "twitch", Way: Pulled, Doc: "Twitch chat", also: twitchLogin, Settings: []Setting{
			{Name: "channels", Type: List, Needed: true, Doc: "up to 20 channels"},
			{Name: "nick", Type: Text, Doc: "the account that listens; nobody"},
			{Name: "token", Type: Text, Secret: true, Doc: "the account's OAuth token with chat:read"},
			{Name: "url", Type: Address, OneOf: []string{"ircs", "irc"}, Doc: "an IRC server; Twitch's"},
		}},
		{Name: "youtube", Way: Pulled, Doc: "the live chat of a YouTube broadcast", also: youtubeChat, Settings: []Setting{
			{Name: "key", Type: Text, Secret: true, Doc: "an API key of Google Cloud, or"},
			{Name: "token", Type: Text, Secret: true, Doc: "an OAuth access token"},
			{Name: "video", Type: Text, Doc: "id of the broadcast's video, or"},
			{Name: "live_chat", Type: Text, Doc: "id of its chat"},
			{Name: "units_per_call", Type: Whole, Least: 0, Most: 10_000, Doc: "quota units of a look at the chat; 5"},
			{Name: "interval", Type: Number, Least: 0.2, Most: 3600, Doc: "seconds between two looks at least; 1"},
			{Name: "url", Type: Address, OneOf: web(), Doc: "the API; Google's"},
		}},
		{Name: "rss", Way: Pulled, Doc: "a feed: RSS, Atom or JSON Feed", Settings: []Setting{
			{Name: "url", Type: Address, OneOf: web(), Needed: true, Doc: "the feed"},
			{Name: "interval", Type: Number, Least: 10, Most: 86_400, Doc: "seconds between two looks at least; 300"},
		}},
		{Name: "amqp", Way: Pulled, Doc: "a queue of RabbitMQ, with posts in JSON", also: amqpAddress, Settings: []Setting{
			{Name: "url", Type: Address, OneOf: []string{"amqp", "amqps"}, Needed: true, Secret: true, Doc: "amqps://user:password@host:port/vhost"},
			{Name: "queue", Type: Text, Needed: true, Doc: "the queue's name; it must be there"},
			{Name: "prefetch", Type: Whole, Least: 1, Most: 5000, Doc: "messages on their way at a time; 200"},
			{Name: "heartbeat", Type: Whole, Least: 1, Most: 300, Doc: "seconds between signs of life; 10"},
		}},
	}
}

func hookedConnectors() []Connector {
	return []Connector{
		{Name: "telegram", Way: Hooked, Doc: "a Telegram bot's groups, channels and chats", Settings: []Setting{
			{Name: "secret_token", Type: Text, Needed: true, Secret: true, Doc: "what setWebhook was given as secret_token"},
			{Name: "chats", Type: List, Doc: "ids or @names of the chats that count; all"},
		}},
		{Name: "meta", Way: Hooked, Doc: "WhatsApp (Cloud API), Facebook pages and Instagram", Settings: []Setting{
			{Name: "app_secret", Type: Text, Needed: true, Secret: true, Doc: "the app's secret, which signs every call"},
			{Name: "verify_token", Type: Text, Needed: true, Secret: true, Doc: "what the subscription was given as verify token"},
			{Name: "author_key", Type: Text, Secret: true, Doc: "makes pseudonyms of WhatsApp's numbers; app_secret"},
			{Name: "accounts", Type: List, Doc: "ids of the pages and accounts that count; all"},
		}},
		{Name: "sms", Way: Hooked, Doc: "an SMS aggregator: Twilio's form, or JSON", also: smsForm, Settings: append([]Setting{
			{Name: "form", Type: Text, OneOf: []string{"twilio", "json"}, Doc: "how the aggregator calls; twilio"},
			{Name: "author_key", Type: Text, Needed: true, Secret: true, Doc: "makes pseudonyms of phone numbers"},
			{Name: "reply_counted", Type: Text, Doc: "what is sent back for a vote; nothing"},
			{Name: "reply_unknown", Type: Text, Doc: "what is sent back for anything else; nothing"},
			{Name: "service_words", Type: List, Doc: "words that are between the sender and the aggregator; STOP, START, HELP and their like"},
			{Name: "auth_token", Type: Text, Secret: true, Doc: "twilio: the account's token, which signs every call"},
			{Name: "url", Type: Address, OneOf: web(), Doc: "twilio: the webhook's address as Twilio has it, where a proxy changes it"},
			{Name: "fields", Type: Texts, Doc: "json: pointers to id, from, text, created_at, location and media; /id and so on"},
			{Name: "secret", Type: Text, Secret: true, Doc: "json: signs the calls"},
		}, signed()...)},
		{Name: "webhook", Way: Hooked, Doc: "anybody's JSON, by JSON pointers", also: webhookProof, Settings: append([]Setting{
			{Name: "key", Type: Text, Secret: true, Doc: "a bearer key, or"},
			{Name: "secret", Type: Text, Secret: true, Doc: "what signs the calls (HMAC-SHA256)"},
			{Name: "fields", Type: Texts, Needed: true, Doc: "a pointer for each part of a post; id and text must be there"},
			{Name: "items", Type: Text, Doc: "pointer to the list of posts; the body is one post"},
			{Name: "platform", Type: Text, Doc: "platform of the posts; the source's id"},
		}, signed()...)},
	}
}

// signed are the settings of calls that are signed in the callers' own way.
func signed() []Setting {
	return []Setting{
		{Name: "signature_header", Type: Text, Doc: "header with the signature; X-Signature-256"},
		{Name: "signature_prefix", Type: Text, Doc: "what stands before the signature, such as sha256="},
		{Name: "signature_encoding", Type: Text, OneOf: []string{"hex", "base64"}, Doc: "how the signature is written; hex"},
		{Name: "timestamp_header", Type: Text, Doc: "header with Unix seconds, which are signed too"},
		{Name: "tolerance_s", Type: Whole, Least: 1, Most: 86_400, Doc: "seconds that a call may be old; 300"},
	}
}
