package control

// Machine replays the control log. It is not safe for concurrent use; the
// states it gives out are.
type Machine struct{}

// NewMachine is the machine before the first event.
func NewMachine() *Machine { return &Machine{} }

// Apply takes the event at an offset and says what became of it.
func (m *Machine) Apply(e Event, offset int64) Verdict { return Verdict{} }

// State is a snapshot behind the last event applied.
func (m *Machine) State() *State { return &State{} }
