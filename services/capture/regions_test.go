package capture_test

import (
	"net/netip"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/capture"
)

func TestRegions(t *testing.T) {
	where := map[string]string{"203.0.113.1": "BR", "203.0.113.2": "PT", "203.0.113.4": "BR-SP", "203.0.113.5": "BR-RJ", "203.0.113.6": "B"}
	h := newHouse(t, func(c *capture.Config, d *capture.Deps) {
		c.TrustedProxies = []string{"192.0.2.1"}
		d.Locate = func(a netip.Addr) (string, bool) { region, ok := where[a.String()]; return region, ok }
	})
	for poll, regions := range map[string][]string{"country": {"BR"}, "state": {"BR-SP", "UY"}} {
		h.putPoll(audience.Poll{ID: poll, Regions: regions})
		h.command(poll, audience.VerbOpen)
	}
	for _, c := range []struct {
		poll, addr string
		want       int
	}{
		{"country", "203.0.113.1", 202},
		{"country", "203.0.113.2", 422},
		{"country", "203.0.113.3", 202}, // nobody knows where it is
		{"country", "203.0.113.4", 202}, // a part of it
		{"country", "203.0.113.6", 422},
		{"state", "203.0.113.1", 202}, // nobody knows which part
		{"state", "203.0.113.2", 422},
		{"state", "203.0.113.4", 202},
		{"state", "203.0.113.5", 422},
	} {
		if got := h.castFrom(c.poll, c.addr); got != c.want {
			t.Errorf("%s from %s: %d, want %d", c.poll, c.addr, got, c.want)
		}
	}
}

// Without a locator of its own the program knows countries.
func TestCountriesAreKnown(t *testing.T) {
	h := newHouse(t, func(c *capture.Config, _ *capture.Deps) { c.TrustedProxies = []string{"192.0.2.1"} })
	h.putPoll(audience.Poll{ID: "p", Regions: []string{"US"}})
	h.command("p", audience.VerbOpen)
	for addr, want := range map[string]int{
		"8.8.8.8": 202, "200.160.2.3": 422, "10.0.0.7": 202, // private networks are nowhere
	} {
		if got := h.castFrom("p", addr); got != want {
			t.Errorf("from %s: %d, want %d", addr, got, want)
		}
	}
}

// castFrom casts a new voter's ballot through a proxy and gives the status.
func (h *house) castFrom(poll, addr string) int {
	h.t.Helper()
	return h.do("POST", "/v1/polls/"+poll+"/ballots", choose(1, "a"), "Authorization", "Bearer "+h.voter(), "X-Forwarded-For", addr).Code
}
