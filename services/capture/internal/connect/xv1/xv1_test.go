package xv1

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
	"github.com/dghubble/go-twitter/twitter"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStream(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newServer(t, false) })
}

func TestSearch(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return searched{newServer(t, true)} })
}

// TestOtherTermsAnotherStream: what is asked for follows the topics, and between
// the two streams nothing is lost.
func TestOtherTermsAnotherStream(t *testing.T) {
	s := newServer(t, false)
	wants := connecttest.NewWants(connecttest.Topic("a", "first"))
	c, err := s.Connector(wants.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s.Say("the first one", "neither")
	got := map[string]bool{}
	err = c.Run(ctx, connect.Place("1"), connecttest.Into(func(b connect.Batch) error {
		for _, p := range b.Posts {
			got[p.Text] = true
			switch p.Text {
			case "the first one":
				s.Say("the second one")
				wants.Set(connecttest.Topic("a", `first OR "second one"`))
			case "the second one":
				cancel()
			}
		}
		return nil
	}))
	if diff := cmp.Diff(map[string]bool{"the first one": true, "the second one": true}, got); err != nil || diff != "" {
		t.Error(diff, err)
	}
	if last := s.asked[len(s.asked)-1]; last != "first,second one" {
		t.Errorf("asked for %q", s.asked)
	}
}

// texts runs a connector from a place until it delivered so many posts.
func texts(t *testing.T, c connect.Connector, from connect.Place, posts int, look func(got []string, b connect.Batch) error) (got []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = c.Run(ctx, from, connecttest.Into(func(b connect.Batch) error {
		for _, p := range b.Posts {
			if !slices.Contains(got, p.Text) {
				got = append(got, p.Text)
			}
		}
		if len(got) >= posts {
			cancel()
		}
		return look(got, b)
	}))
	slices.Sort(got)
	return got, err
}

func anHourAgo() connect.Place {
	return connect.Place(strconv.FormatInt(x.IDAt(time.Now().Add(-time.Hour)), 10))
}

// TestAGapIsFilledHoweverOftenTheSearchIsRefused: until then the place stays
// before it, though the stream brings newer posts; and what was found once is not
// asked for again.
func TestAGapIsFilledHoweverOftenTheSearchIsRefused(t *testing.T) {
	s := newServer(t, false)
	s.Say("clamor 1", "clamor 2", "clamor 3", "clamor 4", "clamor 5")
	s.perPage, s.allowed, s.noSearch = 2, 1, 2
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	from := anHourAgo()
	said := false
	got, err := texts(t, c, from, 6, func(got []string, b connect.Batch) error {
		if !said {
			said = true
			s.Say("clamor 6")
		}
		if len(got) < 6 && b.Behind != from {
			t.Errorf("the place is %s though there are only %q", b.Behind, got)
		}
		return nil
	})
	if want := []string{"clamor 1", "clamor 2", "clamor 3", "clamor 4", "clamor 5", "clamor 6"}; err != nil || !slices.Equal(got, want) || s.searches > 5 {
		t.Errorf("%q after %d searches: %v", got, s.searches, err)
	}
}

// TestWhatIsFoundInVainEndsTheRun: the log is away while the gap is filled, and
// there again a moment later. Went the stream on, the gap would be lost.
func TestWhatIsFoundInVainEndsTheRun(t *testing.T) {
	s := newServer(t, false)
	s.Say("clamor 1")
	c, err := s.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("the log is away")
	if err := c.Run(t.Context(), anHourAgo(), connecttest.Into(func(connect.Batch) error { return away })); !errors.Is(err, away) {
		t.Error(err)
	}
}

// TestNoticesOfTheStream: as they come over the wire.
func TestNoticesOfTheStream(t *testing.T) {
	var refused *connect.Refused
	var slow *connect.Slow
	for notice, kind := range map[string]any{
		`{"disconnect":{"code":6,"stream_name":"clamor-statuses237381","reason":"token revoked"}}`: &refused,
		`{"disconnect":{"code":12,"stream_name":"clamor-statuses237381","reason":"shed load"}}`:    &slow,
		`{"disconnect":{"code":4,"stream_name":"clamor-statuses237381","reason":"stall"}}`:         nil,
	} {
		s := newServer(t, false)
		c, err := s.Connector(connecttest.Env(t))
		if err != nil {
			t.Fatal(err)
		}
		posts, malformed := 0, 0
		out := connecttest.Opened{Into: func(b connect.Batch) error {
			posts, malformed = posts+len(b.Posts), malformed+b.Malformed
			return nil
		}, Answers: func() {
			s.Publish(`{"warning":{"code":"FALLING_BEHIND","message":"Your connection is falling behind and messages are being queued for delivery to you. Your queue is now over 60% full.","percent_full":60}}`)
			s.Say("clamor")
			s.Publish(notice)
		}}
		err = c.Run(t.Context(), "", out)
		if err == nil || kind != nil && !errors.As(err, kind) || kind == nil && (errors.As(err, &slow) || errors.As(err, &refused)) || posts != 1 || malformed != 0 {
			t.Errorf("%s: %d posts, %d malformed, %v", notice, posts, malformed, err)
		}
	}
}

// TestRefusalsAreTold in the platform's own words.
func TestRefusalsAreTold(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, told string
	}{
		{401, `{"errors":[{"code":32,"message":"Could not authenticate you."}]}`, "32 Could not authenticate you."},
		{406, "No filter parameters found. Expect at least one parameter: follow track locations\r\n", "No filter parameters found"},
		{420, "Exceeded connection limit for user", "Exceeded connection limit for user"},
		{503, "<html><body>", "503"},
	} {
		for _, search := range []bool{false, true} {
			s := newServer(t, search)
			conn, err := s.Connector(connecttest.Env(t))
			if err != nil {
				t.Fatal(err)
			}
			s.Answer(c.status, c.body)
			if err := conn.Run(t.Context(), "", connecttest.Into(nil)); err == nil || !strings.Contains(err.Error(), c.told) || strings.Contains(err.Error(), "html") {
				t.Errorf("search %v: %v", search, err)
			}
		}
	}
}

