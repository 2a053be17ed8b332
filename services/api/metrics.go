package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clamor-live/clamor/pkg/audience"
)

// registerMetrics shows how fresh the answers are and how many streams are open.
func registerMetrics(s *Service, reg prometheus.Registerer) error {
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "clamor", Subsystem: "api", Name: name, Help: help}, value)
	}
	for _, c := range []prometheus.Collector{
		gauge("streams", "Event streams and WebSockets that are open.", func() float64 { return float64(s.streams.Load()) }),
		gauge("generation", "Generation that answers are merged with.", func() float64 { return float64(s.board.Health().Generation) }),
		gauge("stale_seconds", "Age of the last whole merge of the views.", s.staleSeconds),
		gauge("topic_minutes", "Minutes of topics held in memory.", func() float64 { return float64(s.topics.Health().Minutes) }),
		gauge("topic_past_bytes", "Memory for minutes of topics that were read from the batch view.", func() float64 { return float64(s.topics.PastBytes()) }),
		gauge("topics_stale_seconds", "Age of the last whole look at the views of posts.", func() float64 { return s.since(s.topics.Health().WholeAt) }),
	} {
		if err := reg.Register(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) staleSeconds() float64 {
	return s.since(s.board.Health().WholeAt)
}

// since is the age of a look in seconds; 0 before the first.
func (s *Service) since(whole audience.Millis) float64 {
	if whole == 0 {
		return 0
	}
	return s.deps.Now().Sub(whole.Time()).Seconds()
}
