package api

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/speed"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"github.com/clamor-live/clamor/services/api/internal/listen"
)

// moderated is a post with what was decided about it.
type moderated struct {
	speed.RecentPost

	verdict  audience.Verdict
	decision *control.PostDecision // nil: no moderator has spoken
}

// decide gives a post its verdict: a moderator's word goes before the show's
// rules.
func decide(state *control.State, p speed.RecentPost) moderated {
	m := moderated{RecentPost: p, verdict: ruled(p.Decision)}
	if d, ok := state.Post(p.Show, p.Key()); ok {
		m.decision, m.verdict = d, d.Verdict()
	}
	return m
}

// ruled is the verdict of the show's rules.
func ruled(decision string) audience.Verdict {
	switch decision {
	case control.PostApprove:
		return audience.Approved
	case control.PostReject:
		return audience.Rejected
	}
	return audience.Pending
}

// statePending is what a verdict of nobody is called.
const statePending = "pending"

func stateOf(v audience.Verdict) string {
	if v == audience.Pending {
		return statePending
	}
	return string(v)
}

// heard are a topic's posts, newest first: the recent ones, and those that were
// approved or featured and are kept however old they are.
func heard(state *control.State, kept []moderated, read *listen.Recent) []moderated {
	var recent []speed.RecentPost
	if read != nil {
		recent = read.Posts
	}
	all := make([]moderated, 0, len(recent)+len(kept))
	seen := make(map[string]bool, len(recent))
	for i := range recent {
		seen[recent[i].Key()] = true
		all = append(all, decide(state, recent[i]))
	}
	for _, m := range kept {
		if !seen[m.Key()] {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b moderated) int {
		return cmp.Or(cmp.Compare(b.ReceivedAt, a.ReceivedAt), cmp.Compare(a.Key(), b.Key()))
	})
	return all
}

// maxKept bounds the approved posts of a topic that are shown behind the recent
// ones.
const maxKept = 500

// keptPosts remembers, for one state of the registry, the approved posts of each
// topic, so that they are read from the decisions once.
type keptPosts struct{ now atomic.Pointer[keeping] }

type keeping struct {
	state   *control.State
	byTopic map[string][]moderated
}

// of are a topic's approved and featured posts, the newest decisions first.
func (k *keptPosts) of(state *control.State, show, topic string) []moderated {
	now := k.now.Load()
	if now != nil && now.state == state {
		if kept, ok := now.byTopic[topic]; ok {
			return kept
		}
	}
	next := &keeping{state: state, byTopic: map[string][]moderated{}}
	if now != nil && now.state == state {
		for id, kept := range now.byTopic {
			next.byTopic[id] = kept
		}
	}
	kept := []moderated{}
	for _, d := range state.Decided(show) {
		if !slices.Contains(d.Topics, topic) || len(kept) >= maxKept {
			continue
		}
		if post, err := d.Captured(); err == nil && post != nil {
			kept = append(kept, moderated{RecentPost: recentOf(post, d.Topics), verdict: d.Verdict(), decision: d})
		}
	}
	next.byTopic[topic] = kept
	k.now.CompareAndSwap(now, next) // a lost race costs one more look
	return kept
}

// recentOf is a captured post as moderators see it; what it was understood to be
// is not known any more.
func recentOf(p *clamorv1.Post, topics []string) speed.RecentPost {
	r := speed.RecentPost{
		ID: p.GetId(), Platform: p.GetPlatform(), Source: p.GetSource(), Show: p.GetShow(), Text: p.GetText(),
		CreatedAt: audience.Millis(p.GetCreatedAt()), ReceivedAt: audience.Millis(p.GetReceivedAt()), Language: p.GetLanguage(),
		Links: p.GetLinks(), Media: p.GetMedia(), ReplyTo: p.GetReplyTo(), RepostOf: p.GetRepostOf(),
		Topics: topics, Decision: p.GetDecision(),
	}
	if a := p.GetAuthor(); a != nil {
		r.Author = audience.Author{
			ID: a.GetId(), Name: a.GetName(), Handle: a.GetHandle(), Location: a.GetLocation(),
			Followers: a.GetFollowers(), CreatedAt: audience.Millis(a.GetCreatedAt()),
		}
	}
	for _, v := range p.GetVotes() {
		r.Votes = append(r.Votes, speed.RecentVote{Poll: v.GetPoll(), Round: v.GetRound(), Slots: v.GetSlots()})
	}
	return r
}

// postReply is a post as moderators see it. Who voted stays out: a ballot is a
// pseudonym's, and here it would have a name.
type postReply struct {
	Post       string             `json:"post"`
	ID         string             `json:"id"`
	Platform   string             `json:"platform"`
	Source     string             `json:"source,omitempty"`
	Show       string             `json:"show,omitempty"`
	Author     audience.Author    `json:"author,omitzero"`
	Text       string             `json:"text"`
	CreatedAt  audience.Millis    `json:"created_at,omitzero"`
	ReceivedAt audience.Millis    `json:"received_at,omitzero"`
	Language   string             `json:"language,omitempty"`
	Sentiment  string             `json:"sentiment,omitempty"`
	Place      *speed.RecentPlace `json:"place,omitempty"`
	Hashtags   []string           `json:"hashtags,omitempty"`
	Links      []string           `json:"links,omitempty"`
	Media      []string           `json:"media,omitempty"`
	ReplyTo    string             `json:"reply_to,omitempty"`
	RepostOf   string             `json:"repost_of,omitempty"`
	Topics     []string           `json:"topics,omitempty"`
	Votes      []postVote         `json:"votes,omitempty"`
	State      string             `json:"state"`
	Decision   *postDecision      `json:"decision,omitempty"`
	Highlights []string           `json:"highlights,omitempty"`
}

