package api

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/api/internal/feed"
	"github.com/clamor-live/clamor/services/api/internal/live"
)

// maxQuery bounds a query that is remembered with its rendered form.
const maxQuery = 256

// destination is whose feeds the request is for, if they may be read from the
// client's address.
func (s *Service) destination(c *gin.Context) (*control.Destination, bool) {
	d, ok := s.holder(c)
	return d, ok && allows(d, c)
}

// holder is whose token the request brings: it stands in the path, or in a header
// where the path has a placeholder such as "-".
func (s *Service) holder(c *gin.Context) (*control.Destination, bool) {
	state, token := s.deps.Control.State(), c.Param("token")
	if d := s.admitted.find(state, token); d != nil {
		return d, true
	}
	if d, ok := state.DestinationByToken(keys.HashToken(token)); ok {
		s.admitted.add(state, token, d)
		return d, true
	}
	secret := feedSecret(c)
	if secret == "" {
		return nil, false
	}
	return state.DestinationByToken(keys.HashToken(secret))
}

// admitted remembers the tokens that one state of the registry let in, which
// spares hashing them a hundred times a second. The next state begins anew, so
// a revocation is seen at once, and there are no more tokens than destinations.
type admitted struct{ now atomic.Pointer[admission] }

type admission struct {
	state   *control.State
	byToken map[string]*control.Destination
}

func (a *admitted) find(state *control.State, token string) *control.Destination {
	if now := a.now.Load(); now != nil && now.state == state {
		return now.byToken[token]
	}
	return nil
}

func (a *admitted) add(state *control.State, token string, d *control.Destination) {
	next := &admission{state: state, byToken: map[string]*control.Destination{strings.Clone(token): d}}
	now := a.now.Load()
	if now != nil && now.state == state {
		maps.Copy(next.byToken, now.byToken)
	}
	a.now.CompareAndSwap(now, next) // a lost race costs one more hash
}

// feedSecret is the token of a Bearer, Basic or API-key header.
func feedSecret(c *gin.Context) string {
	if key := c.GetHeader("X-Api-Key"); key != "" {
		return key
	}
	if _, password, ok := c.Request.BasicAuth(); ok {
		return password
	}
	scheme, secret, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(secret)
}

// noFeed is the one answer to a wrong token, a revoked one and a poll that is
// not the destination's, so that nothing can be learnt from it.
func noFeed(c *gin.Context) {
	c.Abort()
	c.Writer.Header()["Access-Control-Allow-Origin"] = anyOrigin
	fault.Write(c.Writer, "", fault.New(fault.NotFound, "there is no such feed: the token is not valid, or the poll is not of its show"))
}

// feedOf finds the answer that a destination gets of the path's poll.
func (s *Service) feedOf(c *gin.Context) (*control.Destination, *live.Answer, bool) {
	d, ok := s.destination(c)
	if !ok {
		return nil, nil, false
	}
	a, ok := s.board.Answer(c.Param("poll"), live.FaceOf(d.Audience))
	if !ok || a.Definition.Show != d.Show {
		return nil, nil, false
	}
	return d, a, true
}

// feedDoor serves one format.
func (s *Service) feedDoor(format feed.Format) gin.HandlerFunc {
	name := string(format)
	return func(c *gin.Context) {
		d, a, ok := s.feedOf(c)
		if !ok {
			noFeed(c)
			return
		}
		f := live.Form{For: d, Name: name, Query: c.Request.URL.RawQuery}
		r := a.Find(f)
		if r == nil {
			r = s.renderFeed(a, f, format)
		}
		s.send(c, r, &a.Stamp)
	}
}

func (s *Service) renderFeed(a *live.Answer, f live.Form, format feed.Format) *live.Rendered {
	query, _ := url.ParseQuery(f.Query) // what can be read of it; the rest is ignored
	render := func() ([]byte, string) {
		body, contentType := feed.Render(feedInput(a, f.For), format, feed.Parse(query))
		return bytes.Clone(body), contentType
	}
	if len(f.Query) > maxQuery {
		return dressed(render())
	}
	return s.form(&a.Stamp, f, render)
}

