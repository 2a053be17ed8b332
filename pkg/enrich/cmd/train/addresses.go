package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clamor-live/clamor/pkg/enrich/place"
)

// packAddresses wraps a country database, named by the environment because it
// is no part of the shared data.
func packAddresses(j job) error {
	path := os.Getenv("CLAMOR_ADDRESSES")
	if path == "" {
		return errors.New("CLAMOR_ADDRESSES names no database")
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
