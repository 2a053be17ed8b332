package control

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// Validate says what is wrong with a poll's definition, field by field; nil:
// nothing. Fill in the defaults first.
func Validate(p *audience.Poll) *fault.Error { return nil }
