package capture

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
	"github.com/clamor-live/clamor/services/capture/internal/limit"
	"github.com/gin-gonic/gin"
)

// maxHook bounds the body of a platform's call, in bytes.
const maxHook = 4 << 20

// hooks are the readers of the sources that call us, by source.
type hooks struct {
	mu sync.Mutex
	of map[string]hookOf
}

type hookOf struct {
	revision uint64
	hook     connect.Hook
	err      error
	account  *connect.Account
}

// hookOf is the reader of a source, made when its definition changed. It forgets
// those of sources that are no more.
func (s *Service) hookOf(state *control.State, src *control.Source) hookOf {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	if h, ok := s.hooks.of[src.ID]; ok && h.revision == src.Revision {
		return h
	}
	settings, secrets, err := s.settings(src)
	h := hookOf{revision: src.Revision, err: err, account: connect.NewAccount(s.now, secrets)}
	if err == nil {
		h.hook, h.err = s.hookers[src.Connector](settings, s.envOf(src, h.account.Logger(s.logger).With("source", src.ID, "connector", src.Connector)))
	}
	if h.err != nil {
		s.logger.Error("a source cannot take calls", "source", src.ID, "error", h.account.Refuse(h.err))
	}
	if s.hooks.of == nil {
		s.hooks.of = map[string]hookOf{}
	}
	for id := range s.hooks.of {
		if _, ok := state.Source(id); !ok {
			delete(s.hooks.of, id)
		}
	}
	s.hooks.of[src.ID] = h
	s.accounts.put(src, h.account)
	return h
}

// takeHook is the door of platforms that call us: it answers when the log has
// what a call brought, so that the platform calls again if it does not.
func (s *Service) takeHook(c *gin.Context) error {
	state, err := s.state()
	if err != nil {
		return err
	}
	src, ok := state.Source(c.Param("source"))
	if !ok || !src.Enabled || s.hookers[src.Connector] == nil {
		return fault.New(fault.NotFound, "no source of that id takes webhooks")
	}
	h := s.hookOf(state, src)
	if h.err != nil {
		return fault.New(fault.Unavailable, "the source's settings are not right; see its status").Because(h.err)
	}
	body, release, err := s.holdBody(c, maxHook)
	if err != nil {
		return err
	}
	defer release()
	receipt, err := h.hook.Receive(&connect.Request{
		Method: methodOf(c.Request), URL: s.addressOf(c.Request), Query: c.Request.URL.Query(), Header: c.Request.Header, Body: body,
	})
	if err != nil {
		return err
	}
	voted, err := s.takeReceipt(c, src, h.account, &receipt)
	if err != nil {
		return err
	}
	answerHook(c, &receipt, voted)
	return nil
}

// methodOf is how a platform calls; HEAD asks what GET would answer.
func methodOf(r *http.Request) string {
	if r.Method == http.MethodHead {
		return http.MethodGet
	}
	return r.Method
}

// takeReceipt puts the posts of a call into the log, and says whether one of
// them is a ballot.
func (s *Service) takeReceipt(c *gin.Context, src *control.Source, account *connect.Account, r *connect.Receipt) (voted bool, err error) {
	n, rate, wait := s.afford(src, len(r.Posts))
	if n < len(r.Posts) {
		s.refund(src, n)
		return false, spent(src.Budget).After(min(wait, time.Hour))
	}
	got, err := s.take(c.Request.Context(), src, r.Posts, rate)
	if err != nil {
		s.refund(src, n)
		return false, err
	}
	log := account.Logger(s.logger).With("source", src.ID, "connector", src.Connector)
	if err := s.callRetractor(src, log).takeBack(c.Request.Context(), r.Gone); err != nil {
		return false, fmt.Errorf("take posts back: %w", err) // the posts come again, and count once
	}
	account.Took(connect.Batch{Posts: r.Posts, Malformed: r.Malformed})
	s.charge(src, account, got)
	if r.Malformed > 0 {
		s.metrics.lines.WithLabelValues(src.Connector, codeOf(r.First)).Add(float64(r.Malformed))
		s.logger.Warn("messages are no posts", "source", src.ID, "messages", r.Malformed, "first", r.First)
	}
	return got.votes > 0, nil
}

func answerHook(c *gin.Context, r *connect.Receipt, voted bool) {
	contentType, body := r.ContentType, r.Body
	if r.Reply != nil {
		contentType, body = r.Reply(voted)
	}
	h := c.Writer.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	c.Writer.WriteHeader(max(r.Status, http.StatusOK))
	if c.Request.Method != http.MethodHead {
		_, _ = c.Writer.Write(body) // the platform is gone; its posts are not
	}
}

// addressOf is the address that a platform called, as it knows it: proxies that
// are trusted tell the host it named.
func (s *Service) addressOf(r *http.Request) string {
	scheme, host := "http", r.Host
	if s.secure(r) {
		scheme = "https"
	}
	if peer, ok := limit.Peer(r.RemoteAddr); ok && s.trusted.Has(peer) {
		if named := outermost(r.Header, "X-Forwarded-Host"); named != "" {
			host = named
		}
	}
	return scheme + "://" + host + r.URL.RequestURI()
}

// outermost is what the first of some proxies wrote in a header, to which each adds
// its own behind a comma.
func outermost(h http.Header, name string) string {
	first, _, _ := strings.Cut(h.Get(name), ",")
	return strings.TrimSpace(first)
}
