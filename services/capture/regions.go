package capture

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/clamor-live/clamor/pkg/enrich/place"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/book"
)

// regional refuses a ballot from a region that is known and not among the
// poll's. Where nobody knows the region, the ballot is taken: a viewer is not to
// lose a vote to our ignorance.
func (s *Service) regional(r *http.Request, m *book.Moment) error {
	if len(m.Poll.Regions) == 0 {
		return nil
	}
	a, ok := s.client(r)
	if !ok {
		return nil
	}
	if region, ok := s.locate(a); ok && !admits(m.Poll.Regions, region) {
		return fault.New(fault.InvalidBallot, "the poll takes no ballots from your region")
	}
	return nil
}

// admits says whether a region may be one of those: it is one, is part of one
// ("BR-SP" of "BR"), or has one of them as a part, and nobody knows which part.
func admits(regions []string, region string) bool {
	return slices.ContainsFunc(regions, func(one string) bool {
		return one == region || strings.HasPrefix(region, one+"-") || strings.HasPrefix(one, region+"-")
	})
}

// country is the region of an address as the shipped database knows it.
func country(a netip.Addr) (region string, ok bool) {
	addresses, err := place.DefaultAddresses()
	if err != nil {
		return "", false // it is part of the program, whose tests read it
	}
	region = addresses.Country(a).Country
	return region, region != ""
}
