package sentiment

import (
	_ "embed"
	"sync"
)

//go:embed sentiment.model
var embedded []byte

// Default returns the shipped model, read once.
var Default = sync.OnceValues(func() (*Model, error) { return Load(embedded) })
