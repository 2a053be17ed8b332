package limit

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBurstThenSteadyRate(t *testing.T) {
	l := New(5, 20, 1000)
	now := int64(time.Hour)
	for i := range 20 {
		if wait := l.String("v", now); wait != 0 {
			t.Fatalf("request %d of the burst has to wait %v", i+1, wait)
		}
	}
	if wait := l.String("v", now); wait != 200*time.Millisecond {
		t.Errorf("behind the burst: wait %v, want 200ms", wait)
	}
	if wait := l.String("other", now); wait != 0 {
		t.Errorf("another voter waits %v", wait)
	}
	now += int64(200 * time.Millisecond)
	if wait := l.String("v", now); wait != 0 {
		t.Errorf("after the wait: %v", wait)
	}
}

// TestNeverMoreThanBurstPlusRate is the bucket's law, for any sequence.
func TestNeverMoreThanBurstPlusRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 100).Draw(t, "rate")
		burst := rapid.IntRange(1, 50).Draw(t, "burst")
		l := New(float64(rate), burst, 1000)
		start := int64(time.Hour)
		now, allowed := start, 0
		for range rapid.IntRange(1, 300).Draw(t, "requests") {
			now += rapid.Int64Range(0, int64(time.Second)/int64(rate)).Draw(t, "gap")
			wait := l.String("v", now)
			if wait == 0 {
				allowed++
			} else if l.String("v", now+int64(wait)-1) == 0 {
				t.Fatal("the wait is longer than needed")
			}
		}
		if most := burst + int(float64(now-start)/1e9*float64(rate)) + 1; allowed > most {
			t.Fatalf("%d allowed, at most %d", allowed, most)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	l := New(1, 5, 64*16)
	for i := range 100_000 {
		l.String(strconv.Itoa(i), int64(time.Hour))
	}
	n := 0
	for i := range l.shard {
		n += len(l.shard[i].due)
	}
	if n > 64*16 {
		t.Errorf("%d keys are kept", n)
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	l := New(0, 0, 1)
	for range 1000 {
		if l.String("v", 1) != 0 {
			t.Fatal("refused")
		}
	}
}

func TestClient(t *testing.T) {
	trusted := Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, tc := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4, 10.9.9.9"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6", "1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, nonsense"}, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:1", []string{"2001:db8::1"}, "2001:db8::1"},
		{"10.0.0.1:1", []string{"10.0.0.2"}, "10.0.0.2"},
	} {
		peer, ok := Peer(tc.peer)
		if !ok {
			t.Fatal(tc.peer)
		}
		if got := Client(peer, tc.forwarded, trusted); got.String() != tc.want {
			t.Errorf("%s via %q: %s, want %s", tc.peer, tc.forwarded, got, tc.want)
		}
	}
	if _, ok := Peer("@"); ok {
		t.Error("a Unix socket has no address")
	}
}

func TestNetwork(t *testing.T) {
	same := func(a, b string) bool {
		return Network(netip.MustParseAddr(a)) == Network(netip.MustParseAddr(b))
	}
	if !same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9") || same("2001:db8:1:2::1", "2001:db8:1:3::1") {
		t.Error("IPv6 is limited by /64")
	}
	if same("192.0.2.1", "192.0.2.2") {
		t.Error("IPv4 is limited by address")
	}
}
