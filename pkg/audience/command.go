package audience

// Verb is what a command does to a poll.
type Verb string

const (
	VerbOpen     Verb = "open"
	VerbClose    Verb = "close"
	VerbExtend   Verb = "extend"
	VerbReveal   Verb = "reveal"
	VerbHide     Verb = "hide"
	VerbFreeze   Verb = "freeze"
	VerbUnfreeze Verb = "unfreeze"
	VerbPause    Verb = "pause"
	VerbResume   Verb = "resume"
	VerbReset    Verb = "reset"
)

// Command is an order to a poll.
type Command struct {
	Command  Verb   `json:"command"`
	Revision uint64 `json:"revision,omitempty"`
	// At is when it takes effect; for extend, the new closing time.
	At       Millis   `json:"at,omitzero"`
	Seconds  int64    `json:"seconds,omitempty"`
	Audience Audience `json:"audience,omitempty"` // onair, public or all (empty)
	Reason   string   `json:"reason,omitempty"`
}
