package capture

import (
	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/budget"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
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
	posts, report := s.readPosts(src, body)
	rate := 1.0
	if budget.Samples(&src.Source) {
		rate = s.budgets.Rate(&src.Source, len(posts), s.now())
	}
	got, err := s.take(c.Request.Context(), src, posts, rate)
	if err != nil {
		s.refund(src, len(posts))
		return err
	}
	account := s.accounts.caller(src, s.now)
	unaffordable := report.ByCode[string(fault.RateLimited)]
	account.Took(connect.Batch{Posts: posts, Malformed: report.Rejected - unaffordable})
	got.unsampled += unaffordable
	s.charge(src, account, got)
	s.answer(c, audience.ConnectorPush, report)
	return nil
}

// readPosts reads a post a line. A budget that does not sample refuses the lines
// that it has no room for.
func (s *Service) readPosts(src *control.Source, body []byte) (posts []audience.Post, report *lines.Report) {
	now := s.now()
	report = lines.Join(lines.Each([][]byte{body}, func(_ int, line []byte) error {
		p, err := post.Strict(line)
		if err != nil {
			return err
		}
		if !budget.Samples(&src.Source) {
			if n, _ := s.budgets.Spend(&src.Source, 1, now); n == 0 {
				return spent(src.Budget)
			}
		}
		posts = append(posts, p)
		return nil
	}))
	return posts, report
}

// spent refuses what a budget has no room for.
func spent(b *audience.Budget) *fault.Error {
	if b.Posts > 0 {
		return fault.New(fault.RateLimited, "the source's budget of %d posts per %s is spent", b.Posts, b.Per)
	}
	return fault.New(fault.RateLimited, "the source's budget per %s is spent", b.Per)
}
