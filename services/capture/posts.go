package capture

import (
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/gin-gonic/gin"
)

func (s *Service) takePosts(c *gin.Context) error {
	return fault.New(fault.NotFound, "not yet")
}

// takeHook is the door of platforms that call us. None of the connectors has a
// webhook so far, so there is no source that this door could belong to.
func (s *Service) takeHook(*gin.Context) error {
	return fault.New(fault.NotFound, "no source of that id takes webhooks")
}
