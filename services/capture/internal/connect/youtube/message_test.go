package youtube

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/google/go-cmp/cmp"
)

func clock() time.Time { return time.UnixMilli(1777665600000) }

func TestMessages(t *testing.T) {
	said := func(text string) []audience.Post {
		return []audience.Post{{ID: "m", Platform: "youtube", Author: audience.Author{ID: "UC1", Name: "@ana", Handle: "ana"}, Text: text, CreatedAt: 1777665600123}}
	}
	at := func(p []audience.Post, ms audience.Millis) []audience.Post {
		p[0].CreatedAt = ms
		return p
	}
	published := func(m map[string]any, at string) map[string]any {
		m["snippet"].(map[string]any)["publishedAt"] = at
		return m
	}
	text := func() map[string]any {
		return item("m", "textMessageEvent", "textMessageDetails", map[string]any{"messageText": "hi"})
	}
	nameless := text()
	delete(nameless, "authorDetails")
	for name, c := range map[string]struct {
		item map[string]any
		want []audience.Post
	}{
		"text":       {text(), said("hi")},
		"shown only": {item("m", "textMessageEvent", "none", nil), said("shown")},
		"super chat": {item("m", "superChatEvent", "superChatDetails", map[string]any{"amountMicros": "5000000", "currency": "BRL", "userComment": "vai!"}), said("vai!")},
		"money":      {item("m", "superChatEvent", "superChatDetails", map[string]any{"amountMicros": "5000000"}), nil},
		"sticker": {item("m", "superStickerEvent", "superStickerDetails", map[string]any{"superStickerMetadata": map[string]any{"stickerId": "s", "altText": "A cat", "altTextLanguage": "en"}}),
			said("A cat")},
		"milestone":  {item("m", "memberMilestoneChatEvent", "memberMilestoneChatDetails", map[string]any{"userComment": "6 months", "memberMonth": 6}), said("6 months")},
		"member":     {item("m", "newSponsorEvent", "newSponsorDetails", map[string]any{"isUpgrade": false}), nil},
		"tombstone":  {item("m", "tombstone", "none", nil), nil},
		"no details": {nameless, []audience.Post{{ID: "m", Platform: "youtube", Author: audience.Author{ID: "UC1"}, Text: "hi", CreatedAt: 1777665600123}}},
		"NUL":        {item("m", "textMessageEvent", "textMessageDetails", map[string]any{"messageText": "h\x00i"}), said("hi")},
		"1970":       {published(text(), "1970-01-01T00:00:01Z"), at(said("hi"), 1000)},
		"the future": {published(text(), "2999-01-01T00:00:00Z"), at(said("hi"), 32472144000000)},
		"no time":    {published(text(), "soon"), at(said("hi"), 1777665600000)},
	} {
		raw, err := json.Marshal(c.item)
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var b connect.Batch
		var memory recall.Memory
		m.into(&b, &memory, clock())
		if diff := cmp.Diff(c.want, b.Posts); diff != "" || b.Malformed != 0 {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

func TestWhatIsTakenBack(t *testing.T) {
	for name, c := range map[string]map[string]any{
		"deleted":   item("x", "messageDeletedEvent", "messageDeletedDetails", map[string]any{"deletedMessageId": "m"}),
		"retracted": item("x", "messageRetractedEvent", "messageRetractedDetails", map[string]any{"retractedMessageId": "m"}),
		"buried":    item("m", "tombstone", "none", nil),
		"banned":    item("x", "userBannedEvent", "userBannedDetails", map[string]any{"bannedUserDetails": map[string]any{"channelId": "UC1"}, "banType": "permanent"}),
	} {
		var b connect.Batch
		var memory recall.Memory
		for _, i := range []any{item("m", "textMessageEvent", "textMessageDetails", map[string]any{"messageText": "hi"}), c} {
			raw, err := json.Marshal(i)
			var m message
			if err != nil || json.Unmarshal(raw, &m) != nil {
				t.Fatal(err)
			}
			m.into(&b, &memory, clock())
		}
		if diff := cmp.Diff(connect.Batch{Posts: []audience.Post{}, Gone: []string{"youtube:m"}}, b); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestABanTakesBackWhatWasDeliveredBefore(t *testing.T) {
	c := &Connector{env: connect.Env{Now: clock}}
	c.Recall(connect.Delivered{ID: "m", Author: "UC1"})
	raw, err := json.Marshal(item("x", "userBannedEvent", "userBannedDetails", map[string]any{"bannedUserDetails": map[string]any{"channelId": "UC1"}}))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := c.batch(&page{Items: []json.RawMessage{raw}}); !cmp.Equal(b.Gone, []string{"youtube:m"}) {
		t.Errorf("%+v", b)
	}
}

func TestNoticesThatNameNothing(t *testing.T) {
	for _, i := range []map[string]any{
		item("x", "messageDeletedEvent", "messageDeletedDetails", nil), item("x", "messageRetractedEvent", "none", nil),
		item("x", "userBannedEvent", "userBannedDetails", map[string]any{"bannedUserDetails": map[string]any{}}),
	} {
		raw, err := json.Marshal(i)
		var m message
		if err != nil || json.Unmarshal(raw, &m) != nil {
			t.Fatal(err)
		}
		var b connect.Batch
		m.into(&b, &recall.Memory{}, clock())
		if b.Malformed != 1 || len(b.Gone) != 0 {
			t.Errorf("%s: %+v", raw, b)
		}
	}
}

func FuzzPage(f *testing.F) {
	raw, err := json.Marshal(map[string]any{"items": []any{item("m", "superStickerEvent", "superStickerDetails", map[string]any{"superStickerMetadata": map[string]any{"altText": "A"}}), 7, nil}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"items":[{"id":"1","snippet":{"type":"textMessageEvent","displayMessage":"x"}}],"pollingIntervalMillis":-5}`))
	c := &Connector{env: connect.Env{Now: clock}}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p page
		if decode(body, &p) != nil {
			return
		}
		b, _ := c.batch(&p)
		if len(b.Posts)+b.Malformed > len(p.Items) {
			t.Fatalf("%+v", b)
		}
		for _, p := range b.Posts {
			if p.ID == "" || p.Author.ID == "" || strings.Contains(p.Text, "\x00") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
