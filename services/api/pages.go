package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
)

const htmlType = "text/html; charset=utf-8"

// pagePolicy lets pages load what is ours, and images from anywhere.
const pagePolicy = "default-src 'self'; img-src * data:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'"

// HomePage is what the page "home" shows.
type HomePage struct {
	Version string
	Shows   []HomeShow
	// Hidden is how many polls have never been opened: strangers are not told
	// what will be asked.
	Hidden int
}

// HomeShow is a show and those of its polls that have been opened.
type HomeShow struct {
	ID, Title string
	Rehearsal bool
	Polls     []HomePoll
	Topics    []HomeTopic
}

// HomeTopic is a topic in the list. Its rule is not shown: strangers are not told
// what is listened to.
type HomeTopic struct{ ID, Title string }

// HomePoll is a poll in the list.
type HomePoll struct {
	ID, Question, Phase string
	Round               uint32
	Options             []string
}

// VoterPage is what the page "voter" shows before its script runs.
type VoterPage struct {
	Poll, Question, Title, Locale string
	Rehearsal, Found              bool
}

// OverlayPage is what the page "overlay" shows before its script runs.
type OverlayPage struct {
	Poll, Question, Locale string
	Rehearsal              bool
}

// TopicPage is what the page "topic" shows before its script runs.
type TopicPage struct {
	Topic, Title, Locale string
	Rehearsal            bool
}

func (s *Service) topicOverlay(c *gin.Context) error {
	d, ok := s.destination(c)
	if !ok {
		noFeed(c)
		return nil
	}
	p, ok := s.heardBy(d, c.Param("topic"))
	if !ok {
		noFeed(c)
		return nil
	}
	c.Header("Access-Control-Allow-Origin", "*")
	return s.page(c, http.StatusOK, "topic", TopicPage{p.Topic.ID, p.Topic.Title, p.Show.Locale, p.Show.Rehearsal})
}

func (s *Service) homePage(c *gin.Context) error {
	state, now := s.deps.Control.State(), s.now()
	home := HomePage{Version: s.deps.Version}
	for _, show := range state.Shows() {
		h := HomeShow{ID: show.ID, Title: show.Title, Rehearsal: show.Rehearsal}
		for _, p := range state.Polls(show.ID) {
			st, d := p.At(now), p.DefinitionAt(now)
			if st.Phase == audience.Standby && st.Round == 1 {
				home.Hidden++
				continue
			}
			poll := HomePoll{ID: d.ID, Question: d.Question, Phase: string(st.Phase), Round: st.Round}
			for i := range d.Options {
				poll.Options = append(poll.Options, d.Options[i].Label)
			}
			h.Polls = append(h.Polls, poll)
		}
		for _, t := range state.Topics(show.ID) {
			h.Topics = append(h.Topics, HomeTopic{t.ID, t.Title})
		}
		home.Shows = append(home.Shows, h)
	}
	return s.page(c, http.StatusOK, "home", home)
}

func (s *Service) voterPage(c *gin.Context) error {
	p, ok := s.deps.Control.State().Poll(c.Param("poll"))
	if !ok {
		return s.page(c, http.StatusNotFound, "voter", VoterPage{Locale: "en"})
	}
	d := p.DefinitionAt(s.now())
	page := VoterPage{Poll: d.ID, Question: d.Question, Locale: "en", Found: true}
	if show, ok := s.deps.Control.State().Show(d.Show); ok {
		page.Title, page.Locale, page.Rehearsal = show.Title, show.Locale, show.Rehearsal
	}
	return s.page(c, http.StatusOK, "voter", page)
}

func (s *Service) overlayPage(c *gin.Context) error {
	_, a, ok := s.feedOf(c)
	if !ok {
		noFeed(c)
		return nil
	}
	c.Header("Access-Control-Allow-Origin", "*")
	return s.page(c, http.StatusOK, "overlay", OverlayPage{Poll: a.Definition.ID, Question: a.Definition.Question, Locale: a.Show.Locale, Rehearsal: a.Show.Rehearsal})
}

func (s *Service) page(c *gin.Context, status int, name string, data any) error {
	body, err := s.deps.Pages.Page(name, data)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-cache")
	c.Header("Content-Security-Policy", pagePolicy)
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Referrer-Policy", "same-origin")
	if status != http.StatusOK {
		c.Data(status, htmlType, body)
		return nil
	}
	tagged(c, htmlType, body)
	return nil
}

func (s *Service) asset(c *gin.Context) error {
	contentType, body, ok := s.deps.Pages.Asset(c.Param("file"))
	if !ok {
		return fault.New(fault.NotFound, "no such file")
	}
	c.Header("Cache-Control", "no-cache")
	c.Header("X-Content-Type-Options", "nosniff")
	tagged(c, contentType, body)
	return nil
}
