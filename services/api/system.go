package api

import (
	"context"
	"net/http"
	"runtime"

	"github.com/gin-gonic/gin"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/eventlog"
)

// systemReply is how the whole stands: what the console's status bar shows.
type systemReply struct {
	Version       string                `json:"version"`
	Go            string                `json:"go"`
	ServerTime    audience.Millis       `json:"server_time"`
	Stale         bool                  `json:"stale"`
	Generation    uint64                `json:"generation"`
	GenerationAt  audience.Millis       `json:"generation_at,omitzero"`
	Cut           uint64                `json:"cut"`
	CutAt         audience.Millis       `json:"cut_at,omitzero"`
	ControlOffset int64                 `json:"control_offset"`
	Partitions    []partitionReply      `json:"partitions"`
	Stores        map[string]storeReply `json:"stores"`
	Topics        topicsReply           `json:"topics"`
}

// topicsReply is how listening stands.
type topicsReply struct {
	Topics int `json:"topics"`
	// Minutes are those held in memory of all topics.
	Minutes    int             `json:"minutes"`
	Stale      bool            `json:"stale"`
	Generation uint64          `json:"generation"`
	WholeAt    audience.Millis `json:"whole_at,omitzero"`
	// Search says whether posts can be searched.
	Search bool `json:"search"`
}

func (s *Service) topicsReply() topicsReply {
	h := s.topics.Health()
	return topicsReply{
		Topics: len(s.deps.Control.State().Topics("")), Minutes: h.Minutes, Stale: h.SpeedErr != nil, Generation: h.Generation,
		WholeAt: h.WholeAt, Search: s.deps.Search != nil,
	}
}

type partitionReply struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Epoch     uint64 `json:"epoch"`
	Next      int64  `json:"next"`
	End       *int64 `json:"end,omitempty"`
	Lag       *int64 `json:"lag,omitempty"`
	Ready     bool   `json:"ready"`
}

type storeReply struct {
	OK    bool            `json:"ok"`
	Error string          `json:"error,omitempty"`
	Since audience.Millis `json:"since,omitzero"`
}

func (s *Service) system(c *gin.Context) error {
	h, state := s.board.Health(), s.deps.Control.State()
	published, _ := state.Published()
	cut, _ := state.LastCut()
	r := systemReply{
		Version: s.deps.Version, Go: runtime.Version(), ServerTime: s.now(),
		Stale: h.SpeedErr != nil, Generation: h.Generation, GenerationAt: published.At,
		Cut: cut.Number, CutAt: cut.At, ControlOffset: state.Offset(), Partitions: []partitionReply{},
		Stores: map[string]storeReply{
			"speed": storeOf(h.SpeedErr, "answers are the last good ones until it is whole", h.WholeAt),
			"views": storeOf(h.ViewsErr, "the generation before is used until it answers", 0),
		},
		Topics: s.topicsReply(),
	}
	r.Stores["log"] = storeOf(s.partitions(c.Request.Context(), &r), "the ends of the log cannot be read", 0)
	return reply(c, http.StatusOK, r)
}

// storeOf tells a store's state. Causes can hold addresses, so they stay in the
// log.
func storeOf(err error, meaning string, since audience.Millis) storeReply {
	if err == nil {
		return storeReply{OK: true}
	}
	return storeReply{Error: meaning, Since: since}
}

// partitions adds where each partition stands, and how far behind the log.
func (s *Service) partitions(ctx context.Context, r *systemReply) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ReadTimeout)
	defer cancel()
	var failed error
	for _, topic := range []string{eventlog.Ballots, eventlog.Posts} {
		for p := range s.deps.Log.Partitions(topic) {
			if err := ctx.Err(); err != nil {
				return err
			}
			line, err := s.partition(ctx, topic, int32(p))
			if err != nil {
				failed = err
			}
			r.Partitions = append(r.Partitions, line)
		}
	}
	return failed
}

func (s *Service) partition(ctx context.Context, topic string, p int32) (partitionReply, error) {
	line := partitionReply{Topic: topic, Partition: p}
	pos, err := s.deps.Speed.Position(ctx, topic, p)
	if err == nil {
		line.Epoch, line.Next, line.Ready = pos.Epoch, pos.Next, pos.Ready
	}
	_, end, logErr := s.deps.Log.Bounds(ctx, topic, p)
	if logErr != nil {
		return line, logErr
	}
	line.End = &end
	if err == nil {
		lag := max(0, end-pos.Next)
		line.Lag = &lag
	}
	return line, nil
}