type postVote struct {
	Poll    string   `json:"poll"`
	Round   uint32   `json:"round"`
	Options []string `json:"options"`
}

// postDecision says who decided: a moderator, or the show's rules when the post
// was captured.
type postDecision struct {
	By      string             `json:"by"`
	Command string             `json:"command"`
	Reason  string             `json:"reason,omitempty"`
	Actor   string             `json:"actor,omitempty"`
	At      audience.Millis    `json:"at,omitzero"`
	Earlier []control.PostWord `json:"earlier,omitempty"`
}

const (
	byModerator = "moderator"
	byRule      = "rule"
	byPlatform  = "platform"
)

func postReplyOf(state *control.State, m *moderated) postReply {
	p := &m.RecentPost
	r := postReply{
		Post: p.Key(), ID: p.ID, Platform: p.Platform, Source: p.Source, Show: p.Show, Author: p.Author, Text: p.Text,
		CreatedAt: p.CreatedAt, ReceivedAt: p.ReceivedAt, Language: p.Language, Sentiment: p.Sentiment, Place: p.Place,
		Hashtags: p.Hashtags, Links: p.Links, Media: p.Media, ReplyTo: p.ReplyTo, RepostOf: p.RepostOf, Topics: p.Topics,
		State: stateOf(m.verdict),
	}
	for _, v := range p.Votes {
		r.Votes = append(r.Votes, voteOf(state, v))
	}
	switch {
	case m.decision != nil:
		w := m.decision.Word()
		by := byModerator
		if m.decision.Deleted {
			by = byPlatform
		}
		r.Decision = &postDecision{by, w.Command, w.Reason, w.Actor, w.At, m.decision.Earlier}
	case p.Decision != "":
		r.Decision = &postDecision{By: byRule, Command: p.Decision}
	}
	return r
}

func voteOf(state *control.State, v speed.RecentVote) postVote {
	vote := postVote{Poll: v.Poll, Round: v.Round, Options: []string{}}
	poll, ok := state.Poll(v.Poll)
	if !ok {
		return vote
	}
	d, ok := poll.DefinitionOf(v.Round)
	for _, slot := range v.Slots {
		if ok && slot >= 1 && int(slot) <= len(d.Options) {
			vote.Options = append(vote.Options, d.Options[slot-1].ID)
		}
	}
	return vote
}

// wants says which verdicts a list asks for; without a state all but the
// rejected.
func wants(state string) (func(audience.Verdict) bool, error) {
	switch audience.Verdict(state) {
	case "":
		return func(v audience.Verdict) bool { return v != audience.Rejected }, nil
	case statePending:
		return func(v audience.Verdict) bool { return v == audience.Pending }, nil
	case audience.Approved, audience.Rejected, audience.Featured:
		return func(v audience.Verdict) bool { return string(v) == state }, nil
	}
	return nil, fault.New(fault.InvalidRequest, "state is pending, approved, rejected or featured")
}

type postPage struct {
	Items []postReply `json:"items"`
	Next  string      `json:"next,omitempty"`
	Stale bool        `json:"stale"`
}

// topicPosts lists a topic's recent posts for moderators.
func (s *Service) topicPosts(c *gin.Context) error {
	t, err := s.topicOf(c)
	if err != nil {
		return err
	}
	take, err := wants(c.Query("state"))
	if err != nil {
		return err
	}
	limit, after, err := paging(c)
	if err != nil {
		return err
	}
	behind, err := parseMark(after)
	if err != nil {
		return err
	}
	recent, readErr := s.topics.Recent(c.Request.Context(), t.ID)
	if readErr != nil && recent == nil {
		return s.noList(readErr)
	}
	state := s.deps.Control.State()
	page := postPage{Items: []postReply{}, Stale: readErr != nil}
	var listed []speed.RecentPost
	for _, m := range heard(state, s.kept.of(state, t.Show, t.ID), recent) {
		if !take(m.verdict) || !behind.passed(&m) {
			continue
		}
		if len(page.Items) == limit {
			page.Next = behind.String()
			break
		}
		behind = markOf(&m)
		page.Items = append(page.Items, postReplyOf(state, &m))
		listed = append(listed, m.RecentPost)
	}
	s.topics.Shown(listed...)
	return reply(c, http.StatusOK, page)
}

// mark is a place in a list of posts.
type mark struct {
	at  audience.Millis
	key string
}

func markOf(m *moderated) mark { return mark{m.ReceivedAt, m.Key()} }

// String is the mark as a cursor.
func (k mark) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(int64(k.at), 10) + " " + k.key))
}

func parseMark(after string) (mark, error) {
	if after == "" {
		return mark{}, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(after)
	at, key, ok := strings.Cut(string(text), " ")
	n, err2 := strconv.ParseInt(at, 10, 64)
	if err != nil || err2 != nil || !ok {
		return mark{}, fault.New(fault.InvalidRequest, "after is the next of the page before")
	}
	return mark{audience.Millis(n), key}, nil
}

// passed says whether a post stands behind the mark.
func (k mark) passed(m *moderated) bool {
	return k.key == "" || m.ReceivedAt < k.at || m.ReceivedAt == k.at && m.Key() > k.key
}
