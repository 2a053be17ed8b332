package rule

import (
	"slices"
	"time"
)

// Filter keeps posts out before any rule is asked. Its zero value keeps all.
type Filter struct {
	MinFollowers  uint64
	MinAccountAge time.Duration
	NoReposts     bool
	NoReplies     bool
	NoSensitive   bool
	NoDuplicates  bool     // and near-duplicates
	Languages     []uint64 // Keys; empty allows all
	Countries     []uint64
}

// Facts is what the filter asks of a post besides its words.
type Facts struct {
	Followers     uint64
	HasAuthor     bool // Followers and AccountFrom are known
	AccountFrom   time.Time
	Repost        bool
	Reply         bool
	Sensitive     bool
	Duplicate     bool
	BlockedAuthor bool // a rule of AnyFrom holds
	BlockedWord   bool // a rule of AnyOf holds
}

// Reason says why a post was kept out; the empty one that it was not. The
// values are label values of a metric.
type Reason string

// The reasons.
const (
	Kept          Reason = ""
	FewFollowers  Reason = "followers"
	YoungAccount  Reason = "account_age"
	IsRepost      Reason = "repost"
	IsReply       Reason = "reply"
	IsSensitive   Reason = "sensitive"
	IsDuplicate   Reason = "duplicate"
	OtherLanguage Reason = "language"
	OtherCountry  Reason = "country"
	BlockedAuthor Reason = "author"
	BlockedWord   Reason = "word"
)

// Judge returns why a post is kept out at the time now. What is not known of an
// author keeps nobody out; an unknown language or country is another one.
func (f *Filter) Judge(d *Doc, x *Facts, now time.Time) Reason {
	switch {
	case f.NoReposts && x.Repost:
		return IsRepost
	case f.NoReplies && x.Reply:
		return IsReply
	case f.NoSensitive && x.Sensitive:
		return IsSensitive
	case x.HasAuthor && x.Followers < f.MinFollowers:
		return FewFollowers
	case f.MinAccountAge > 0 && x.HasAuthor && !x.AccountFrom.IsZero() && now.Sub(x.AccountFrom) < f.MinAccountAge:
		return YoungAccount
	case x.BlockedAuthor:
		return BlockedAuthor
	case f.NoDuplicates && x.Duplicate:
		return IsDuplicate
	case len(f.Languages) > 0 && !slices.Contains(f.Languages, d.Lang):
		return OtherLanguage
	case len(f.Countries) > 0 && !slices.Contains(f.Countries, d.Country):
		return OtherCountry
	case x.BlockedWord:
		return BlockedWord
	}
	return Kept
}
