package eventlog_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// anyBallot draws ballots that capture could write.
func anyBallot() *rapid.Generator[audience.Ballot] {
	return rapid.Custom(func(t *rapid.T) audience.Ballot {
		b := audience.Ballot{
			Poll:       rapid.StringMatching(`[a-z0-9-]{0,12}`).Draw(t, "poll"),
			Round:      rapid.Uint32().Draw(t, "round"),
			ReceivedAt: audience.Millis(rapid.Int64().Draw(t, "received")),
			ClosesAt:   audience.Millis(rapid.Int64().Draw(t, "closes")),
			Kind:       rapid.SampledFrom([]audience.Kind{"", audience.Choose, audience.Score, audience.React}).Draw(t, "kind"),
			PerVoter:   rapid.Uint32().Draw(t, "per voter"),
			OnRepeat:   rapid.SampledFrom([]audience.OnRepeat{"", audience.Reject, audience.Replace, audience.Add}).Draw(t, "on repeat"),
			Source:     rapid.String().Draw(t, "source"),
			Revision:   rapid.Uint64().Draw(t, "revision"),
			Post:       rapid.String().Draw(t, "post"),
		}
		copy(b.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		copy(b.Voter[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "voter"))
		for range rapid.IntRange(0, 5).Draw(t, "choices") {
			c := audience.Choice{Slot: rapid.Uint16Min(1).Draw(t, "slot")}
			if b.Kind == audience.Score {
				c.Score = rapid.Int32().Draw(t, "score")
			}
			b.Choices = append(b.Choices, c)
		}
		return b
	})
}

// What EncodeBallots writes, the generated code reads as the same ballots and
// would write with the same bytes; and the Decoder reads it too.
func TestBallotsKeepTheirContents(t *testing.T) {
	var d eventlog.Decoder
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(anyBallot(), 1, 5).Draw(t, "ballots")
		raw := eventlog.EncodeBallots([]byte("before"), want)[len("before"):]
		var rec clamorv1.Record
		if err := proto.Unmarshal(raw, &rec); err != nil {
			t.Fatal(err)
		}
		if again, err := (proto.MarshalOptions{Deterministic: true}).Marshal(&rec); err != nil || string(again) != string(raw) {
			t.Fatalf("%v: written by hand\n%x\nby the generated code\n%x", err, raw, again)
		}
		slow, err := eventlog.BallotsFrom(rec.GetBallots(), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := d.Decode(raw)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, slow); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(want, body.Ballots); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzDecode holds the Decoder to the generated code, for any bytes.
func FuzzDecode(f *testing.F) {
	f.Add(eventlog.EncodeBallots(nil, ballots(3)))
	f.Add(eventlog.EncodeBallots(nil, []audience.Ballot{{
		Kind: audience.Score, Choices: []audience.Choice{{Slot: 1, Score: -5}, {Slot: 2, Score: 9}}, Source: "sms", Post: "x:1",
	}}))
	f.Add([]byte{})
	f.Add([]byte{0x0a, 0x00})
	f.Add([]byte{0x0a, 0x02, 0x0a, 0x00})
	f.Add([]byte{0x1a, 0x02, 0x08, 0x07})
	var d eventlog.Decoder
	f.Fuzz(func(t *testing.T, raw []byte) {
		var rec clamorv1.Record
		err := proto.Unmarshal(raw, &rec)
		var want []audience.Ballot
		isBallots := err == nil && rec.GetBallots() != nil
		if isBallots {
			want, err = eventlog.BallotsFrom(rec.GetBallots(), nil)
		}
		body, fast := d.Decode(raw)
		if err == nil && rec.GetBody() == nil {
			if fast == nil {
				t.Fatal("an empty record was taken")
			}
			return
		}
		if err != nil && fast == nil {
			t.Fatalf("the generated code says %v, the decoder takes %x", err, raw)
		}
		if isBallots && err == nil {
			if fast != nil {
				t.Fatalf("the generated code takes %x, the decoder says %v", raw, fast)
			}
			if diff := cmp.Diff(want, append([]audience.Ballot(nil), body.Ballots...)); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func TestDecodeOtherBodies(t *testing.T) {
	var d eventlog.Decoder
	revocation := audience.Revocation{
		Poll: "final", Round: 2, Voter: audience.VoterID{1}, Ballot: audience.BallotID{2}, Restore: true, At: 5, Actor: "ann",
		Choices: []audience.Choice{{Slot: 1, Score: 3}, {Slot: 2}}, ReceivedAt: 9,
	}
	cut := audience.Cut{Number: 4, At: 7, Seals: []audience.RoundKey{{Poll: "final", Round: 2}}}
	for _, c := range []struct {
		name string
		rec  *clamorv1.Record
		ok   func(eventlog.Body) bool
	}{
		{"revocation", eventlog.RevocationRecord(&revocation), func(b eventlog.Body) bool { return cmp.Equal(b.Revocation, &revocation) }},
		{"cut", eventlog.CutRecord(cut), func(b eventlog.Body) bool { return cmp.Equal(b.Cut, &cut) }},
		{
			"control", &clamorv1.Record{Body: &clamorv1.Record_Control{Control: &clamorv1.Control{Id: "c"}}},
			func(b eventlog.Body) bool { return b.Control.GetId() == "c" },
		},
		{
			"post", &clamorv1.Record{Body: &clamorv1.Record_Post{Post: &clamorv1.Post{Id: "p"}}},
			func(b eventlog.Body) bool { return b.Post.GetId() == "p" },
		},
		{
			"moderation", &clamorv1.Record{Body: &clamorv1.Record_Moderation{Moderation: &clamorv1.Moderation{Reject: true, Post: &clamorv1.Post{Id: "p"}}}},
			func(b eventlog.Body) bool { return b.Moderation.GetReject() && b.Moderation.GetPost().GetId() == "p" },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := proto.Marshal(c.rec)
			if err != nil {
				t.Fatal(err)
			}
			body, err := d.Decode(raw)
			if err != nil || !c.ok(body) {
				t.Errorf("%+v, %v", body, err)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	item := func(change func(*clamorv1.Ballot)) *clamorv1.Record {
		b := &clamorv1.Ballot{Id: make([]byte, 16), Voter: make([]byte, 16), Poll: "p", Slots: []uint32{1}}
		change(b)
		return &clamorv1.Record{Body: &clamorv1.Record_Ballots{Ballots: &clamorv1.Ballots{Items: []*clamorv1.Ballot{b}}}}
	}
	for name, rec := range map[string]*clamorv1.Record{
		"short id":         item(func(b *clamorv1.Ballot) { b.Id = b.Id[:15] }),
		"no voter":         item(func(b *clamorv1.Ballot) { b.Voter = nil }),
		"slot 0":           item(func(b *clamorv1.Ballot) { b.Slots = []uint32{0} }),
		"slot 65536":       item(func(b *clamorv1.Ballot) { b.Slots = []uint32{1 << 16} }),
		"scores missing":   item(func(b *clamorv1.Ballot) { b.Slots, b.Scores = []uint32{1, 2}, []int32{1} }),
		"unknown kind":     item(func(b *clamorv1.Ballot) { b.Kind = 9 }),
		"unknown repeat":   item(func(b *clamorv1.Ballot) { b.OnRepeat = 9 }),
		"short revocation": {Body: &clamorv1.Record_Revocation{Revocation: &clamorv1.Revocation{Voter: []byte{1}}}},
	} {
		raw, err := proto.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := new(eventlog.Decoder).Decode(raw); err == nil {
			t.Errorf("%s: taken as %+v", name, body)
		}
	}
}

func TestPostKeepsItsContents(t *testing.T) {
	want := audience.Post{
		ID: "1", Platform: "x", Text: "hello", CreatedAt: 5, Language: "en", ReplyTo: "2", RepostOf: "3",
		Author:      audience.Author{ID: "a", Name: "Ann", Handle: "ann", Location: "Oslo", Followers: 7, CreatedAt: 3},
		Coordinates: &audience.Coordinates{Lat: 1.5, Lon: -2}, Media: []string{"m"}, Links: []string{"l"},
	}
	if diff := cmp.Diff(want, eventlog.PostFrom(eventlog.PostOf(&want))); diff != "" {
		t.Error(diff)
	}
	bare := audience.Post{ID: "1", Text: "t"}
	if diff := cmp.Diff(bare, eventlog.PostFrom(eventlog.PostOf(&bare))); diff != "" {
		t.Error(diff)
	}
}
