package control

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// Verdict is what became of an event.
type Verdict struct {
	// Offset is where the event stands in the log.
	Offset int64
	// Err says why it was refused; nil: it was accepted.
	Err *fault.Error
	// Revision is the subject's, behind the event.
	Revision uint64
	// Phase and Round are those a command leads to, and EffectiveAt is when.
	Phase       audience.Phase
	Round       uint32
	EffectiveAt audience.Millis
	// Run is the batch run that now waits, after a run.request.
	Run string
	// Repeated says that the event is a second copy of an earlier one and
	// changed nothing.
	Repeated bool
}

func refused(err *fault.Error) Verdict { return Verdict{Err: err} }
