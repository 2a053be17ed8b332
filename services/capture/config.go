package capture

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Config says how the doors behave. Durations and counts have working defaults;
// see DefaultConfig.
type Config struct {
	// AckDeadline is the longest from a ballot's received_at to the log's
	// acknowledgement; later it is answered 503, never 202. Sealing relies on
	// it: batch waits longer than this behind a close.
	AckDeadline time.Duration `yaml:"ack_deadline" doc:"longest from a ballot to its acknowledgement; later is 503"`
	// VoterLifetime is how long a voter token is good.
	VoterLifetime time.Duration `yaml:"voter_lifetime" doc:"how long a voter token is good"`
	// SecureCookie marks the voter's cookie Secure even if the request did not
	// come over TLS as far as this process can see.
	SecureCookie bool `yaml:"secure_cookie" doc:"mark the cookie Secure though TLS ends elsewhere"`
	// TrustedProxies are the addresses and networks (CIDR) whose
	// X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `yaml:"trusted_proxies" doc:"addresses and networks whose X-Forwarded-For is believed"`
	// ReplayDir is the folder of the replay sources' files; empty: none.
	ReplayDir string `yaml:"replay_dir" doc:"folder of the files that replay sources read"`

	Limits Limits `yaml:"limits"`
	Flush  Flush  `yaml:"flush"`
	App    App    `yaml:"app"`
}

// Limits bound the rate of requests.
type Limits struct {
	// Voter and Network are the steady rates a second, with their bursts. A
	// network is an IPv4 address or an IPv6 /64. 0: no limit.
	Voter        float64 `yaml:"voter" doc:"requests a second of a voter; 0 is no limit"`
	VoterBurst   int     `yaml:"voter_burst" doc:"how many at once"`
	Network      float64 `yaml:"network" doc:"requests a second of an IPv4 address or IPv6 /64; 0 is no limit"`
	NetworkBurst int     `yaml:"network_burst" doc:"how many at once"`
	// Exempt are networks (CIDR) without a network limit, besides loopback.
	Exempt []string `yaml:"exempt" doc:"networks without that limit, besides loopback"`
	// Tracked bounds how many voters, and how many networks, are remembered.
	Tracked int `yaml:"tracked" doc:"voters and networks remembered at most"`
	// Batches bounds how many batch requests are held in memory at a time.
	Batches int `yaml:"batches" doc:"batch requests in memory at most"`
}

// Flush bounds the group commit of each partition of ballots.
type Flush struct {
	// Ballots and Bytes bound one record.
	Ballots int `yaml:"ballots" doc:"ballots in a record at most"`
	Bytes   int `yaml:"bytes" doc:"bytes of a record at most"`
	// InFlight bounds the records on their way to the log at a time; a partition
	// has one at most. A log that writes one record after the other, as the
	// embedded one does, is fastest with 1: its records are fuller.
	InFlight int `yaml:"in_flight" doc:"records on their way at a time; 1 suits the embedded log"`
	// Delay is the longest that a busy partition's ballots wait for company; a
	// ballot that comes after a pause does not wait.
	Delay time.Duration `yaml:"delay" doc:"longest that ballots of a busy partition wait for company"`
	// Queue bounds the ballots that wait for one partition; beyond it the
	// answer is 503 overloaded.
	Queue int `yaml:"queue" doc:"ballots that wait for a partition at most; beyond it 503"`
}

// App lets an app's own users vote with the JWT they already have.
type App struct {
	// Issuer is the JWT's iss; empty: no JWT is accepted.
	Issuer string `yaml:"issuer" doc:"iss of the JWT that an app's own users vote with; empty is none"`
	// Audience is the JWT's aud, if set.
	Audience string `yaml:"audience" doc:"aud of that JWT, if it must have one"`
	// JWKS is the URL of the issuer's keys.
	JWKS string `yaml:"jwks" doc:"URL of the issuer's keys"`
}

// DefaultConfig is the contract's limits and bounds for a small machine.
func DefaultConfig() Config {
	return Config{
		AckDeadline:   2 * time.Second,
		VoterLifetime: 90 * 24 * time.Hour,
		Limits: Limits{
			Voter: 5, VoterBurst: 20,
			Network: 500, NetworkBurst: 2000,
			Tracked: 1 << 20, Batches: 32,
		},
		Flush: Flush{Ballots: 4096, Bytes: 512 << 10, InFlight: 64, Delay: 2 * time.Millisecond, Queue: 1 << 18},
	}
}

// Validate names every fault at once.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("capture."+format, args...))
		}
	}
	check(c.AckDeadline > 0, "ack_deadline: %v is not positive", c.AckDeadline)
	check(c.VoterLifetime >= time.Minute, "voter_lifetime: %v is below a minute", c.VoterLifetime)
	check(c.Limits.Voter >= 0 && c.Limits.Network >= 0, "limits: a rate is negative")
	check(c.Limits.Voter == 0 || c.Limits.VoterBurst > 0, "limits.voter_burst: must be positive")
	check(c.Limits.Network == 0 || c.Limits.NetworkBurst > 0, "limits.network_burst: must be positive")
	check(c.Limits.Tracked >= 1024, "limits.tracked: %d is below 1024", c.Limits.Tracked)
	check(c.Limits.Batches > 0, "limits.batches: must be positive")
	check(c.Flush.Ballots > 0 && c.Flush.Bytes > 1024, "flush: ballots must be positive and bytes above 1024")
	check(c.Flush.InFlight > 0, "flush.in_flight: must be positive")
	check(c.Flush.Delay >= 0 && c.Flush.Delay < c.AckDeadline/2, "flush.delay: %v is not in 0..ack_deadline/2", c.Flush.Delay)
	check(c.Flush.Queue >= 1<<17, "flush.queue: %d is below %d, what one batch may hold", c.Flush.Queue, 1<<17)
	check((c.App.Issuer == "") == (c.App.JWKS == ""), "app: issuer and jwks go together")
	for _, list := range [][]string{c.TrustedProxies, c.Limits.Exempt} {
		if _, err := networks(list); err != nil {
			errs = append(errs, fmt.Errorf("capture: %w", err))
		}
	}
	return errors.Join(errs...)
}

// networks reads addresses and CIDR networks.
func networks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, addrErr := netip.ParseAddr(s)
			if addrErr != nil {
				return nil, fmt.Errorf("%q is neither an address nor a network", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}
