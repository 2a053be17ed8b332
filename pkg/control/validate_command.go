package control

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

// maxExtend is the longest extension in seconds: a month.
const maxExtend = 31 * 24 * 3600

var verbs = [...]audience.Verb{
	audience.VerbOpen, audience.VerbClose, audience.VerbExtend, audience.VerbReveal, audience.VerbHide,
	audience.VerbFreeze, audience.VerbUnfreeze, audience.VerbPause, audience.VerbResume, audience.VerbReset,
}

// ValidateCommand says what is wrong with a command, whatever poll it is for. A
// member that the command does not heed is an error: who sends it expects
// something of it.
func ValidateCommand(c *audience.Command) *fault.Error {
	var f faults
	oneOf(&f, "/command", c.Command, verbs[:]...)
	f.text("/reason", c.Reason, false)
	f.check(c.At >= 0, "/at", "is before 1970")
	if c.Command == audience.VerbReveal || c.Command == audience.VerbHide {
		oneOf(&f, "/audience", c.Audience, audience.OnAir, audience.Public, All, "")
	} else {
		f.check(c.Audience == "", "/audience", "goes with reveal and hide only")
	}
	if c.Command != audience.VerbExtend {
		f.check(c.Seconds == 0, "/seconds", "goes with extend only")
		return f.err()
	}
	switch {
	case c.At != 0:
		f.check(c.Seconds == 0, "/seconds", "goes without at: give one of them")
	default:
		f.check(c.Seconds >= 1 && c.Seconds <= maxExtend, "/seconds", "is not in 1..%d", maxExtend)
	}
	return f.err()
}

// All is the audience of a reveal or hide for everyone; so is none.
const All audience.Audience = "all"
