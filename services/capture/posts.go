package capture

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/lines"
	"github.com/clamor-live/clamor/services/capture/internal/post"
	"github.com/gin-gonic/gin"
)

// takePosts takes a push source's posts, a line each, and answers when the log
// has all that were accepted.
func (s *Service) takePosts(c *gin.Context) error {
	src, err := s.source(c.Request, audience.ConnectorPush)
	if err != nil {
		return err
	}
	if src.ID != c.Param("source") {
		return fault.New(fault.SourceKeyInvalid, "the key is another source's")
	}
	body, release, err := s.takeBody(c)
	if err != nil {
		return err
	}
	defer release()
	var posts []audience.Post
	now := s.now()
	report := lines.Join(lines.Each([][]byte{body}, func(_ int, line []byte) error {
		p, err := post.Strict(line)
		if err != nil {
			return err
		}
		if n, _ := s.budgets.Spend(&src.Source, 1, now); n == 0 {
			return fault.New(fault.RateLimited, "the source's budget of %d posts per %s is spent", src.Budget.Posts, src.Budget.Per)
		}
		posts = append(posts, p)
		return nil
	}))
	if err := s.take(c.Request.Context(), src, posts); err != nil {
		return err
	}
	s.answer(c, audience.ConnectorPush, report)
	return nil
}

// takeHook is the door of platforms that call us. None of the connectors has a
// webhook so far, so there is no source that this door could belong to.
func (s *Service) takeHook(*gin.Context) error {
	return fault.New(fault.NotFound, "no source of that id takes webhooks")
}
