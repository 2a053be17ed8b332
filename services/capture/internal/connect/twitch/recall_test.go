package twitch

import (
	"testing"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/google/go-cmp/cmp"
)

// TestABanTakesBackWhatWasDeliveredBefore where there is one channel; of several
// nobody knows in which it was said.
func TestABanTakesBackWhatWasDeliveredBefore(t *testing.T) {
	for _, c := range []struct {
		channels []any
		want     []string
	}{{[]any{"#Ronni"}, []string{"twitch:m"}}, {[]any{"ronni", "dallas"}, nil}} {
		conn, err := newServer(t).of(connecttest.Env(t), map[string]any{"channels": c.channels})
		if err != nil {
			t.Fatal(err)
		}
		conn.Recall(connect.Delivered{ID: "m", Author: "4242"})
		l, b := listener{now: clock, said: &conn.said}, connect.Batch{}
		if err := l.take([]byte("@room-id=1337;target-user-id=4242 :tmi.twitch.tv CLEARCHAT #ronni :ronni"), &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, b.Gone); diff != "" {
			t.Errorf("%v: %s", c.channels, diff)
		}
	}
}
