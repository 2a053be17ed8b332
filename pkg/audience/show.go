package audience

// Show is a programme: what polls, topics, sources and destinations belong to.
type Show struct {
	ID        string   `json:"id"`
	Title     string   `json:"title"`
	Timezone  string   `json:"timezone"`
	Locale    string   `json:"locale"`
	Markets   []string `json:"markets,omitempty"`
	Languages []string `json:"languages,omitempty"`
	// Rehearsal marks a show that replays or tries out; it is said in every body.
	Rehearsal bool `json:"rehearsal,omitempty"`
	// Moderation decides about posts when they are captured, before any moderator
	// does.
	Moderation *Moderation `json:"moderation,omitempty"`
}

// Moderation are rules over posts, in the language of topics. A post that both
// hold for is rejected. What a moderator says later goes before either.
type Moderation struct {
	Reject  string `json:"reject,omitempty"`
	Approve string `json:"approve,omitempty"`
}

// Verdict is what somebody decided about a post.
type Verdict string

// The verdicts. A featured post is an approved one that is to be shown first.
const (
	Pending  Verdict = ""
	Approved Verdict = "approved"
	Rejected Verdict = "rejected"
	Featured Verdict = "featured"
)

// Source is where posts or ballots come from: a connector and its settings.
type Source struct {
	ID        string         `json:"id"`
	Show      string         `json:"show"`
	Connector string         `json:"connector"`
	Settings  map[string]any `json:"settings,omitempty"`
	Polls     []string       `json:"polls,omitempty"`
	Topics    []string       `json:"topics,omitempty"`
	Budget    *Budget        `json:"budget,omitempty"`
	Enabled   bool           `json:"enabled"`
	// KeyHash is the SHA-256 of the source's key in hexadecimal. It is kept in
	// the control log and never served.
	KeyHash string `json:"key_hash,omitempty"`
}

// SealMark begins a secret setting that is encrypted.
const SealMark = "sealed:"

// Masked stands for a secret setting where a source is shown. Where one is
// written it means the secret that is there.
const Masked = "***"

// Connectors without a platform behind them.
const (
	ConnectorGateway = "gateway"
	ConnectorPush    = "push"
	ConnectorReplay  = "replay"
)

// Budget paces a source's intake. Limits that are 0 are none.
type Budget struct {
	Posts int64 `json:"posts,omitempty"`
	// Units are what the platform's API counts, like quota units of YouTube.
	Units int64 `json:"units,omitempty"`
	// Money is in hundredths, spent at these prices, which may be fractions.
	Money        int64   `json:"money,omitempty"`
	CentsPerPost float64 `json:"cents_per_post,omitempty"`
	CentsPerUnit float64 `json:"cents_per_unit,omitempty"`
	Per          string  `json:"per"` // hour, day or show
	// Overflow is what happens to posts when the budget runs out: sample, the
	// default of platforms, or stop, that of what is pushed.
	Overflow string `json:"overflow,omitempty"`
}

// What a budget does when it runs out.
const (
	OverflowSample = "sample"
	OverflowStop   = "stop"
)

// Destination is a consumer of feeds.
type Destination struct {
	ID       string            `json:"id"`
	Show     string            `json:"show"`
	Name     string            `json:"name,omitempty"`
	Audience Audience          `json:"audience"`
	Aliases  map[string]string `json:"aliases,omitempty"`
	Slots    int               `json:"slots,omitempty"`
	Locale   string            `json:"locale,omitempty"`
	// Editorial orders the options of a poll by id, for engines that fill fixed
	// places.
	Editorial map[string][]string `json:"editorial,omitempty"`
	// Allow are the addresses and networks (CIDR) that its feeds may be read from;
	// none: from anywhere.
	Allow []string `json:"allow,omitempty"`
	// TokenHash is the SHA-256 of the feed token in hexadecimal; never served.
	TokenHash string `json:"token_hash,omitempty"`
}

// Role is what an API token may do; each includes those below it.
type Role string

const (
	RoleAdmin     Role = "admin"
	RoleProducer  Role = "producer"
	RoleModerator Role = "moderator"
	RoleObserver  Role = "observer"
)

// Includes says whether r may do what other may.
func (r Role) Includes(other Role) bool { return r.rank() >= other.rank() && r.rank() > 0 }

func (r Role) rank() int {
	switch r {
	case RoleAdmin:
		return 4
	case RoleProducer:
		return 3
	case RoleModerator:
		return 2
	case RoleObserver:
		return 1
	}
	return 0
}

// Token is a credential of the producers' API.
type Token struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Role      Role   `json:"role"`
	Show      string `json:"show,omitempty"`
	CreatedAt Millis `json:"created_at,omitzero"`
	ExpiresAt Millis `json:"expires_at,omitzero"`
	// Hash is the SHA-256 of the token in hexadecimal; never served.
	Hash string `json:"hash,omitempty"`
}

// Topic is what to listen for: a boolean rule over posts.
type Topic struct {
	ID      string        `json:"id"`
	Show    string        `json:"show"`
	Title   string        `json:"title"`
	Rule    string        `json:"rule"`
	Filters *TopicFilters `json:"filters,omitempty"`
	// Crowd asks for estimates of the authors' gender and age, as shares of all.
	Crowd bool `json:"crowd,omitempty"`
}

// TopicFilters narrow a topic beyond its rule. What is left out keeps everything.
type TopicFilters struct {
	// Languages and Countries are what posts are understood to be in and from; where
	// that is unknown, the post is kept out.
	Languages []string `json:"languages,omitempty"`
	Countries []string `json:"countries,omitempty"`
	// MinFollowers and MinAccountAgeDays keep out authors known to have fewer.
	MinFollowers      uint64 `json:"min_followers,omitempty"`
	MinAccountAgeDays uint32 `json:"min_account_age_days,omitempty"`
	// False keeps out reposts, replies, near-duplicates of recent posts, and what
	// the platform marks as sensitive.
	Reposts    *bool `json:"reposts,omitempty"`
	Replies    *bool `json:"replies,omitempty"`
	Duplicates *bool `json:"duplicates,omitempty"`
	Sensitive  *bool `json:"sensitive,omitempty"`
	// BlockWords are words, phrases and #hashtags; BlockAuthors are handles.
	BlockWords   []string `json:"block_words,omitempty"`
	BlockAuthors []string `json:"block_authors,omitempty"`
}

// Post is one social message as a source gives it.
type Post struct {
	ID          string       `json:"id"`
	Platform    string       `json:"platform,omitempty"`
	Author      Author       `json:"author,omitzero"`
	Text        string       `json:"text"`
	CreatedAt   Millis       `json:"created_at,omitzero"`
	Language    string       `json:"language,omitempty"`
	Coordinates *Coordinates `json:"coordinates,omitempty"`
	ReplyTo     string       `json:"reply_to,omitempty"`
	RepostOf    string       `json:"repost_of,omitempty"`
	Media       []string     `json:"media,omitempty"`
	Links       []string     `json:"links,omitempty"`
	// Sensitive: the platform marks it as not fit for everybody.
	Sensitive bool `json:"sensitive,omitempty"`
}

// Author is who wrote a post.
type Author struct {
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	Handle    string `json:"handle,omitempty"`
	Location  string `json:"location,omitempty"`
	Followers uint64 `json:"followers,omitempty"`
	CreatedAt Millis `json:"created_at,omitzero"`
}

// Coordinates are degrees north and east.
type Coordinates struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}
