package topic

import "github.com/clamor-live/clamor/pkg/enrich/place"

// OtherPlatform stands for platforms whose name is no name.
const OtherPlatform = "other"

// interns keeps the few texts that counts are kept by, so that a post costs no
// allocation and nothing keeps a post's bytes.
type interns struct {
	platforms map[string]string
	regions   map[regionPair]string
}

type regionPair struct{ country, admin1 string }

// maxInterned bounds each cache; a full one starts again.
const maxInterned = 1 << 14

func newInterns() interns {
	return interns{map[string]string{}, map[regionPair]string{}}
}

func (n *interns) platform(name []byte) string {
	if known, ok := n.platforms[string(name)]; ok {
		return known
	}
	if len(n.platforms) >= maxInterned {
		clear(n.platforms)
	}
	as := platformName(name)
	n.platforms[string(name)] = as
	return as
}

func platformName(name []byte) string {
	low := make([]byte, 0, len(name))
	for _, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.':
		default:
			return OtherPlatform
		}
		low = append(low, c)
	}
	if len(low) == 0 || len(low) > 63 {
		return OtherPlatform
	}
	return string(low)
}

func (n *interns) region(p *place.Place) string {
	if p.Admin1 == "" {
		return ""
	}
	pair := regionPair{p.Country, p.Admin1}
	known, ok := n.regions[pair]
	if !ok {
		if len(n.regions) >= maxInterned {
			clear(n.regions)
		}
		known = RegionKey(p.Country, p.Admin1)
		n.regions[pair] = known
	}
	return known
}