// renderPlain is poll.json without the destination's aliases.
func (s *Service) renderPlain(a *live.Answer, d *control.Destination) *live.Rendered {
	return s.form(&a.Stamp, live.Form{For: d, Name: "plain"}, func() ([]byte, string) {
		bare := *d
		bare.Aliases = nil
		return feed.Render(feedInput(a, &bare), feed.PollJSON, feed.Options{})
	})
}

// feedInput is an answer as the feeds' renderer takes it. The figures of an
// audience that may not see them are zero already.
func feedInput(a *live.Answer, d *control.Destination) feed.Input {
	return feed.Input{
		Show: a.Show, Poll: a.Definition, Destination: d.Destination,
		Standing: control.Standing{
			Round: a.Round, Phase: a.Phase, OpensAt: a.OpensAt, ClosesAt: a.ClosesAt, Reveal: a.Reveal,
			OnAir: a.Shown, Public: a.Shown, WithReceipt: a.Shown,
		},
		Figures: a.Figures, Batch: a.Batch, Speed: a.Speed, PPM: a.PerMinute,
		ResultStatus: a.Status, Generation: a.Generation, ReconciledAt: a.ReconciledAt,
		Stale: a.Stale, AgeMillis: a.AgeMS, Seq: uint64(a.Seq), AsOf: a.AsOf,
	}
}

// streamed sends what a feed's stream shows, one way or the other.
func streamed(send func(*gin.Context, source) error, of func(*gin.Context) (source, bool)) gin.HandlerFunc {
	return handle(func(c *gin.Context) error {
		src, ok := of(c)
		if !ok {
			noFeed(c)
			return nil
		}
		return send(c, src)
	})
}

// pollSource is poll.json whenever it changes.
func (s *Service) pollSource(c *gin.Context) (source, bool) {
	d, _, ok := s.feedOf(c)
	if !ok {
		return source{}, false
	}
	id, hash, poll := d.ID, d.TokenHash, c.Param("poll")
	plain := c.Query("plain") == "1" // our own overlay needs the columns under their own names
	current := func() (*control.Destination, bool) {
		d, ok := s.deps.Control.State().DestinationByToken(hash)
		return d, ok && d.ID == id && allows(d, c)
	}
	render := func(a *live.Answer) []byte {
		d, ok := current()
		if !ok {
			return []byte("{}")
		}
		if plain {
			return oneLine(s.renderPlain(a, d).Body)
		}
		return oneLine(s.renderFeed(a, live.Form{For: d, Name: string(feed.PollJSON)}, feed.PollJSON).Body)
	}
	return source{
		change: "results",
		watch: func() (scene, <-chan struct{}, bool) {
			d, ok := current()
			if !ok {
				return scene{}, nil, false
			}
			a, changed, ok := s.board.Watch(poll, live.FaceOf(d.Audience))
			if !ok || a.Definition.Show != d.Show {
				return scene{}, nil, false
			}
			return sceneOf(a, render), changed, true
		},
		recheck: s.deps.Control.Changed,
	}, true
}

// oneLine makes a body fit for an event's data, which ends at a line's end.
// JSON has line ends between its tokens only.
func oneLine(body []byte) []byte {
	body = bytes.TrimSpace(body)
	if bytes.IndexByte(body, '\n') < 0 {
		return body
	}
	return bytes.ReplaceAll(body, []byte("\n"), nil)
}

// feedURLs are the addresses of a destination's feeds.
type feedURLs struct {
	List   string                       `json:"list"`
	Polls  map[string]map[string]string `json:"polls"`
	Topics map[string]map[string]string `json:"topics"`
}

func (s *Service) feedURLs(c *gin.Context, token string, d *control.Destination) *feedURLs {
	base := s.origin(c) + "/feeds/" + token
	u := &feedURLs{List: base, Polls: map[string]map[string]string{}, Topics: map[string]map[string]string{}}
	for _, p := range s.deps.Control.State().Polls(d.Show) {
		u.Polls[p.Definition.ID] = pollURLs(base, p.Definition.ID)
	}
	for _, t := range s.deps.Control.State().Topics(d.Show) {
		u.Topics[t.ID] = topicURLs(base, t.ID)
	}
	return u
}

