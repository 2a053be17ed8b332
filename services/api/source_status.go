package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
)

// boardPatience is how long a list waits for how its sources fare.
const boardPatience = 500 * time.Millisecond

// statuses are what capture tells of sources; nil: it is not known.
func (s *Service) statuses(c *gin.Context, ids []string) map[string][]audience.SourceStatus {
	if s.deps.Board == nil || len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), boardPatience)
	defer cancel()
	told, err := s.deps.Board.Sources(ctx, ids)
	if err != nil {
		s.deps.Logger.Warn("how sources fare is not known", "error", err)
		return nil
	}
	if told == nil {
		told = map[string][]audience.SourceStatus{}
	}
	return told
}

// pageStatuses asks for the sources of the page that is wanted only.
func (s *Service) pageStatuses(c *gin.Context, all []*control.Source) (map[string][]audience.SourceStatus, error) {
	limit, after, err := paging(c)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, v := range all {
		if strings.Compare(v.ID, after) > 0 && len(ids) < limit {
			ids = append(ids, v.ID)
		}
	}
	return s.statuses(c, ids), nil
}

// statusOf is how a source fares, as far as is known: nil, if it is not, and for
// gateways, which bring ballots and have no status.
func statusOf(v *control.Source, told map[string][]audience.SourceStatus) *audience.SourceStatus {
	table, _ := control.ConnectorOf(v.Connector)
	all := told[v.ID]
	switch {
	case table.Way == control.Gateways || told == nil:
		return nil
	case !v.Enabled:
		return &audience.SourceStatus{State: audience.SourceDisabled}
	case len(all) == 0 && table.Way == control.Pulled:
		return &audience.SourceStatus{State: audience.SourceStarting, Detail: "no instance runs it yet"}
	case len(all) == 0:
		return &audience.SourceStatus{State: audience.SourceStarting, Detail: "nobody has called yet"}
	case table.Way == control.Pulled:
		return &all[0] // who held it before may still be heard of
	}
	joined := audience.JoinStatus(all)
	return &joined
}

// listConnectors shows what sources can be, and what each can be told.
func (s *Service) listConnectors(c *gin.Context) error {
	return reply(c, http.StatusOK, gin.H{"items": control.Connectors()})
}
