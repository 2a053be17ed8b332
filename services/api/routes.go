package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/services/api/internal/feed"
	"github.com/clamor-live/clamor/services/internal/contract"
	"github.com/clamor-live/clamor/services/internal/web"
)

// routes lays out every path of the contract but the doors of capture.
func (s *Service) routes() error {
	document, err := contract.JSON()
	if err != nil {
		return err
	}
	web.Get(s.engine, "/openapi.json", func(c *gin.Context) {
		c.Header("Access-Control-Allow-Origin", "*")
		c.Header("Cache-Control", "no-cache")
		tagged(c, jsonType, document)
	})
	s.voterRoutes()
	s.readRoutes()
	s.writeRoutes()
	s.feedRoutes()
	s.pageRoutes()
	return nil
}

func (s *Service) voterRoutes() {
	web.Get(s.engine, "/v1/polls/:poll", handle(s.getPoll))
	web.Get(s.engine, "/v1/polls/:poll/events", handle(s.pollEvents))
	web.Get(s.engine, "/v1/receipts/:receipt", handle(s.receipt))
}

func (s *Service) readRoutes() {
	r := s.engine.Group("/v1", s.needs(audience.RoleObserver))
	for path, h := range map[string]func(*gin.Context) error{
		"/shows":                     s.listShows,
		"/shows/:show":               s.getShow,
		"/polls":                     s.listPolls,
		"/polls/:poll/state":         s.state,
		"/polls/:poll/results":       s.results,
		"/polls/:poll/series":        s.series,
		"/polls/:poll/audit":         s.audit,
		"/polls/:poll/certificate":   s.certificate,
		"/topics":                    s.listTopics,
		"/topics/:topic":             s.getTopic,
		"/topics/:topic/stats":       s.topicStats,
		"/topics/:topic/trends":      s.topicTrends,
		"/topics/:topic/posts":       s.topicPosts,
		"/topics/:topic/map":         s.topicMap,
		"/topics/:topic/crowd":       s.topicCrowd,
		"/posts/search":              s.searchPosts,
		"/posts/:post":               s.getPost,
		"/sources":                   s.listSources,
		"/connectors":                s.listConnectors,
		"/sources/:source":           s.getSource,
		"/destinations":              s.listDestinations,
		"/destinations/:destination": s.getDestination,
		"/batch/runs":                s.listRuns,
		"/batch/runs/:run":           s.getRun,
		"/generations":               s.listGenerations,
		"/system":                    s.system,
	} {
		web.Get(r, path, handle(h))
	}
	r.POST("/rules/explain", handle(s.explainRule))
	moderator := s.engine.Group("/v1", s.needs(audience.RoleModerator))
	moderator.POST("/posts/:post/commands", handle(s.commandPost))
}

func (s *Service) writeRoutes() {
	r := s.engine.Group("/v1", s.needs(audience.RoleProducer))
	r.POST("/shows", handle(s.createShow))
	r.PUT("/shows/:show", handle(s.putShow))
	r.POST("/polls", handle(s.createPoll))
	r.PUT("/polls/:poll", handle(s.putPoll))
	r.POST("/polls/:poll/commands", handle(s.command))
	r.POST("/topics", handle(s.createTopic))
	r.PUT("/topics/:topic", handle(s.putTopic))
	r.DELETE("/topics/:topic", handle(s.deleteTopic))
	r.POST("/sources", handle(s.createSource))
	r.PUT("/sources/:source", handle(s.putSource))
	r.DELETE("/sources/:source", handle(s.deleteSource))
	r.POST("/destinations", handle(s.createDestination))
	r.PUT("/destinations/:destination", handle(s.putDestination))
	r.DELETE("/destinations/:destination", handle(s.deleteDestination))
	r.POST("/batch/runs", handle(s.requestRun))

	admin := s.engine.Group("/v1", s.needs(audience.RoleAdmin))
	web.Get(admin, "/tokens", handle(s.listTokens))
	admin.POST("/tokens", handle(s.createToken))
	admin.DELETE("/tokens/:id", handle(s.deleteToken))
}

func (s *Service) feedRoutes() {
	r := s.engine.Group("/feeds/:token")
	web.Get(r, "", handle(s.feedList))
	for _, f := range feed.Formats() {
		web.Get(r, "/polls/:poll/"+string(f), s.feedDoor(f))
		r.OPTIONS("/polls/:poll/"+string(f), preflight)
	}
	web.Get(r, "/polls/:poll/events", streamed(s.events, s.pollSource))
	r.OPTIONS("/polls/:poll/events", preflight)
	web.Get(r, "/polls/:poll/ws", streamed(s.socket, s.pollSource))
	web.Get(r, "/polls/:poll/overlay", handle(s.overlayPage))
	s.topicFeedRoutes(r)
}

func (s *Service) topicFeedRoutes(r *gin.RouterGroup) {
	at := "/topics/:topic/"
	for _, family := range feed.Families() {
		for _, f := range feed.TopicFormats(family) {
			web.Get(r, at+string(f), s.topicDoor(family, f))
			r.OPTIONS(at+string(f), preflight)
		}
	}
	web.Get(r, at+mapFile, s.topicMapFeed)
	r.OPTIONS(at+mapFile, preflight)
	web.Get(r, at+"events", streamed(s.events, s.topicSource))
	r.OPTIONS(at+"events", preflight)
	web.Get(r, at+"ws", streamed(s.socket, s.topicSource))
	web.Get(r, at+"overlay", handle(s.topicOverlay))
}

func (s *Service) pageRoutes() {
	web.Get(s.engine, "/", handle(s.homePage))
	web.Get(s.engine, "/p/:poll", handle(s.voterPage))
	web.Get(s.engine, "/assets/:file", handle(s.asset))
}

// Routes lists what is served, by method and path as the contract writes it.
func (s *Service) Routes() [][2]string {
	var out [][2]string
	for _, r := range s.engine.Routes() {
		if r.Method != http.MethodHead && r.Method != http.MethodOptions {
			out = append(out, [2]string{r.Method, r.Path})
		}
	}
	return out
}
