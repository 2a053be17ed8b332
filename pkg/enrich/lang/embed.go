package lang

import (
	_ "embed"
	"sync"
)

//go:embed language.model
var embedded []byte

// Default returns the shipped model, read once.
var Default = sync.OnceValues(func() (*Model, error) { return Load(embedded) })
