package place

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

// Addresses tells the country of an internet address from a MaxMind database.
type Addresses struct{ db *maxminddb.Reader }

// OpenAddresses reads a database file. Country databases and those that nest
// the code under "country" both serve.
func OpenAddresses(path string) (*Addresses, error) {
	db, err := maxminddb.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open address database: %w", err)
	}
	return &Addresses{db}, nil
}

// LoadAddresses reads a database that is in memory already.
func LoadAddresses(file []byte) (*Addresses, error) {
	db, err := maxminddb.OpenBytes(file)
	if err != nil {
		return nil, fmt.Errorf("load address database: %w", err)
	}
	return &Addresses{db}, nil
}

// Country returns the country of an address, nowhere for private ones.
func (a *Addresses) Country(addr netip.Addr) Place {
	if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsUnspecified() {
		return Place{}
	}
	r := a.db.Lookup(addr.Unmap())
	if !r.Found() {
		return Place{}
	}
	var code string
	if err := r.DecodePath(&code, "country_code"); err != nil || code == "" {
		if err := r.DecodePath(&code, "country", "iso_code"); err != nil {
			return Place{}
		}
	}
	if len(code) != 2 {
		return Place{}
	}
	return Place{Country: code, Evidence: IP, Confidence: 0.9}
}

// unpackAddresses reads a compressed database.
func unpackAddresses(packed []byte) (*Addresses, error) {
	body, err := modelfile.Decode(packed, addressKind, version)
	if err != nil {
		return nil, fmt.Errorf("load address database: %w", err)
	}
	return LoadAddresses(body)
}

const addressKind = "ADDR"

// EncodeAddresses wraps a database for shipping.
func EncodeAddresses(file []byte) ([]byte, error) {
	return modelfile.Encode(addressKind, version, file)
}
