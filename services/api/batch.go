package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/views"
)

func (s *Service) requestRun(c *gin.Context) error {
	var nothing struct{}
	if err := body(c, &nothing); err != nil {
		return err
	}
	v, err := s.submit(c, control.KindRunRequest, newID("run"), 0, nil)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/batch/runs/"+v.Run)
	return reply(c, http.StatusAccepted, gin.H{"run": v.Run})
}

func (s *Service) getRun(c *gin.Context) error {
	id := c.Param("run")
	run, err := s.deps.Views.Run(c.Request.Context(), id)
	switch {
	case err == nil:
		return reply(c, http.StatusOK, stepped(run))
	case !errors.Is(err, views.ErrNotFound):
		return storeDown(err)
	}
	if p, ok := s.deps.Control.State().PendingRun(); ok && p.Run == id {
		return reply(c, http.StatusOK, stepped(waiting(p)))
	}
	return fault.New(fault.NotFound, "there is no batch run %q", id)
}

func waiting(p control.RunRequest) views.Run {
	return views.Run{ID: p.Run, State: views.Queued, Trigger: "request"}
}

func stepped(run views.Run) views.Run {
	if run.Steps == nil {
		run.Steps = []views.Step{}
	}
	return run
}

func (s *Service) listRuns(c *gin.Context) error {
	runs, err := s.deps.Views.Runs(c.Request.Context(), maxPage)
	if err != nil {
		return storeDown(err)
	}
	all := make([]views.Run, 0, len(runs)+1)
	if p, ok := s.deps.Control.State().PendingRun(); ok && !hasRun(runs, p.Run) {
		all = append(all, waiting(p))
	}
	all = append(all, runs...)
	for i := range all {
		all[i] = stepped(all[i])
	}
	return indexed(c, all)
}

func hasRun(runs []views.Run, id string) bool {
	for i := range runs {
		if runs[i].ID == id {
			return true
		}
	}
	return false
}

// storeDown says that a store does not answer; the cause is for the log.
func storeDown(err error) error {
	return fault.New(fault.Unavailable, "a store does not answer: try again in a moment").Because(err).After(time.Second)
}

// generationReply is a generation without its figures.
type generationReply struct {
	Generation uint64              `json:"generation"`
	CreatedAt  audience.Millis     `json:"created_at"`
	Rows       int64               `json:"rows"`
	Agreed     string              `json:"agreed"`
	Offsets    map[string]int64    `json:"offsets"`
	Current    bool                `json:"current,omitempty"`
	Seals      []audience.RoundKey `json:"seals,omitempty"`
}

func (s *Service) listGenerations(c *gin.Context) error {
	generations, err := s.deps.Views.Generations(c.Request.Context(), maxPage)
	if err != nil {
		return storeDown(err)
	}
	published, _ := s.deps.Control.State().Published()
	all := make([]generationReply, 0, len(generations))
	for i := range generations {
		g := &generations[i]
		agreed := g.Agreed
		if agreed == "" {
			agreed = views.AgreedUnknown
		}
		all = append(all, generationReply{
			Generation: g.Number, CreatedAt: g.CreatedAt, Rows: g.Rows, Agreed: agreed,
			Offsets: offsets(g.Offsets), Current: g.Number == published.Generation, Seals: s.own(c, g.Seals),
		})
	}
	return indexed(c, all)
}

// own are those rounds that the token may know of.
func (s *Service) own(c *gin.Context, rounds []audience.RoundKey) []audience.RoundKey {
	state := s.deps.Control.State()
	return only(rounds, func(k audience.RoundKey) bool {
		p, ok := state.Poll(k.Poll)
		return ok && reaches(c, p.Definition.Show)
	})
}

// offsets writes partitions as JSON keys.
func offsets(by map[int32]int64) map[string]int64 {
	out := make(map[string]int64, len(by))
	for p, next := range by {
		out[strconv.Itoa(int(p))] = next
	}
	return out
}
