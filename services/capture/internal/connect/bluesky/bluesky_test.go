package bluesky

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/connect/connecttest"
	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConnector(t *testing.T) {
	connecttest.Run(t, func(t *testing.T) connecttest.Platform { return newJetstream(t) })
}

func TestSettings(t *testing.T) {
	env := connecttest.Env(t)
	c, err := open(nil, env)
	if err != nil || c.url.String() != standard || !c.filter {
		t.Error(c, err)
	}
	if c, err = open(map[string]any{"url": "ws://localhost:6008/subscribe", "filter": "none"}, env); err != nil || c.filter {
		t.Error(c, err)
	}
	for _, bad := range []map[string]any{{"url": "http://x"}, {"url": "x"}, {"filter": "some"}, {"cursor": "1"}} {
		if _, err := New(bad, env); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestQuery(t *testing.T) {
	j := newJetstream(t)
	j.close = &websocket.CloseError{Code: websocket.StatusGoingAway}
	c, err := j.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	us := time.Now().UnixMicro()
	if err := c.Run(t.Context(), connect.Place(strconv.FormatInt(us, 10)), connecttest.Into(nil)); err == nil {
		t.Error("the end of the connection is no error")
	}
	q, err := url.ParseQuery(j.query[0])
	if err != nil || q.Get("wantedCollections") != collection || q.Get("maxMessageSizeBytes") != "131072" ||
		q.Get("cursor") != strconv.FormatInt(us-5_000_000, 10) {
		t.Error(q, err)
	}
}

func TestConsumerTooSlow(t *testing.T) {
	j := newJetstream(t)
	j.close = &websocket.CloseError{Code: websocket.StatusPolicyViolation, Reason: "ConsumerTooSlow"}
	c, err := j.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	var slow *connect.Slow
	if err := c.Run(t.Context(), "", connecttest.Into(nil)); !errors.As(err, &slow) {
		t.Errorf("%v, want a Slow", err)
	}
}

// TestHugeMessagesAreBounded: one is counted, and the stream goes on behind it.
func TestHugeMessagesAreBounded(t *testing.T) {
	j := newJetstream(t)
	huge := j.event("did:plc:x", "commit", create("1", map[string]any{"text": "clamor " + strings.Repeat("x", 4<<20)}))
	j.Publish(huge)
	j.Say("clamor after it")
	c, err := j.Connector(connecttest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	malformed := 0
	err = c.Run(ctx, connect.Place(strconv.FormatInt(time.Now().UnixMicro(), 10)), connecttest.Into(func(b connect.Batch) error {
		malformed += b.Malformed
		if len(b.Posts) > 0 {
			cancel()
		}
		return nil
	}))
	if err != nil || malformed != 1 {
		t.Error(err, malformed)
	}
}
