package rule

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		filter Filter
		facts  Facts
		want   Reason
	}{
		{"no filter", Filter{}, Facts{Repost: true, Reply: true, Sensitive: true, Duplicate: true}, Kept},
		{"repost", Filter{NoReposts: true}, Facts{Repost: true}, IsRepost},
		{"reply", Filter{NoReplies: true}, Facts{Reply: true}, IsReply},
		{"sensitive", Filter{NoSensitive: true}, Facts{Sensitive: true}, IsSensitive},
		{"few followers", Filter{MinFollowers: 10}, Facts{HasAuthor: true, Followers: 9}, FewFollowers},
		{"followers not known", Filter{MinFollowers: 10}, Facts{}, Kept},
		{"young", Filter{MinAccountAge: time.Hour}, Facts{HasAuthor: true, AccountFrom: now.Add(-time.Minute)}, YoungAccount},
		{"account from the future", Filter{MinAccountAge: time.Hour}, Facts{HasAuthor: true, AccountFrom: now.Add(time.Hour)}, YoungAccount},
		{"duplicate", Filter{NoDuplicates: true}, Facts{Duplicate: true}, IsDuplicate},
		{"language", Filter{Languages: []uint64{Key("es")}}, Facts{}, OtherLanguage},
		{"own language", Filter{Languages: []uint64{Key("es"), Key("PT")}}, Facts{}, Kept},
		{"country", Filter{Countries: []uint64{Key("AR")}}, Facts{}, OtherCountry},
		{"author", Filter{}, Facts{BlockedAuthor: true}, BlockedAuthor},
		{"word", Filter{}, Facts{BlockedWord: true}, BlockedWord},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.filter.Judge(doc("que golaço"), &tt.facts, now); got != tt.want {
				t.Errorf("have %q, want %q", got, tt.want)
			}
		})
	}
}