func pollURLs(base, poll string) map[string]string {
	base += "/polls/" + poll + "/"
	urls := map[string]string{"events": base + "events", "ws": socketURL(base), "overlay": base + "overlay"}
	for _, f := range feed.Formats() {
		urls[strings.TrimPrefix(string(f), "feed.")] = base + string(f)
	}
	return urls
}

// socketURL is the address of the WebSocket below a base.
func socketURL(base string) string { return "ws" + strings.TrimPrefix(base, "http") + "ws" }

// origin is scheme and host that the client knows us by.
func (s *Service) origin(c *gin.Context) string {
	if s.cfg.PublicURL != "" {
		return strings.TrimSuffix(s.cfg.PublicURL, "/")
	}
	scheme := "http"
	if c.Request.TLS != nil || c.GetHeader("X-Forwarded-Proto") == "https" && s.behindProxy(c) {
		scheme = "https"
	}
	return scheme + "://" + c.Request.Host
}

// behindProxy says whether the request came from a trusted proxy: only then is
// the client's address another than the peer's.
func (s *Service) behindProxy(c *gin.Context) bool { return c.ClientIP() != c.RemoteIP() }

// feedList answers with everything a destination may read.
func (s *Service) feedList(c *gin.Context) error {
	d, ok := s.destination(c)
	if !ok {
		noFeed(c)
		return nil
	}
	base := s.origin(c) + "/feeds/" + c.Param("token")
	r := feedListReply{Destination: d.ID, Show: d.Show, Audience: d.Audience, Polls: []feedListPoll{}, Topics: []feedListTopic{}, Feeds: []feed.Entry{}}
	now := s.now()
	var polls []audience.Poll
	for _, p := range s.deps.Control.State().Polls(d.Show) {
		definition := p.DefinitionAt(now)
		polls = append(polls, definition)
		r.Polls = append(r.Polls, feedListPoll{definition.ID, definition.Question, p.At(now).Phase, pollURLs(base, definition.ID)})
	}
	var topics []audience.Topic
	for _, t := range s.deps.Control.State().Topics(d.Show) {
		topics = append(topics, t.Topic)
		r.Topics = append(r.Topics, feedListTopic{t.ID, t.Title, topicURLs(base, t.ID)})
	}
	if show, ok := s.deps.Control.State().Show(d.Show); ok {
		r.Feeds = append(r.Feeds, feed.Catalog(base, show.Show, d.Destination, polls)...)
		r.Feeds = append(r.Feeds, feed.TopicCatalog(base, show.Show, d.Destination, topics)...)
	}
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Cache-Control", "no-cache")
	return reply(c, http.StatusOK, r)
}

type feedListReply struct {
	Destination string            `json:"destination"`
	Show        string            `json:"show"`
	Audience    audience.Audience `json:"audience"`
	Polls       []feedListPoll    `json:"polls"`
	Topics      []feedListTopic   `json:"topics"`
	Feeds       []feed.Entry      `json:"feeds"`
}

type feedListPoll struct {
	Poll     string            `json:"poll"`
	Question string            `json:"question"`
	Phase    audience.Phase    `json:"phase"`
	URLs     map[string]string `json:"urls"`
}

type feedListTopic struct {
	Topic string            `json:"topic"`
	Title string            `json:"title"`
	URLs  map[string]string `json:"urls"`
}

// preflight answers browsers that ask before they send a header.
func preflight(c *gin.Context) {
	h := c.Writer.Header()
	h["Access-Control-Allow-Origin"] = anyOrigin
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Authorization, X-Api-Key, If-None-Match, If-Modified-Since, Last-Event-ID")
	h.Set("Access-Control-Max-Age", "86400")
	c.Status(http.StatusNoContent)
}
