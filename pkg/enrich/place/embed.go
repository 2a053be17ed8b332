package place

import (
	_ "embed"
	"sync"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

//go:embed place.model
var embedded []byte

// Default returns the shipped gazetteer, read once.
var Default = sync.OnceValues(func() (*Gazetteer, error) { return Load(embedded) })

//go:embed addresses.model
var addresses []byte

// DefaultAddresses returns the shipped database of countries, read once.
var DefaultAddresses = sync.OnceValues(func() (*Addresses, error) { return unpackAddresses(addresses) })

// Version names the shipped model by its contents.
var Version = sync.OnceValue(func() string { return modelfile.Version(embedded) })
