package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/run"
)

// serveBare is the yardstick: Gin with nothing around it. It decodes a ballot's
// body and acknowledges it, and writes bytes it holds as a feed.
func serveBare(ctx context.Context, address string) error {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.POST("/v1/polls/:poll/ballots", func(c *gin.Context) {
		var ballot struct {
			BallotID string   `json:"ballot_id" binding:"required"`
			Choices  []string `json:"choices"`
		}
		if err := c.ShouldBindJSON(&ballot); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.JSON(http.StatusAccepted, gin.H{"ballot_id": ballot.BallotID, "poll": c.Param("poll"), "round": 1})
	})
	feed := &bareFeed{}
	e.PUT("/feed.json", feed.put)
	e.GET("/feed.json", feed.get)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return run.HTTP(l, e, run.DefaultServerConfig()).Run(ctx)
}

// bareFeed writes the very bytes that Clamor's feed did: body and headers.
type bareFeed struct {
	body   []byte
	header http.Header
}

// givenPrefix marks the headers that a PUT hands over for GETs to answer with.
const givenPrefix = "Given-"

func (f *bareFeed) put(c *gin.Context) {
	body, err := c.GetRawData()
	if err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	f.body, f.header = body, http.Header{}
	for name, values := range c.Request.Header {
		if given, ok := strings.CutPrefix(name, givenPrefix); ok {
			f.header[given] = values
		}
	}
}

func (f *bareFeed) get(c *gin.Context) {
	h := c.Writer.Header()
	for name, values := range f.header {
		h[name] = values
	}
	if etag := h.Get("ETag"); etag != "" && c.GetHeader("If-None-Match") == etag {
		c.Status(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	c.Data(http.StatusOK, "application/json; charset=utf-8", f.body)
}
