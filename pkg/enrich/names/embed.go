package names

import (
	_ "embed"
	"sync"
)

//go:embed names.model
var embedded []byte

// Default returns the shipped table, read once.
var Default = sync.OnceValues(func() (*Table, error) { return Load(embedded) })
