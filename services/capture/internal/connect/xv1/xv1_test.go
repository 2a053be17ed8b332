package xv1

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/dghubble/go-twitter/twitter"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStream(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newX(t, false) })
}

func TestSearch(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return searched{newX(t, true)} })
}

// into is an Outlet that hands batches to a function.
type into func(connect.Batch) error

func (f into) Deliver(_ context.Context, b connect.Batch) error { return f(b) }
func (f into) Streaming()                                       {}
func (f into) Spend(context.Context, int64) error               { return nil }

// TestOtherTermsAnotherStream: what is asked for follows the topics, and between
// the two streams nothing is lost.
func TestOtherTermsAnotherStream(t *testing.T) {
	s := newX(t, false)
	wants := connecttest.NewWants(connecttest.Topic("a", "first"))
	c, err := s.Connector(wants.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s.Say("the first one", "neither")
	got := map[string]bool{}
	err = c.Run(ctx, connect.Place("1"), into(func(b connect.Batch) error {
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
