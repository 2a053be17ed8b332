package twitch

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/recall"
	"github.com/google/go-cmp/cmp"
)

func clock() time.Time { return time.UnixMilli(1777665600000) }

func newListener() listener {
	return listener{now: clock, said: &recall.Memory{}, nick: "ear", door: newDoor([]string{"a"})}
}

// Messages as Twitch's documentation of its IRC tags and commands has them.
const (
	privmsg = "@badge-info=;badges=turbo/1;color=#0D4200;display-name=Ronni;emotes=25:0-4,12-16/1902:6-10;id=b34ccfc7-4977-403a-8a94-33c6bac34fb8;" +
		"mod=0;room-id=1337;subscriber=0;tmi-sent-ts=1507246572675;turbo=1;user-id=4242;user-type=global_mod :ronni!ronni@ronni.tmi.twitch.tv PRIVMSG #ronni :Kappa Keepo Kappa"
	resub = `@badge-info=;badges=staff/1,broadcaster/1,turbo/1;color=#008000;display-name=ronni;emotes=;id=db25007f-7a18-43eb-9379-80131e44d633;login=ronni;mod=0;` +
		`msg-id=resub;msg-param-cumulative-months=6;msg-param-sub-plan=Prime;msg-param-sub-plan-name=Prime;room-id=12345678;subscriber=1;` +
		`system-msg=ronni\shas\ssubscribed\sfor\s6\smonths!;tmi-sent-ts=1507246572675;turbo=1;user-id=87654321;user-type=staff :tmi.twitch.tv USERNOTICE #dallas`
)

func TestMessages(t *testing.T) {
	plain := audience.Post{ID: "b34ccfc7-4977-403a-8a94-33c6bac34fb8", Platform: "twitch", Text: "Kappa Keepo Kappa", CreatedAt: 1507246572675,
		Author: audience.Author{ID: "4242", Name: "Ronni", Handle: "ronni"}}
	with := func(change func(*audience.Post)) []audience.Post {
		p := plain
		change(&p)
		return []audience.Post{p}
	}
	for name, c := range map[string]struct {
		message string
		want    []audience.Post
	}{
		"said": {privmsg, []audience.Post{plain}},
		"reply": {strings.Replace(privmsg, "room-id", "reply-parent-msg-id=885196de;reply-parent-display-name=Ana;reply-parent-msg-body=oi\\sgente;room-id", 1),
			with(func(p *audience.Post) { p.ReplyTo = "885196de" })},
		"me": {strings.Replace(privmsg, ":Kappa Keepo Kappa", ":\x01ACTION Kappa Keepo Kappa\x01", 1), []audience.Post{plain}},
		"shared chat": {strings.Replace(privmsg, "room-id", "source-id=a-b-c;source-room-id=1;room-id", 1),
			with(func(p *audience.Post) { p.ID = "a-b-c" })},
		"no emotes there": {strings.Replace(privmsg, "25:0-4,12-16", "25:90-94,x-y/:/7:3", 1), []audience.Post{plain}},
		"NUL and UTF-8":   {strings.Replace(privmsg, "Keepo", "Kee\x00po\xff", 1), with(func(p *audience.Post) { p.Text = "Kappa Keepo\uFFFD Kappa" })},
		"1970":            {strings.Replace(privmsg, "1507246572675", "1000", 1), with(func(p *audience.Post) { p.CreatedAt = 1000 })},
		"the future":      {strings.Replace(privmsg, "1507246572675", "32472144000000", 1), with(func(p *audience.Post) { p.CreatedAt = 32472144000000 })},
		"no time":         {strings.Replace(privmsg, "1507246572675", "soon", 1), with(func(p *audience.Post) { p.CreatedAt = 1777665600000 })},
		"resub, silent":   {resub, nil},
		"resub": {resub + " :Great stream -- keep it up!", []audience.Post{{ID: "db25007f-7a18-43eb-9379-80131e44d633", Platform: "twitch", Text: "Great stream -- keep it up!",
			CreatedAt: 1507246572675, Author: audience.Author{ID: "87654321", Name: "ronni", Handle: "ronni"}}}},
		"room":   {"@emote-only=0;followers-only=0;r9k=0;room-id=12345678;slow=0;subs-only=0 :tmi.twitch.tv ROOMSTATE #dallas", nil},
		"notice": {"@msg-id=slow_off :tmi.twitch.tv NOTICE #dallas :This room is no longer in slow mode.", nil},
	} {
		l, b := newListener(), connect.Batch{}
		if err := l.take([]byte(c.message), &b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, b.Posts); diff != "" || b.Malformed != 0 {
			t.Errorf("%s: %v %s", name, b.First, diff)
		}
	}
}

