package rule

import (
	"slices"
	"time"
)

// Filter keeps posts out before any rule is asked. Its zero value keeps all.
type Filter struct {
	MinFollowers  int
	MinAccountAge time.Duration
	NoReposts     bool
	NoReplies     bool
	NoSensitive   bool
	NoDuplicates  bool     // and near-duplicates
	Languages     []uint64 // Keys; empty allows all
	Authors       map[uint64]bool
	Words         *Matcher // posts that any of these rules holds for
}

// Facts is what the filter asks of a post besides its words.
type Facts struct {
	Followers   int
	HasAuthor   bool // Followers and AccountFrom are known
	AccountFrom time.Time
	Repost      bool
	Reply       bool
	Sensitive   bool
	Duplicate   bool
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
	BlockedAuthor Reason = "author"
	BlockedWord   Reason = "word"
)

// Judge returns why a post is kept out at the time now, cheap questions first.
// What is not known keeps nobody out.
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
	case f.Authors[d.From]:
		return BlockedAuthor
	case f.NoDuplicates && x.Duplicate:
		return IsDuplicate
	case len(f.Languages) > 0 && !slices.Contains(f.Languages, d.Lang):
		return OtherLanguage
	case f.Words != nil && len(f.Words.Match(d)) > 0:
		return BlockedWord
	}
	return Kept
}