func TestThePlatformsLastWords(t *testing.T) {
	var refused *connect.Refused
	var slow *connect.Slow
	if err := disconnected(&twitter.StreamDisconnect{Code: 6, Reason: "token revoked"}); !errors.As(err, &refused) {
		t.Error(err)
	}
	if err := disconnected(&twitter.StreamDisconnect{Code: 2}); !errors.As(err, &slow) {
		t.Error(err)
	}
	if err := disconnected(&twitter.StreamDisconnect{Code: 1}); err == nil || errors.As(err, &slow) || errors.As(err, &refused) {
		t.Error(err)
	}
	if disconnected(nil) == nil {
		t.Error("no reason is no error")
	}
}

func TestTerms(t *testing.T) {
	if got := filterTerms([]string{"a", "b, c", "a", strings.Repeat("x", 61), ","}); !cmp.Equal(got, []string{"a", "b c"}) {
		t.Errorf("%q", got)
	}
	long := strings.Repeat("y", 300)
	if got := queries([]string{"a", "b c", `#d"`, long, long, strings.Repeat("z", 501), `"`}); !cmp.Equal(got, []string{`a OR "b c" OR "#d " OR ` + long, long}) {
		t.Errorf("%q", got)
	}
	if queries(nil) != nil {
		t.Error("a query for nothing")
	}
}

