package xv1

import (
	"encoding/json"
	"testing"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/dghubble/go-twitter/twitter"
	"github.com/google/go-cmp/cmp"
)

// TestNotices: the forms are those of the platform's documentation of compliance.
func TestNotices(t *testing.T) {
	both := []string{"x:601430178305220608", "x:601430178305220609"}
	for name, c := range map[string]struct {
		notice string
		want   connect.Batch
	}{
		"drop":      {`{"drop":{"status":{"id":601430178305220600,"id_str":"601430178305220608","user_id":3198576760,"user_id_str":"3198576760"},"timestamp_ms":"1"}}`, connect.Batch{Gone: both}},
		"undrop":    {`{"undrop":{"status":{"id_str":"601430178305220608"}}}`, connect.Batch{}},
		"deleted":   {`{"user_delete":{"id":771136850,"timestamp_ms":"1432228153548"}}`, connect.Batch{Gone: both[:1]}},
		"suspended": {`{"user_suspend":{"id":771136850,"timestamp_ms":"1432228194217"}}`, connect.Batch{Gone: both[:1]}},
		"protected": {`{"user_protect":{"id":771136850,"timestamp_ms":"1432228177137"}}`, connect.Batch{Gone: both[:1]}},
		"another":   {`{"user_delete":{"id":771136851,"timestamp_ms":"1"}}`, connect.Batch{}},
		"back":      {`{"user_undelete":{"id":771136850,"timestamp_ms":"1"}}`, connect.Batch{}},
		"edited":    {`{"tweet_edit":{"id":"1","initial_tweet_id":"1"}}`, connect.Batch{}},
		"inexact":   {`{"user_delete":{"id":1601430178305220600}}`, connect.Batch{Malformed: 1}},
		"nobody":    {`{"user_suspend":{}}`, connect.Batch{Malformed: 1}},
		"nothing":   {`{"drop":{"status":7}}`, connect.Batch{Malformed: 1}},
		"odd":       {`{"drop":7,"user_delete":[]}`, connect.Batch{Malformed: 2}},
	} {
		r := withPosts(t)
		var notice map[string]any
		if err := json.Unmarshal([]byte(c.notice), &notice); err != nil {
			t.Fatal(err)
		}
		var b connect.Batch
		var limited int64
		if err := r.take(notice, &b, &limited); err != nil {
			t.Error(name, err)
		}
		b.First = nil
		if diff := cmp.Diff(c.want, b); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestDeletionsAndWithheldPosts(t *testing.T) {
	both := []string{"x:601430178305220608", "x:601430178305220609"}
	for name, c := range map[string]struct {
		notice any
		want   connect.Batch
	}{
		"deleted":      {&twitter.StatusDeletion{ID: 601430178305220608, IDStr: "601430178305220608"}, connect.Batch{Gone: both}},
		"the repeat":   {&twitter.StatusDeletion{ID: 601430178305220609}, connect.Batch{Gone: both[1:]}},
		"a favourite":  {(*twitter.StatusDeletion)(nil), connect.Batch{Malformed: 1}},
		"without id":   {&twitter.StatusDeletion{UserID: 7}, connect.Batch{Malformed: 1}},
		"everywhere":   {&twitter.StatusWithheld{ID: 601430178305220608, WithheldInCountries: []string{"XX"}}, connect.Batch{Gone: both}},
		"a claim":      {&twitter.StatusWithheld{ID: 601430178305220608, WithheldInCountries: []string{"XY"}}, connect.Batch{Gone: both}},
		"somewhere":    {&twitter.StatusWithheld{ID: 601430178305220608, WithheldInCountries: []string{"DE", "AR"}}, connect.Batch{}},
		"withheld nil": {(*twitter.StatusWithheld)(nil), connect.Batch{}},
	} {
		r := withPosts(t)
		var b connect.Batch
		var limited int64
		if err := r.take(c.notice, &b, &limited); err != nil {
			t.Error(name, err)
		}
		b.First = nil
		if diff := cmp.Diff(c.want, b); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// withPosts is a run that delivered a post and another's repeat of it.
func withPosts(t *testing.T) *run {
	t.Helper()
	r := &run{Connector: &Connector{env: connecttest.Env(t)}}
	var b connect.Batch
	said := &twitter.Tweet{ID: 601430178305220608, IDStr: "601430178305220608", Text: "gol", User: &twitter.User{ID: 771136850, IDStr: "771136850"}}
	r.add(&b, said)
	r.add(&b, &twitter.Tweet{ID: 601430178305220609, Text: "RT gol", User: &twitter.User{ID: 9}, RetweetedStatus: said})
	if len(b.Posts) != 2 {
		t.Fatalf("%+v", b)
	}
	return r
}

func TestWhatWasDeliveredBefore(t *testing.T) {
	c := &Connector{env: connecttest.Env(t)}
	c.Recall(connect.Delivered{ID: "2", Author: "7", RepostOf: "1"})
	r := &run{Connector: c}
	for _, notice := range []any{&twitter.StatusDeletion{ID: 1}, map[string]any{"user_delete": map[string]any{"id": 7.0}}} {
		var b connect.Batch
		var limited int64
		if err := r.take(notice, &b, &limited); err != nil || b.Gone[len(b.Gone)-1] != "x:2" {
			t.Error(err, b)
		}
	}
}