func TestDeletions(t *testing.T) {
	const id = "twitch:b34ccfc7-4977-403a-8a94-33c6bac34fb8"
	for message, want := range map[string]connect.Batch{
		"@login=ronni;room-id=;target-msg-id=b34ccfc7-4977-403a-8a94-33c6bac34fb8;tmi-sent-ts=1642720582342 :tmi.twitch.tv CLEARMSG #ronni :Kappa": {Gone: []string{id}},
		"@login=ronni;room-id=;target-msg-id=other;tmi-sent-ts=1642720582342 :tmi.twitch.tv CLEARMSG #ronni :Kappa":                                {Gone: []string{"twitch:other"}},
		"@ban-duration=350;room-id=1337;target-user-id=4242;tmi-sent-ts=1642719320727 :tmi.twitch.tv CLEARCHAT #ronni :ronni":                      {Gone: []string{id}},
		"@room-id=1337;target-user-id=4242;tmi-sent-ts=1642715756806 :tmi.twitch.tv CLEARCHAT #dallas :ronni":                                      {},
		"@room-id=1337;target-user-id=4243;tmi-sent-ts=1642715756806 :tmi.twitch.tv CLEARCHAT #ronni :ana":                                         {},
		"@room-id=12345678;tmi-sent-ts=1642715695392 :tmi.twitch.tv CLEARCHAT #ronni":                                                              {},
		"@room-id=12345678;tmi-sent-ts=1642715695392 :tmi.twitch.tv CLEARCHAT #ronni :ronni":                                                       {Malformed: 1},
		"@login=ronni;tmi-sent-ts=1642720582342 :tmi.twitch.tv CLEARMSG #ronni :Kappa":                                                             {Malformed: 1},
	} {
		l := newListener()
		var before, b connect.Batch
		if err := errors.Join(l.take([]byte(privmsg), &before), l.take([]byte(message), &b)); err != nil {
			t.Error(err)
		}
		b.First = nil
		if diff := cmp.Diff(want, b); diff != "" {
			t.Errorf("%s: %s", message, diff)
		}
		if len(want.Gone) > 0 && want.Gone[0] == id {
			if _ = l.take([]byte(message), &before); len(before.Posts) != 0 {
				t.Errorf("%s leaves a post that is not delivered yet", message)
			}
		}
	}
}

// TestASharedMessageHasTwoIds: its own, and one in the channel where it is
// deleted.
func TestASharedMessageHasTwoIds(t *testing.T) {
	l, b := newListener(), connect.Batch{}
	shared := strings.Replace(privmsg, "room-id", "source-id=a-b-c;source-room-id=1;room-id", 1)
	deletion := "@login=ronni;target-msg-id=b34ccfc7-4977-403a-8a94-33c6bac34fb8 :tmi.twitch.tv CLEARMSG #ronni :Kappa"
	if err := errors.Join(l.take([]byte(shared), &b), l.take([]byte(deletion), &b)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"twitch:b34ccfc7-4977-403a-8a94-33c6bac34fb8", "twitch:a-b-c"}, b.Gone); diff != "" || len(b.Posts) != 0 {
		t.Error(diff, b.Posts)
	}
}

func TestMalformed(t *testing.T) {
	l := newListener()
	for _, message := range []string{
		"@x", ":", "PRIVMSG", "CLEARMSG", strings.Replace(privmsg, "turbo/1", "turbo", 1), strings.Replace(privmsg, "id=b34ccfc7-4977-403a-8a94-33c6bac34fb8;", "", 1),
	} {
		var b connect.Batch
		if err := l.take([]byte(message), &b); err != nil || b.Malformed != 1 || len(b.Posts) != 0 {
			t.Errorf("%s: %v %+v", message, err, b)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, m := range []string{privmsg, resub, ":tmi.twitch.tv RECONNECT", "@emotes=1:0-0 :a PRIVMSG #a :", ":a!a@a JOIN #a", ":tmi.twitch.tv NOTICE * :Login authentication failed"} {
		f.Add(m)
	}
	f.Fuzz(func(t *testing.T, message string) {
		l, b := newListener(), connect.Batch{}
		if err := l.take([]byte(message), &b); err != nil && !errors.Is(err, errReconnect) && !errors.Is(err, errBarred) {
			t.Fatal(err)
		}
		if _, err := joined([]byte(message), "ear", newDoor([]string{"a"})); len(b.Posts)+b.Malformed > 1 {
			t.Fatalf("%+v %v", b, err)
		}
		for _, p := range b.Posts {
			if p.ID == "" || p.Author.ID == "" || strings.Contains(p.Text, "\x00") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
