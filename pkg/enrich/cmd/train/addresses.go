package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// packAddresses wraps a country database. It is no part of the shared data, so
// the environment names it, and without one the shipped file stays.
func packAddresses(j job) error {
	path := os.Getenv("CLAMOR_ADDRESSES")
	if path == "" || j.check {
		fmt.Println("addresses: left as they are; CLAMOR_ADDRESSES names a database to ship")
		return nil
	}
	db, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := place.EncodeAddresses(db)
	if err != nil {
		return err
	}
	fmt.Printf("addresses: %d bytes\n", len(file))
	return os.WriteFile(filepath.Join(j.out, "place", "addresses.model"), file, 0o644)
}
