package standalone

import "github.com/clamor-live/clamor/services/internal/process"

func (s stores) batch(_ *process.Process, _ Config) error { return nil }
