package xv2

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/clamor-live/clamor/services/capture/internal/connect/x"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newServer(t) })
}

// TestRulesFollowTheTopics: obsolete rules go, foreign ones stay, the stream lives
// on.
func TestRulesFollowTheTopics(t *testing.T) {
	s := newServer(t)
	s.rules = []filter{{ID: "90", Value: "obsolete", Tag: "clamor:gone:a"}, {ID: "91", Value: "foreign", Tag: "theirs"}, {ID: "92", Value: "kept", Tag: "clamor:ear:k"}}
	wants := connecttest.NewWants(connecttest.Topic("a", "gol"), connecttest.Topic("k", "kept"))
	c, err := s.Connector(wants.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	batches := make(chan connect.Batch, 100)
	go func() {
		done <- c.Run(ctx, "", connecttest.Into(func(b connect.Batch) error { batches <- b; return nil }))
	}()
	standing := func(want ...string) {
		t.Helper()
		for !slices.Equal(s.values(), want) {
			select {
			case <-ctx.Done():
				t.Fatalf("the rules are %q, want %q", s.values(), want)
			case <-time.After(time.Millisecond):
			}
		}
	}
	standing("foreign", "kept", "gol")
	wants.Set(connecttest.Topic("a", `gol OR "fora de jogo"`))
	standing("foreign", `gol OR "fora de jogo"`)
	wants.Set() // no topic at all: a stream needs a rule, so they stay
	wants.Set(connecttest.Topic("b", "from:globo"))
	standing("foreign", "from:globo")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestAGapIsFilledHoweverOftenTheSearchIsRefused: until then the place stays
// before it, though the stream brings newer posts.
func TestAGapIsFilledHoweverOftenTheSearchIsRefused(t *testing.T) {
	s := newServer(t)
	s.Say("clamor 0")
	from := connect.Place(strconv.FormatInt(s.Last(), 10))
	s.Say("clamor 1", "clamor 2", "clamor 3", "clamor 4", "clamor 5") // three pages
	s.noSearch = 2
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := map[string]bool{}
	err = c.Run(ctx, from, connecttest.Into(func(b connect.Batch) error {
		for _, p := range b.Posts {
			got[p.Text] = true
		}
		missing := len(got) < 6
		if missing && b.Behind != from && b.Behind != "" {
			t.Errorf("the place is %s though posts are missing", b.Behind)
		}
		if b.Behind > from {
			cancel()
		}
		return nil
	}))
	if err != nil || len(got) < 5 || s.searches < 5 {
		t.Errorf("%v after %d searches: %v", got, s.searches, err)
	}
}

// TestASearchThatIsRefusedHalfWayGoesOnThere: what is paid for is asked for once.
func TestASearchThatIsRefusedHalfWayGoesOnThere(t *testing.T) {
	s := newServer(t)
	s.Say("clamor 0", "clamor 1", "clamor 2", "clamor 3", "clamor 4", "clamor 5")
	s.allowed, s.noSearch = 2, 1
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	from := x.GapAt("")
	from.Saw(x.IDAt(time.Now().Add(-time.Hour)))
	got, err := texts(t, c, from.Place(), 6, func() {})
	slices.Sort(got)
	if want := []string{"clamor 0", "clamor 1", "clamor 2", "clamor 3", "clamor 4", "clamor 5"}; err != nil || !slices.Equal(got, want) || s.searches != 4 {
		t.Errorf("%q in %d searches: %v", got, s.searches, err)
	}
}

func TestRulesThatThePlatformDoesNotTake(t *testing.T) {
	s := newServer(t)
	c, err := s.Connector(connecttest.NewWants(connecttest.Topic("a", "forbidden")).Env(t))
	if err != nil {
		t.Fatal(err)
	}
	var refused *connect.Refused
	if err := c.Run(t.Context(), "", connecttest.Into(nil)); !errors.As(err, &refused) {
		t.Error(err)
	}
}

func TestASecondConnectionIsTriedAgainSoon(t *testing.T) {
	s := newServer(t)
	s.rules = []filter{{ID: "1", Value: "clamor", Tag: "clamor:ear:all"}}
	s.Answer(429, `{"title":"ConnectionException","detail":"This stream is currently at the maximum allowed connection limit.","connection_issue":"TooManyConnections","type":"https://api.twitter.com/2/problems/streaming-connection"}`)
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	err = c.Run(t.Context(), "", connecttest.Into(nil))
	var wait *connect.Wait
	var slow *connect.Slow
	if err == nil || errors.As(err, &wait) || errors.As(err, &slow) {
		t.Error(err)
	}
}

func TestThePlatformEndsTheStream(t *testing.T) {
	for line, kind := range map[string]any{
		`{"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","detail":"This stream has been disconnected upstream for operational reasons.","type":"https://api.twitter.com/2/problems/operational-disconnect"}]}`: nil,
		`{"title":"ConnectionException","detail":"closed","connection_issue":"TooManyConnections","type":"https://api.twitter.com/2/problems/streaming-connection"}`:                                                                                          nil,
		`{"errors":[{"title":"UsageCapExceeded","type":"https://api.twitter.com/2/problems/usage-capped"}]}`:                                                                                                                                                  new(*connect.Slow),
		`{"errors":[{"title":"Client Forbidden","type":"https://api.twitter.com/2/problems/client-forbidden"}]}`:                                                                                                                                              new(*connect.Refused),
	} {
		r := &run{Connector: &Connector{env: connecttest.Env(t)}}
		err := r.take([]byte(line), &connect.Batch{})
		if err == nil || kind != nil && !errors.As(err, kind) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestValues(t *testing.T) {
	for text, want := range map[string][]string{
		`gol OR "fora de jogo" OR #copa OR @ana OR from:globo`: {`gol OR "fora de jogo" OR #copa OR @ana OR from:globo`},
		`gol brasil lang:pt`:  {"gol"},
		`c++ OR "say OR not"`: {`"c++" OR "say OR not"`},
		`lang:pt`:             nil,
		`(`:                   nil,
	} {
		if got := valuesOf(&audience.Topic{Rule: text}, 512); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	long := valuesOf(&audience.Topic{Rule: strings.Repeat("word OR ", 60) + "end"}, 128)
	for _, v := range long {
		if len(v) > 128 {
			t.Error(v)
		}
	}
	if len(long) < 3 || !strings.HasSuffix(long[len(long)-1], "end") {
		t.Errorf("%q", long)
	}
}

func TestSettings(t *testing.T) {
	if _, err := New(map[string]any{"bearer_token": "t", "rules": []any{"gol"}}, connecttest.Env(t)); err != nil {
		t.Error(err)
	}
	for name, v := range map[string]any{"bearer_token": "", "rules": "gol", "backfill": "no", "rule_length": 5.0, "max_rules": 0.0, "base_url": "x", "more": 1.0} {
		bad := map[string]any{"bearer_token": "t"}
		bad[name] = v
		if _, err := New(bad, connecttest.Env(t)); err == nil || !strings.Contains(err.Error(), "settings."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPosts(t *testing.T) {
	// A retweet with a picture, a link and a place, in the form of the platform's
	// documentation.
	const line = `{"data":{"id":"1212092628029698048","text":"RT @xdev: We believe…","author_id":"2244994945","created_at":"2026-05-01T20:00:00.000Z","lang":"qme",
		"geo":{"place_id":"01a9a39529b27f36"},"referenced_tweets":[{"type":"retweeted","id":"1212092627178287104"}]},
		"includes":{"users":[{"id":"2244994945","name":"X Dev","username":"xdev","location":"127.0.0.1","created_at":"2013-12-14T04:35:55.000Z","public_metrics":{"followers_count":513958}}],
		"media":[{"media_key":"16_1211797899316740096","type":"animated_gif","preview_image_url":"https://example.org/p.jpg"}],
		"places":[{"id":"01a9a39529b27f36","country_code":"US","geo":{"type":"Feature","bbox":[-74.0,40.0,-73.5,40.5]}}],
		"tweets":[{"id":"1212092627178287104","text":"We believe the best future version","author_id":"1","attachments":{"media_keys":["16_1211797899316740096"]},
		"entities":{"urls":[{"expanded_url":"https://short.example/a","unwound_url":"https://example.org/a"},{"expanded_url":"https://x.com/p","media_key":"16_1211797899316740096"}]}}]},
		"matching_rules":[{"id":"1","tag":"clamor:a"}]}`
	r := &run{Connector: &Connector{env: connecttest.Env(t)}}
	var b connect.Batch
	if err := r.take([]byte(line), &b); err != nil {
		t.Fatal(err)
	}
	want := []audience.Post{{
		ID: "1212092628029698048", Platform: "x", Text: "We believe the best future version", CreatedAt: audience.MillisOf(time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)),
		RepostOf: "1212092627178287104", Coordinates: &audience.Coordinates{Lat: 40.25, Lon: -73.75},
		Media: []string{"https://example.org/p.jpg"}, Links: []string{"https://example.org/a"},
		Author: audience.Author{ID: "2244994945", Name: "X Dev", Handle: "xdev", Location: "127.0.0.1", Followers: 513958, CreatedAt: audience.MillisOf(time.Date(2013, 12, 14, 4, 35, 55, 0, time.UTC))},
	}}
	if diff := cmp.Diff(want, b.Posts); diff != "" || r.gap.Newest() != 1212092628029698048 {
		t.Error(diff)
	}
}

// TestWhatWasSaid: all of a long post, and the signs that HTML would misread.
func TestWhatWasSaid(t *testing.T) {
	for name, c := range map[string]struct {
		data, includes string
		want           audience.Post
	}{
		"signs": {`"text":"Tom &amp; Jerry &lt;3 &amp;lt; \"x\" &copy;"`, ``, audience.Post{Text: `Tom & Jerry <3 &lt; "x" &copy;`}},
		"a long post": {`"text":"The beginning of it… https://t.co/a","entities":{"urls":[{"expanded_url":"https://x.com/i/web/status/1"}]},
			"note_tweet":{"text":"The beginning of it &amp; the end https://t.co/b","entities":{"urls":[{"url":"https://t.co/b","expanded_url":"https://example.org/b"}]}}`, ``,
			audience.Post{Text: "The beginning of it & the end https://t.co/b", Links: []string{"https://example.org/b"}}},
		"a long post repeated": {`"text":"RT @b: The beginning…","referenced_tweets":[{"type":"retweeted","id":"9"}]`,
			`"tweets":[{"id":"9","author_id":"3","text":"The beginning…","possibly_sensitive":true,"note_tweet":{"text":"The beginning and the end"}}]`,
			audience.Post{Text: "The beginning and the end", RepostOf: "9", Sensitive: true}},
		"an original that is gone": {`"text":"RT @b: The beginning…","referenced_tweets":[{"type":"retweeted","id":"9"}]`, ``,
			audience.Post{Text: "RT @b: The beginning…", RepostOf: "9"}},
		"a quote": {`"text":"so true https://t.co/q","referenced_tweets":[{"type":"quoted","id":"9"}],"entities":{"urls":[{"url":"https://t.co/q","expanded_url":"https://twitter.com/b/status/9"}]}`,
			`"tweets":[{"id":"9","author_id":"3","text":"quoted"}]`, audience.Post{Text: "so true https://t.co/q", Links: []string{"https://twitter.com/b/status/9"}}},
		"a reply":   {`"text":"@b no","referenced_tweets":[{"type":"replied_to","id":"9"}],"in_reply_to_user_id":"3"`, ``, audience.Post{Text: "@b no", ReplyTo: "9"}},
		"sensitive": {`"text":"t","possibly_sensitive":true`, ``, audience.Post{Text: "t", Sensitive: true}},
		"a name": {`"text":"t"`, `"users":[{"id":"2","name":"Ana 🇧🇷 &amp; Bia","username":"ana","location":"S&atilde;o &lt;3"}]`,
			audience.Post{Text: "t", Author: audience.Author{Name: "Ana 🇧🇷 & Bia", Handle: "ana", Location: "S&atilde;o <3"}}},
		"a time zone":   {`"text":"t","created_at":"2026-05-01T17:00:00.000-03:00"`, ``, audience.Post{Text: "t"}},
		"a large place": {`"text":"t","geo":{"place_id":"p"}`, `"places":[{"id":"p","geo":{"bbox":[-74,-34,-34,5]}}]`, audience.Post{Text: "t"}},
	} {
		if !strings.Contains(c.data, "created_at") {
			c.data += `,"created_at":"2026-05-01T20:00:00.000Z"`
		}
		r := &run{Connector: &Connector{env: connecttest.Env(t)}}
		var b connect.Batch
		if err := r.take([]byte(`{"data":{"id":"1","author_id":"2",`+c.data+`},"includes":{`+c.includes+`}}`), &b); err != nil {
			t.Fatal(err)
		}
		c.want.ID, c.want.Platform, c.want.Author.ID, c.want.CreatedAt = "1", "x", "2", 1777665600000
		if diff := cmp.Diff([]audience.Post{c.want}, b.Posts); diff != "" {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

// TestAllIsAskedFor: what a post may have is no use that is not asked for.
func TestAllIsAskedFor(t *testing.T) {
	q := fields()
	for name, want := range map[string]string{"tweet.fields": "note_tweet,possibly_sensitive", "expansions": "referenced_tweets.id.attachments.media_keys"} {
		if !strings.Contains(q.Get(name), want) {
			t.Errorf("%s=%s has no %s", name, q.Get(name), want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add(`{"data":{"id":"1","author_id":"2","text":"t","geo":{"coordinates":{"type":"Point","coordinates":[1]}}},"includes":{"places":[{"geo":{"bbox":[1]}}]}}`)
	f.Add(`{"errors":[{"title":"operational-disconnect"}]}`)
	f.Fuzz(func(t *testing.T, line string) {
		r := &run{Connector: &Connector{env: connect.Env{Now: func() time.Time { return time.Unix(1790000000, 0) }}}}
		var b connect.Batch
		if err := r.take([]byte(line), &b); err == nil && len(b.Posts)+b.Malformed != 1 {
			t.Errorf("%+v", b)
		}
		if len(r.gap.Place()) > connect.MaxPlace || !json.Valid([]byte(`"`+string(r.gap.Place())+`"`)) {
			t.Error(r.gap.Place())
		}
	})
}
