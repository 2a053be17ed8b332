package lang

import (
	_ "embed"
	"sync"

	"github.com/clamor-live/clamor/pkg/enrich/internal/modelfile"
)

//go:embed language.model
var embedded []byte

// Default returns the shipped model, read once.
var Default = sync.OnceValues(func() (*Model, error) { return Load(embedded) })

// Version names the shipped model by its contents.
var Version = sync.OnceValue(func() string { return modelfile.Version(embedded) })
