package control

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clamor-live/clamor/pkg/audience"
)

// What no single setting shows: a connector would refuse such settings when its
// source begins, so they are refused where they are written.

// maxTwitchChannels is what an account may join at a time.
const maxTwitchChannels = 20

// present says whether a setting has a value.
func present(settings map[string]any, name string) bool {
	v := settings[name]
	return v != nil && v != ""
}

// oneNeeded judges that at least one of some settings is there.
func oneNeeded(f *faults, settings map[string]any, names ...string) {
	for _, name := range names {
		if present(settings, name) {
			return
		}
	}
	f.add("/settings/"+names[0], "is missing, and so is %s: one of them is needed", names[1])
}

func mastodonStream(f *faults, settings map[string]any) {
	ofTag := settings["stream"] == "hashtag"
	f.check(!ofTag || present(settings, "hashtag"), "/settings/hashtag", "is missing: the stream is that of a hashtag")
	f.check(ofTag || !present(settings, "hashtag"), "/settings/hashtag", "is for the stream hashtag only")
	f.check(settings["stream"] != "user" || present(settings, "token"), "/settings/token", "is missing: the stream is that of an account")
}

func twitchLogin(f *faults, settings map[string]any) {
	f.check(!present(settings, "nick") || present(settings, "token"), "/settings/token", "is missing: an account needs one")
	f.check(!present(settings, "token") || present(settings, "nick"), "/settings/nick", "is missing: the token is an account's")
	name := regexp.MustCompile(`^#?[A-Za-z0-9_]{1,25}$`)
	if nick, _ := settings["nick"].(string); nick != "" {
		f.check(name.MatchString(nick) && nick[0] != '#', "/settings/nick", "is no account's name")
	}
	token, _ := settings["token"].(string)
	f.check(!strings.ContainsAny(token, " \r\n\x00"), "/settings/token", "is no token")
	channels, _ := settings["channels"].([]any)
	f.check(len(channels) > 0 || settings["channels"] == nil, "/settings/channels", "must not be empty")
	f.check(len(channels) <= maxTwitchChannels, "/settings/channels", "are more than %d, which is what an account may join", maxTwitchChannels)
	for i, channel := range channels[:min(len(channels), maxTwitchChannels)] {
		text, _ := channel.(string)
		f.check(name.MatchString(text), fmt.Sprintf("/settings/channels/%d", i), "is no channel's name")
	}
}

func youtubeChat(f *faults, settings map[string]any) {
	oneNeeded(f, settings, "key", "token")
	oneNeeded(f, settings, "video", "live_chat")
	f.check(!present(settings, "key") || !present(settings, "token"), "/settings/token", "is too much beside key: give one of them")
	f.check(!present(settings, "video") || !present(settings, "live_chat"), "/settings/live_chat", "is too much beside video: give one of them")
}

// amqpAddress judges a broker's address: a query could switch heartbeats off and
// name files of the machine.
func amqpAddress(f *faults, settings map[string]any) {
	text, _ := settings["url"].(string)
	if u, err := url.Parse(text); err == nil && !strings.HasPrefix(text, audience.SealMark) {
		f.check(u.RawQuery == "" && u.Fragment == "", "/settings/url", "is not of the form amqp://user:password@host:port/vhost")
	}
}

// maxReply is what aggregators take as one message, in characters.
const maxReply = 1600

func smsForm(f *faults, settings map[string]any) {
	for _, name := range []string{"reply_counted", "reply_unknown"} {
		text, _ := settings[name].(string)
		f.check(utf8.RuneCountInString(text) <= maxReply, "/settings/"+name, "has more than %d characters", maxReply)
	}
	if settings["form"] == "json" {
		f.check(present(settings, "secret"), "/settings/secret", "is missing: it signs the calls")
		tooMuch(f, settings, "is for the form twilio only", "auth_token", "url")
		pointers(f, settings, []string{"created_at", "from", "id", "location", "media", "text"})
		return
	}
	f.check(present(settings, "auth_token"), "/settings/auth_token", "is missing: it signs the calls")
	tooMuch(f, settings, "is for the form json only", append(signatures(), "fields")...)
}

func webhookProof(f *faults, settings map[string]any) {
	oneNeeded(f, settings, "key", "secret")
	if settings["key"] != nil {
		f.check(present(settings, "key"), "/settings/key", "must not be empty")
		tooMuch(f, settings, "is too much beside key: give one of them", signatures()...)
	}
	items, _ := settings["items"].(string)
	f.check(isPointer(items), "/settings/items", "is no JSON pointer")
	fields, _ := settings["fields"].(map[string]any)
	for _, name := range []string{"id", "text"} {
		f.check(settings["fields"] == nil || fields[name] != nil, "/settings/fields/"+name, "is missing: every post has one")
	}
	pointers(f, settings, []string{
		"author_created_at", "author_followers", "author_handle", "author_id", "author_location", "author_name", "created_at", "id",
		"language", "lat", "links", "lon", "media", "reply_to", "repost_of", "text",
	})
}

// signatures are the settings of calls that are signed.
func signatures() []string {
	names := []string{"secret"}
	for _, s := range signed() {
		names = append(names, s.Name)
	}
	return names
}

// tooMuch refuses settings that others make senseless.
func tooMuch(f *faults, settings map[string]any, why string, names ...string) {
	for _, name := range names {
		f.check(settings[name] == nil, "/settings/"+name, "%s", why)
	}
}

// pointers judges where the parts of a post are said to be.
func pointers(f *faults, settings map[string]any, parts []string) {
	fields, _ := settings["fields"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		at := "/settings/fields/" + escape(name)
		f.check(slices.Contains(parts, name), at, "is no part of a post; those are %s", strings.Join(parts, ", "))
		text, _ := fields[name].(string)
		f.check(isPointer(text), at, "is no JSON pointer")
	}
}

// maxSteps bounds a JSON pointer.
const maxSteps = 32

// isPointer says whether a text is a JSON pointer (RFC 6901).
func isPointer(text string) bool {
	bare := strings.NewReplacer("~0", "", "~1", "").Replace(text)
	return text == "" || text[0] == '/' && strings.Count(text, "/") <= maxSteps && !strings.Contains(bare, "~")
}