func TestSettings(t *testing.T) {
	good := map[string]any{"consumer_key": "a", "consumer_secret": "b", "access_token": "c", "access_secret": "d"}
	if _, err := New(good, connecttest.Env(t)); err != nil {
		t.Error(err)
	}
	for name, v := range map[string]any{"mode": "guess", "every": 0.0, "base_url": "ftp://x", "consumer_secret": "", "more": 1.0} {
		bad := map[string]any{"consumer_key": "a", "consumer_secret": "b", "access_token": "c", "access_secret": "d", name: v}
		if _, err := New(bad, connecttest.Env(t)); err == nil || !strings.Contains(err.Error(), "settings."+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTweets(t *testing.T) {
	// The form of an extended retweet with a place, media and a link, as the
	// platform's documentation shows it.
	const body = `{"created_at":"Fri May 01 20:00:00 +0000 2026","id":1050118621198921728,"id_str":"1050118621198921728",
		"text":"RT @globo: To make room…","in_reply_to_status_id_str":"","lang":"und","coordinates":{"type":"Point","coordinates":[-46.63,-23.55]},
		"user":{"id":6253282,"id_str":"6253282","name":"X API","screen_name":"api","location":"São Paulo","followers_count":6129794,"created_at":"Wed May 23 06:01:13 +0000 2007"},
		"retweet_count":3,"retweeted_status":{"id_str":"1050118621198921700","truncated":true,"text":"To make room…",
		"user":{"id_str":"1"},"extended_tweet":{"full_text":"To make room for more expression","entities":{"urls":[{"expanded_url":"https://example.org/a"}],
		"media":[]},"extended_entities":{"media":[{"media_url_https":"https://example.org/a.jpg","type":"photo"}]}}}}`
	var tweet twitter.Tweet
	if err := json.Unmarshal([]byte(body), &tweet); err != nil {
		t.Fatal(err)
	}
	got, err := postOf(&tweet)
	want := audience.Post{
		ID: "1050118621198921728", Platform: "x", Text: "To make room for more expression", CreatedAt: audience.MillisOf(time.Date(2026, 5, 1, 20, 0, 0, 0, time.UTC)),
		RepostOf: "1050118621198921700", Coordinates: &audience.Coordinates{Lat: -23.55, Lon: -46.63},
		Media: []string{"https://example.org/a.jpg"}, Links: []string{"https://example.org/a"},
		Author: audience.Author{ID: "6253282", Name: "X API", Handle: "api", Location: "São Paulo", Followers: 6129794, CreatedAt: audience.MillisOf(time.Date(2007, 5, 23, 6, 1, 13, 0, time.UTC))},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(diff, err)
	}
	for _, none := range []*twitter.Tweet{{}, {ID: 1}, {ID: 1, User: &twitter.User{}}} {
		if _, err := postOf(none); err == nil {
			t.Errorf("%+v is a post", none)
		}
	}
}

// TestWhatWasSaid: in whichever of its forms a tweet comes.
func TestWhatWasSaid(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want audience.Post
	}{
		"signs":    {`"text":"Tom &amp; Jerry &lt;3 &amp;lt; &copy;"`, audience.Post{Text: "Tom & Jerry <3 &lt; &copy;"}},
		"extended": {`"full_text":"@b a &amp; b","display_text_range":[3,12],"truncated":false`, audience.Post{Text: "@b a & b"}},
		"cut off": {`"text":"The beginning… https://t.co/a","truncated":true,"entities":{"urls":[{"expanded_url":"https://twitter.com/i/web/status/1"}]},
			"extended_tweet":{"full_text":"The beginning and the end https://t.co/b","entities":{"urls":[{"url":"https://t.co/b","expanded_url":"https://example.org/b"}]}}`,
			audience.Post{Text: "The beginning and the end https://t.co/b", Links: []string{"https://example.org/b"}}},
		"a quote": {`"text":"so true https://t.co/q","is_quote_status":true,"quoted_status_id_str":"9","quoted_status":{"id_str":"9","text":"quoted","user":{"id_str":"3"}},
			"entities":{"urls":[{"expanded_url":"https://twitter.com/b/status/9"}]}`, audience.Post{Text: "so true https://t.co/q", Links: []string{"https://twitter.com/b/status/9"}}},
		"a quote repeated": {`"text":"RT @b: so true…","retweeted_status":{"id_str":"8","full_text":"so true","possibly_sensitive":true,"user":{"id_str":"3"},"quoted_status":{"id_str":"9","text":"quoted"}}`,
			audience.Post{Text: "so true", RepostOf: "8", Sensitive: true}},
		"sensitive": {`"text":"t","possibly_sensitive":true`, audience.Post{Text: "t", Sensitive: true}},
		"pictures": {`"text":"t https://t.co/p","entities":{"media":[{"media_url_https":"https://pbs.twimg.com/1.jpg"}]},"extended_entities":{"media":[
			{"media_url_https":"https://pbs.twimg.com/1.jpg"},{"media_url_https":"https://pbs.twimg.com/2.jpg"}]}`,
			audience.Post{Text: "t https://t.co/p", Media: []string{"https://pbs.twimg.com/1.jpg", "https://pbs.twimg.com/2.jpg"}}},
		"a place": {`"text":"t","place":{"id":"68e019afec7d0ba5","place_type":"city","full_name":"Sao Paulo, Brazil","bounding_box":{"type":"Polygon",
			"coordinates":[[[-46.826,-24.008],[-46.826,-23.356],[-46.366,-23.356],[-46.366,-24.008]]]}}`,
			audience.Post{Text: "t", Coordinates: &audience.Coordinates{Lat: -23.682, Lon: -46.596}}},
		"a country":   {`"text":"t","place":{"id":"1b107df3ccc0aaa1","place_type":"country","bounding_box":{"type":"Polygon","coordinates":[[[-74,-34],[-74,5],[-34,5],[-34,-34]]]}}`, audience.Post{Text: "t"}},
		"no box":      {`"text":"t","place":{"id":"1","bounding_box":{"type":"Polygon","coordinates":[[]]}}`, audience.Post{Text: "t"}},
		"a time zone": {`"text":"t","created_at":"Fri May 01 17:00:00 -0300 2026"`, audience.Post{Text: "t"}},
	} {
		if !strings.Contains(c.body, `"created_at"`) {
			c.body += `,"created_at":"Fri May 01 20:00:00 +0000 2026"`
		}
		var tweet twitter.Tweet
		if err := json.Unmarshal([]byte(`{"id_str":"1","user":{"id_str":"2","name":"Ana 🇧🇷 &amp; Bia","location":"A &lt; B"},`+c.body+`}`), &tweet); err != nil {
			t.Fatal(name, err)
		}
		var b connect.Batch
		take(&b, &tweet, time.Unix(1790000000, 0))
		c.want.ID, c.want.Platform, c.want.CreatedAt, c.want.Author = "1", "x", 1777665600000, audience.Author{ID: "2", Name: "Ana 🇧🇷 & Bia", Location: "A < B"}
		if diff := cmp.Diff([]audience.Post{c.want}, b.Posts, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

func FuzzTweet(f *testing.F) {
	f.Add(`{"id":1,"user":{"id":2},"text":"t"}`)
	f.Add(`{"id":-1,"user":{"followers_count":-1},"extended_tweet":null,"coordinates":{}}`)
	f.Fuzz(func(t *testing.T, body string) {
		var tweet twitter.Tweet
		if json.Unmarshal([]byte(body), &tweet) != nil {
			return
		}
		var b connect.Batch
		if take(&b, &tweet, time.Unix(1790000000, 0)); len(b.Posts)+b.Malformed != 1 {
			t.Errorf("%+v", b)
		}
	})
}
