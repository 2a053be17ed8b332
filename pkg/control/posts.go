package control

import (
	"fmt"
	"slices"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
	"google.golang.org/protobuf/proto"
)

// PostCommand is a moderator's word on a post.
type PostCommand struct {
	// Command is approve, reject or feature.
	Command string `json:"command"`
	Reason  string `json:"reason,omitempty"`
	// Show is the post's, so that a token of one show cannot touch another's.
	Show string `json:"show,omitempty"`
	// Topics are those that the post was heard in, so that an approved post can be
	// listed long after it was recent.
	Topics []string `json:"topics,omitempty"`
	// Post is the post as it was captured, a clamorv1.Post: whoever carries the
	// command out takes its votes from it.
	Post []byte `json:"post,omitempty"`
	// Deleted rejects a post for good, for its platform says that it is no more.
	// Moderators do not say it.
	Deleted bool `json:"deleted,omitempty"`
}

// ReasonDeleted is the reason of a command that takes a deleted post out.
const ReasonDeleted = "deleted-by-platform"

// The commands to posts.
const (
	PostApprove = "approve"
	PostReject  = "reject"
	PostFeature = "feature"
)

// Bounds of what is kept about posts.
const (
	// maxPostsKept is how many decisions keep the post they are about. Those of
	// older ones stay, without it.
	maxPostsKept = 20_000
	// maxPostHistory is how many earlier words on a post are kept.
	maxPostHistory = 32
)

// Verdict is what the command decides.
func (c *PostCommand) Verdict() audience.Verdict {
	switch c.Command {
	case PostApprove:
		return audience.Approved
	case PostReject:
		return audience.Rejected
	case PostFeature:
		return audience.Featured
	}
	return audience.Pending
}

// Captured is the post in the command; nil where it is not kept.
func (c *PostCommand) Captured() (*clamorv1.Post, error) {
	if len(c.Post) == 0 {
		return nil, nil //nolint:nilnil // none is an answer
	}
	post := &clamorv1.Post{}
	if err := proto.Unmarshal(c.Post, post); err != nil {
		return nil, fmt.Errorf("decode the post of a command: %w", err)
	}
	return post, nil
}

// PostDecision is the last word on a post.
type PostDecision struct {
	PostCommand

	Actor  string          `json:"actor"`
	At     audience.Millis `json:"at"`
	Offset int64           `json:"offset"`
	// Approved is the offset of the first word that let the post be counted: from
	// there on it may have given a ballot that a rule had held back. Negative:
	// there was none.
	Approved int64 `json:"-"`
	// Deletion is the offset of the first word that the platform deleted the post:
	// from there on nothing but reject is heard. Negative: there was none.
	Deletion int64 `json:"-"`
	// Earlier are the words before, oldest first.
	Earlier []PostWord `json:"earlier,omitempty"`
}

// PostWord is one word on a post.
type PostWord struct {
	Command string          `json:"command"`
	Reason  string          `json:"reason,omitempty"`
	Actor   string          `json:"actor"`
	At      audience.Millis `json:"at"`
	Offset  int64           `json:"offset"`
}

// Word is the decision without what it is about.
func (d *PostDecision) Word() PostWord {
	return PostWord{Command: d.Command, Reason: d.Reason, Actor: d.Actor, At: d.At, Offset: d.Offset}
}

// Post is the last word of a moderator on a show's post, by "platform:id": two
// shows may have heard the same one, and each decides for itself.
func (s *State) Post(show, key string) (*PostDecision, bool) { return s.posts.get(postOf(show, key)) }

func postOf(show, key string) string { return show + "/" + key }

// Decided lists the last words on posts of a show that are not rejected, the
// newest first.
func (s *State) Decided(show string) []*PostDecision {
	all := s.posts.sorted(func(d *PostDecision) bool { return d.Show == show && d.Command != PostReject })
	slices.SortStableFunc(all, func(a, b *PostDecision) int { return int(b.Offset - a.Offset) })
	return all
}

// postCommand takes a moderator's word. Any word may follow any other, until the
// platform deletes the post; the same one again is another entry of the trail and
// changes nothing.
func (m *Machine) postCommand(e *Event, offset int64) Verdict {
	command, err := read[PostCommand](e)
	if err != nil {
		return refused(err)
	}
	post, broken := command.Captured()
	if broken != nil {
		return refused(fault.New(fault.InvalidRequest, "the post of the command cannot be read").Because(broken))
	}
	subject := postOf(command.Show, e.Subject)
	d := &PostDecision{PostCommand: command, Actor: e.Actor, At: e.At, Offset: offset, Approved: -1, Deletion: -1}
	if was, ok := m.state.posts.get(subject); ok {
		if was.Deletion >= 0 && command.Command != PostReject {
			return refused(fault.New(fault.PostNotFound, "the platform has deleted the post: it stays rejected"))
		}
		d.follow(was)
	}
	if d.Deletion < 0 && command.Deleted {
		d.Deletion = offset
	}
	if d.Deletion >= 0 { // what the platform deleted is not kept here
		d.Post = nil
	}
	if d.Approved < 0 && command.Command != PostReject {
		d.Approved = offset
	}
	m.state.posts.put(subject, d)
	m.keepPost(subject, d)
	m.auditPost(e, offset, &d.PostCommand, post)
	return accepted(0)
}

// follow takes over what the word before knew.
func (d *PostDecision) follow(was *PostDecision) {
	d.Approved, d.Deletion = was.Approved, was.Deletion
	earlier := was.Earlier[max(0, len(was.Earlier)-maxPostHistory+1):]
	d.Earlier = append(slices.Clone(earlier), was.Word())
	if len(d.Post) == 0 {
		d.Post = was.Post
	}
	if len(d.Topics) == 0 {
		d.Topics = was.Topics
	}
}

// keepPost bounds how many decisions hold their post: the oldest lets go.
func (m *Machine) keepPost(key string, d *PostDecision) {
	if len(d.Post) == 0 {
		return
	}
	m.posts = append(m.posts, keptPost{key, d.Offset})
	for len(m.posts) > maxPostsKept {
		oldest := m.posts[0]
		m.posts = m.posts[1:]
		if was, ok := m.state.posts.get(oldest.key); ok && was.Offset == oldest.offset {
			bare := *was
			bare.Post = nil
			m.state.posts.put(oldest.key, &bare)
		}
	}
}

// keptPost is a decision that holds its post.
type keptPost struct {
	key    string
	offset int64
}

// auditPost writes the word into the trail of every poll that the post voted in.
func (m *Machine) auditPost(e *Event, offset int64, c *PostCommand, post *clamorv1.Post) {
	for _, vote := range post.GetVotes() {
		was, ok := m.state.polls.get(vote.GetPoll())
		if !ok {
			continue
		}
		p := *was
		p.audit = append(p.audit, AuditEntry{
			Offset: offset, Event: e.ID, At: e.At, Actor: e.Actor, Kind: e.Kind, Round: vote.GetRound(),
			Reason: c.Reason, Post: e.Subject, Verdict: c.Verdict(),
		})
		m.state.polls.put(vote.GetPoll(), &p)
	}
}
