package realtime

import (
	"encoding/json"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/enrich/sentiment"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/topic"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// recentsStep bounds the entries that one step pushes, over all topics;
	// recentsLeast is what a topic gets in any case.
	recentsStep  = 4_000
	recentsLeast = 10
	// Bounds of one entry: runes of text, items of a list, bytes of the record.
	recentText  = 2_000
	recentItems = 20
	recentRaw   = 32 << 10
)

// heard is what is kept of a post until the step is written. Few are: encoding
// is for those that are still among the newest then.
type heard struct {
	post      *clamorv1.Post
	language  string
	sentiment sentiment.Polarity
	place     *speed.RecentPlace
	hashtags  []string
	topics    []string
}

// recents gathers the newest posts of each topic.
type recents map[string][]*heard

// add lists a post under the topics that listen to it.
func (r recents) add(p *clamorv1.Post, u *topic.Understood, subjects []int) {
	if len(subjects) == 0 {
		return
	}
	h := hear(p, u, subjects)
	for _, id := range h.topics {
		list := append(r[id], h)
		if len(list) >= 2*speed.RecentMax {
			n := copy(list, list[len(list)-speed.RecentMax:])
			clear(list[n:])
			list = list[:n]
		}
		r[id] = list
	}
}

func hear(p *clamorv1.Post, u *topic.Understood, subjects []int) *heard {
	h := &heard{post: p, language: u.Result.Language, sentiment: u.Result.Sentiment}
	if at := &u.Result.Place; at.Known() {
		h.place = &speed.RecentPlace{Country: at.Country, Admin1: at.Admin1, City: at.City}
	}
	for _, tag := range u.Result.Hashtags[:min(len(u.Result.Hashtags), recentItems)] {
		h.hashtags = append(h.hashtags, string(tag.Text))
	}
	for _, n := range subjects {
		if id := u.Catalog.Subject(n).Topic; !slices.Contains(h.topics, id) {
			h.topics = append(h.topics, id)
		}
	}
	return h
}

// take encodes what a step pushes and begins anew.
func (r recents) take() map[string][][]byte {
	if len(r) == 0 {
		return nil
	}
	most := min(speed.RecentMax, max(recentsLeast, recentsStep/len(r)))
	encoded, entries := map[*heard][]byte{}, make(map[string][][]byte, len(r))
	for id, list := range r {
		for _, h := range list[max(0, len(list)-most):] {
			entry := encoded[h]
			if entry == nil {
				entry = h.encode()
				encoded[h] = entry
			}
			entries[id] = append(entries[id], entry)
		}
	}
	clear(r)
	return entries
}

func (h *heard) encode() []byte {
	in := eventlog.PostFrom(h.post)
	out := speed.RecentPost{
		ID: in.ID, Platform: in.Platform, Source: h.post.GetSource(), Show: h.post.GetShow(), Author: in.Author,
		Text: in.Text, CreatedAt: in.CreatedAt, ReceivedAt: audience.Millis(h.post.GetReceivedAt()),
		Language: h.language, Sentiment: mood(h.sentiment), Place: h.place, Hashtags: h.hashtags,
		Links: few(in.Links), Media: few(in.Media), ReplyTo: in.ReplyTo, RepostOf: in.RepostOf,
		Topics: h.topics, Votes: votesOf(h.post), Decision: h.post.GetDecision(),
	}
	if raw, err := proto.Marshal(h.post); err == nil && len(raw) <= recentRaw {
		out.Raw = raw
	} else {
		out.Text = shortened(out.Text, recentText)
	}
	entry, err := json.Marshal(out)
	if err != nil {
		panic(err) // texts, numbers and lists of them are always JSON
	}
	return entry
}

func mood(p sentiment.Polarity) string {
	if p == sentiment.Unknown {
		return ""
	}
	return p.String()
}

func few(items []string) []string { return items[:min(len(items), recentItems)] }

// shortened is a text of so many runes at most.
func shortened(text string, most int) string {
	n := 0
	for at := range text {
		if n == most {
			return text[:at]
		}
		n++
	}
	return text
}

func votesOf(p *clamorv1.Post) []speed.RecentVote {
	votes := p.GetVotes()
	if len(votes) == 0 {
		return nil
	}
	out := make([]speed.RecentVote, 0, len(votes))
	for _, v := range votes[:min(len(votes), recentItems)] {
		if len(v.GetVoter()) != len(audience.VoterID{}) || len(v.GetBallot()) != len(audience.BallotID{}) {
			continue // none that could have counted
		}
		out = append(out, speed.RecentVote{
			Poll: v.GetPoll(), Round: v.GetRound(), Voter: audience.VoterID(v.GetVoter()).String(),
			Ballot: audience.BallotID(v.GetBallot()).String(), Slots: v.GetSlots(),
		})
	}
	return out
}
