package audience

// Kind is how a poll is answered.
type Kind string

const (
	Choose Kind = "choice"
	Score  Kind = "score"
	React  Kind = "reaction"
)

// OnRepeat is what a voter's ballot beyond the limit does.
type OnRepeat string

const (
	Reject  OnRepeat = "reject"
	Replace OnRepeat = "replace"
	Add     OnRepeat = "add"
)

// Phase is where a round stands.
type Phase string

const (
	Standby  Phase = "standby"
	Open     Phase = "open"
	Paused   Phase = "paused"
	Frozen   Phase = "frozen"
	Closed   Phase = "closed"
	Verified Phase = "verified"
)

// RevealMode is when figures show by themselves.
type RevealMode string

const (
	RevealManual RevealMode = "manual"
	RevealOpen   RevealMode = "open"
	RevealVote   RevealMode = "vote"
	RevealClose  RevealMode = "close"
	RevealNever  RevealMode = "never"
)

// Audience is who a figure is shown to.
type Audience string

const (
	OnAir    Audience = "onair"
	Public   Audience = "public"
	Producer Audience = "producer"
)

// Denominator is what percentages are shares of.
type Denominator string

const (
	OfVotes  Denominator = "votes"
	OfVoters Denominator = "voters"
)

// Poll is a question put to the audience.
type Poll struct {
	ID                  string      `json:"id"`
	Show                string      `json:"show"`
	Kind                Kind        `json:"kind"`
	Question            string      `json:"question"`
	Options             []Option    `json:"options"`
	Limits              Limits      `json:"limits"`
	Reveal              RevealMode  `json:"reveal"`
	Denominator         Denominator `json:"denominator"`
	ClosesAt            Millis      `json:"closes_at,omitzero"`
	Regions             []string    `json:"regions,omitempty"`
	Social              *Social     `json:"social,omitempty"`
	CountsRejectedPosts bool        `json:"counts_rejected_posts"`
}

// Option is one answer. Its place in Poll.Options, from 1, is its slot: it is
// what ballots carry, and it does not change within a round.
type Option struct {
	ID         string   `json:"id"`
	Label      string   `json:"label"`
	LabelShort string   `json:"label_short,omitempty"`
	Image      string   `json:"image,omitempty"`
	Color      string   `json:"color,omitempty"`
	Keywords   []string `json:"keywords,omitempty"`
}

// Limits bound what one voter may do in one round.
type Limits struct {
	// BallotsPerVoter is 1 to 1,000, or 0 for no limit.
	BallotsPerVoter uint32   `json:"ballots_per_voter"`
	OnRepeat        OnRepeat `json:"on_repeat"`
	MinChoices      int      `json:"min_choices"`
	MaxChoices      int      `json:"max_choices"`
	ScoreMin        int32    `json:"score_min"`
	ScoreMax        int32    `json:"score_max"`
}

// Social says how posts vote.
type Social struct {
	// Count is "authors" (the poll's limits) or "posts" (each post once).
	Count string `json:"count"`
	// Match is "anywhere" or "exact" (nothing else in the text).
	Match string `json:"match"`
}

const (
	CountAuthors  = "authors"
	CountPosts    = "posts"
	MatchAnywhere = "anywhere"
	MatchExact    = "exact"
)

// Slot is the 1-based place of the option with that id, 0 if there is none.
func (p *Poll) Slot(option string) uint16 {
	for i := range p.Options {
		if p.Options[i].ID == option {
			return uint16(i + 1)
		}
	}
	return 0
}
