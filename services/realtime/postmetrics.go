package realtime

import (
	"time"

	"github.com/clamor-live/clamor/pkg/topic"
	"github.com/prometheus/client_golang/prometheus"
)

// postMetrics are what only workers of posts have to tell.
type postMetrics struct {
	*metrics

	outcomes   *prometheus.CounterVec
	visible    prometheus.Histogram
	recompiles prometheus.Counter
	topics     prometheus.Gauge
	faults     prometheus.Gauge
	waits      prometheus.Counter
}

func newPostMetrics(reg prometheus.Registerer, now func() time.Time) *postMetrics {
	m := &postMetrics{
		metrics: newMetrics(reg, postsPrefix, "folded_total", now),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: postsPrefix + "outcomes_total", Help: "Posts folded, by what became of them: counted, repeated or held.",
		}, []string{"outcome"}),
		visible: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: postsPrefix + "visible_seconds", Help: "From a post's capture until the speed view holds it; refills are left out.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14),
		}),
		recompiles: prometheus.NewCounter(prometheus.CounterOpts{
			Name: postsPrefix + "recompiles_total", Help: "Compilations of all topics, after a change or at a cut.",
		}),
		topics: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: postsPrefix + "topics", Help: "Topics listened to.",
		}),
		faults: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: postsPrefix + "topics_faulty", Help: "Topics whose rule does not compile: nobody listens to them.",
		}),
		waits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: postsPrefix + "cut_waits_total", Help: "Cuts of the log that had to be waited for in control.",
		}),
	}
	reg.MustRegister(m.outcomes, m.visible, m.recompiles, m.topics, m.faults, m.waits)
	return m
}

var outcomeNames = [...]string{topic.Counted: "counted", topic.Repeated: "repeated", topic.Held: "held"}

// outcomes counts what became of posts.
type outcomes [len(outcomeNames)]int

func (m *postMetrics) outcome(o outcomes) {
	for i, n := range o {
		if n > 0 {
			m.outcomes.WithLabelValues(outcomeNames[i]).Add(float64(n))
		}
	}
}
