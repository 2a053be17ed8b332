package audience

// SourceState is how a source fares.
type SourceState string

// A source is starting until its platform answers, streaming from then on,
// waiting for the next try after a failure that passes, failed when somebody has
// to change its settings, and done when it has no more.
const (
	SourceStarting  SourceState = "starting"
	SourceStreaming SourceState = "streaming"
	SourceWaiting   SourceState = "waiting"
	SourceFailed    SourceState = "failed"
	SourceDone      SourceState = "done"
	SourceDisabled  SourceState = "disabled"
)

// SourceStatus is what is known of a source that runs. Counts begin anew where
// another instance takes the source over; what is spent does not.
type SourceStatus struct {
	State SourceState `json:"state"`
	Since Millis      `json:"since,omitzero"`
	// Detail is why, in a sentence without secrets; Until is when a waiting source
	// tries again.
	Detail string `json:"detail,omitempty"`
	Until  Millis `json:"until,omitzero"`

	Posts     int64   `json:"posts"`
	PerMinute float64 `json:"per_minute"`
	Malformed int64   `json:"malformed"`
	// Lost are the posts that the platform kept back, Unsampled those that the
	// budget had no room for.
	Lost      int64 `json:"lost"`
	Unsampled int64 `json:"unsampled"`
	// LastPostAt is when the last post was written, LagMillis how long
	// ago that is.
	LastPostAt Millis `json:"last_post_at,omitzero"`
	LagMillis  int64  `json:"lag_ms"`

	Budget *BudgetStatus `json:"budget,omitempty"`
}

// BudgetStatus is how much of a source's budget is spent in the window in hand.
type BudgetStatus struct {
	Per   string      `json:"per"`
	Posts *BudgetLine `json:"posts,omitempty"`
	Units *BudgetLine `json:"units,omitempty"`
	// Money is in hundredths.
	Money *BudgetLine `json:"money,omitempty"`
	// Warned: four fifths are spent.
	Warned bool `json:"warned"`
	// SampleRate is the share of posts that are taken in; 1 is all.
	SampleRate float64 `json:"sample_rate"`
}

// BudgetLine is one of a budget's limits.
type BudgetLine struct {
	Spent int64 `json:"spent"`
	Of    int64 `json:"of"`
}
