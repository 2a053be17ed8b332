package names

import (
	_ "embed"
	"sync"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

//go:embed names.model
var embedded []byte

// Default returns the shipped table, read once.
var Default = sync.OnceValues(func() (*Table, error) { return Load(embedded) })

// Version names the shipped model by its contents.
var Version = sync.OnceValue(func() string { return modelfile.Version(embedded) })
