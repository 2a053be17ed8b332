package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	clamorv1 "github.com/clamor-live/clamor/proto/clamor/v1"
)

// noList says why posts cannot be listed.
func (s *Service) noList(err error) error {
	if errors.Is(err, speed.ErrEmpty) {
		return fault.New(fault.Unavailable, "the posts are being read again: try again in a moment").After(time.Second)
	}
	return storeDown(err)
}

// found is a post, and as it was captured.
type found struct {
	moderated

	captured *clamorv1.Post
}

// postOf finds the post of the path, for the token: among the recent ones and
// those that somebody was shown, among those decided about, and by search.
func (s *Service) postOf(c *gin.Context) (*found, error) {
	return s.postNamed(c, c.Param("post"))
}

// postNamed finds a post of the shows that the token reaches, or of the one that
// the query names: two shows may have heard the same.
func (s *Service) postNamed(c *gin.Context, key string) (*found, error) {
	var shows []string
	for _, show := range s.deps.Control.State().Shows() {
		if asked := c.Query("show"); reaches(c, show.ID) && (asked == "" || asked == show.ID) {
			shows = append(shows, show.ID)
		}
	}
	f, err := s.find(c.Request.Context(), shows, key)
	if err == nil && f == nil {
		err = fault.New(fault.PostNotFound, "there is no post %q among the recent ones, and none was found by search", key)
	}
	return f, err
}

// find looks for a post of some shows; nil when there is none.
func (s *Service) find(ctx context.Context, shows []string, key string) (*found, error) {
	if platform, id, ok := strings.Cut(key, ":"); !ok || platform == "" || id == "" {
		return nil, nil //nolint:nilnil // no post has such a name
	}
	state := s.deps.Control.State()
	recent, ok, err := s.topics.Post(ctx, shows, key)
	if ok && len(recent.Raw) > 0 {
		return known(state, *recent, recent.Raw)
	}
	for _, show := range shows {
		if d, decided := state.Post(show, key); decided {
			if post, _ := d.Captured(); post != nil {
				return &found{decide(state, recentOf(post, d.Topics)), post}, nil
			}
		}
	}
	doc, searchErr := s.searched(ctx, shows, key)
	switch {
	case doc != nil:
		return known(state, hitOf(doc), doc.Raw)
	case ok: // too large for the list, and not indexed yet
		return known(state, *recent, nil)
	case searchErr != nil:
		return nil, searchErr
	case err != nil:
		return nil, s.noList(err)
	}
	return nil, nil //nolint:nilnil // nothing is an answer
}

// searched looks a post up; nil when there is none, or no search.
func (s *Service) searched(ctx context.Context, shows []string, key string) (*search.Doc, error) {
	if s.deps.Search == nil {
		return nil, nil //nolint:nilnil // nothing is an answer
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadTimeout)
	defer cancel()
	for _, show := range shows {
		doc, err := s.deps.Search.Get(ctx, search.PostID(show, key))
		switch {
		case err == nil:
			return &doc, nil
		case !errors.Is(err, search.ErrNotFound):
			return nil, storeDown(err)
		}
	}
	return nil, nil //nolint:nilnil // nothing is an answer
}

func known(state *control.State, p speed.RecentPost, raw []byte) (*found, error) {
	f := &found{moderated: decide(state, p)}
	if len(raw) > 0 {
		f.captured = &clamorv1.Post{}
		if err := proto.Unmarshal(raw, f.captured); err != nil {
			return nil, storeDown(err)
		}
	}
	return f, nil
}

func (s *Service) getPost(c *gin.Context) error {
	f, err := s.postOf(c)
	if err != nil {
		return err
	}
	if len(f.Raw) > 0 { // found elsewhere it will be found there again
		s.topics.Shown(f.RecentPost)
	}
	return reply(c, http.StatusOK, postReplyOf(s.deps.Control.State(), &f.moderated))
}

// postCommandForm is a command to a post as a moderator writes it.
type postCommandForm struct {
	Command string `json:"command"`
	Reason  string `json:"reason"`
}

type postCommandReply struct {
	Post    string          `json:"post"`
	State   string          `json:"state"`
	Command string          `json:"command"`
	Reason  string          `json:"reason,omitempty"`
	Actor   string          `json:"actor"`
	At      audience.Millis `json:"at"`
}

// commandPost writes a moderator's word. From the moment that it is answered,
// lists and feeds heed it; the ballots follow within two seconds.
func (s *Service) commandPost(c *gin.Context) error {
	var form postCommandForm
	if err := body(c, &form); err != nil {
		return err
	}
	f, err := s.postOf(c)
	if err != nil {
		return err
	}
	command := control.PostCommand{Command: form.Command, Reason: form.Reason, Show: f.Show, Topics: f.Topics}
	if f.captured != nil {
		if command.Post, err = proto.Marshal(f.captured); err != nil {
			return err
		}
	}
	if err := s.carries(&command, f); err != nil {
		return err
	}
	key := f.Key()
	if _, err := s.submit(c, control.KindPostCommand, key, 0, command); err != nil {
		return err
	}
	d, ok := s.deps.Control.State().Post(f.Show, key)
	if !ok {
		return fault.New(fault.Unavailable, "the command is written: look at the post again in a moment").After(time.Second)
	}
	return reply(c, http.StatusOK, postCommandReply{key, stateOf(d.Verdict()), d.Command, d.Reason, d.Actor, d.At})
}

// carries refuses a command that could not be carried out: without the post as it
// was captured its ballots would stay, which is not to happen silently.
func (s *Service) carries(command *control.PostCommand, f *found) error {
	valid := control.ValidatePostCommand(command) == nil // what is not is refused by its own words
	if !valid || len(command.Post) > 0 || len(f.Votes) == 0 {
		return nil
	}
	return fault.New(fault.Unavailable,
		"the post's ballots cannot be reached now, for it is too large for the list of recent posts: try again when the next batch run has indexed it").
		After(time.Minute)
}

// hitOf is a post that was found as moderators see it.
func hitOf(d *search.Doc) speed.RecentPost {
	p := speed.RecentPost{
		ID: strings.TrimPrefix(d.ID, search.PostID(d.Show, d.Platform+":")), Platform: d.Platform, Show: d.Show, Text: d.Text,
		Author:    audience.Author{ID: d.AuthorID, Name: d.AuthorName, Handle: d.AuthorHandle, Followers: d.Followers},
		CreatedAt: d.CreatedAt, ReceivedAt: d.ReceivedAt, Language: d.Language, Sentiment: d.Sentiment,
		Hashtags: d.Hashtags, Links: d.Links, Media: d.Media, ReplyTo: d.ReplyTo, RepostOf: d.RepostOf,
		Topics: d.Topics, Decision: d.Decision,
	}
	if d.Country != "" {
		p.Place = &speed.RecentPlace{Country: d.Country, Admin1: d.Region, City: d.City}
	}
	post := &clamorv1.Post{}
	if len(d.Raw) > 0 && proto.Unmarshal(d.Raw, post) == nil {
		p.Source = post.GetSource()
		for _, v := range post.GetVotes() {
			p.Votes = append(p.Votes, speed.RecentVote{Poll: v.GetPoll(), Round: v.GetRound(), Slots: v.GetSlots()})
		}
	}
	return p
}
