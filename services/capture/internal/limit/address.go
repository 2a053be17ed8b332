package limit

import (
	"net/netip"
	"strings"
)

// Networks are addresses that are treated alike.
type Networks []netip.Prefix

// Has says whether an address lies in one of the networks.
func (n Networks) Has(a netip.Addr) bool {
	for _, p := range n {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Peer is the address of a connection's other end; false when there is none
// (a Unix socket).
func Peer(remoteAddr string) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	return ap.Addr().Unmap().WithZone(""), true
}

// Client is the address that a request came from: the peer, or, as long as what
// stands there is a trusted proxy, the one that it names, from the right end of
// X-Forwarded-For. What stands further left can be forged.
func Client(peer netip.Addr, forwarded []string, trusted Networks) netip.Addr {
	if len(trusted) == 0 || len(forwarded) == 0 || !trusted.Has(peer) {
		return peer
	}
	at := peer
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return at
		}
		at = hop.Unmap().WithZone("")
		if !trusted.Has(at) {
			return at
		}
	}
	return at
}

// Network is what shares a limit: an IPv4 address, or an IPv6 /64.
func Network(a netip.Addr) [16]byte {
	b := a.As16()
	if !a.Is4() && !a.Is4In6() {
		clear(b[8:])
	}
	return b
}
