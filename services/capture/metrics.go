package capture

import (
	"errors"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/prometheus/client_golang/prometheus"
)

// The doors that ballots come through, as labels.
const (
	doorVoter   = "voter"
	doorGateway = "gateway"
	doorSocial  = "social"
)

type metrics struct {
	voters  prometheus.Counter
	ballots map[string]prometheus.Counter // by door; not changed after newMetrics
	faults  *prometheus.CounterVec
	lines   *prometheus.CounterVec
	posts   *prometheus.CounterVec
	ack     prometheus.Histogram
	record  prometheus.Histogram
	append  prometheus.Histogram
	failed  prometheus.Counter
	// moderated is by command; judged by what the show's rules said.
	moderated, judged *prometheus.CounterVec
	// lost and unsampled are by connector, gone by connector and outcome; running by
	// connector and state.
	lost, unsampled *prometheus.CounterVec
	gone            *prometheus.CounterVec
	running, lag    *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer, waiting func() float64) (*metrics, error) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "clamor", Subsystem: "capture", Name: name, Help: help}
	}
	counter := func(name, help string) prometheus.CounterOpts { return prometheus.CounterOpts(opts(name, help)) }
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		o := opts(name, help)
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: o.Namespace, Subsystem: o.Subsystem, Name: o.Name, Help: o.Help, Buckets: buckets})
	}
	seconds := []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 2}
	m := &metrics{
		voters:  prometheus.NewCounter(counter("voters_total", "Voter tokens handed out.")),
		ballots: map[string]prometheus.Counter{},
		faults:  prometheus.NewCounterVec(counter("refusals_total", "Requests refused, by problem code."), []string{"code"}),
		lines:   prometheus.NewCounterVec(counter("lines_refused_total", "Lines of batches, pushes and replays refused, by connector and code."), []string{"connector", "code"}),
		posts:   prometheus.NewCounterVec(counter("posts_total", "Posts in the log, by connector."), []string{"connector"}),
		ack:     histogram("ack_seconds", "From a ballot's received_at to the log's acknowledgement.", seconds),
		record:  histogram("record_ballots", "Ballots that travel in one record.", prometheus.ExponentialBuckets(1, 4, 8)),
		append:  histogram("append_seconds", "Time the log takes for a record of ballots.", seconds),
		failed:  prometheus.NewCounter(counter("append_failures_total", "Records of ballots that the log did not acknowledge.")),

		moderated: prometheus.NewCounterVec(counter("posts_moderated_total", "Moderators' words on posts carried out, by command."), []string{"command"}),
		judged:    prometheus.NewCounterVec(counter("posts_judged_total", "Posts that a show's rules decided about, by decision."), []string{"decision"}),

		lost:      prometheus.NewCounterVec(counter("posts_lost_total", "Posts that platforms say they kept back, by connector."), []string{"connector"}),
		unsampled: prometheus.NewCounterVec(counter("posts_unsampled_total", "Posts that budgets had no room for, by connector."), []string{"connector"}),
		gone:      prometheus.NewCounterVec(counter("posts_gone_total", "Posts that platforms say are gone, by connector and outcome."), []string{"connector", "outcome"}),
		running:   prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("sources", "Sources that run here, by connector and state.")), []string{"connector", "state"}),
		lag:       prometheus.NewGaugeVec(prometheus.GaugeOpts(opts("source_lag_seconds", "Age of the last post of the source that is furthest behind, by connector.")), []string{"connector"}),
	}
	byDoor := prometheus.NewCounterVec(counter("ballots_total", "Ballots acknowledged, by door."), []string{"door"})
	for _, door := range []string{doorVoter, doorGateway, doorSocial} {
		m.ballots[door] = byDoor.WithLabelValues(door)
	}
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("queue_ballots", "Ballots that wait for the log.")), waiting)
	for _, c := range []prometheus.Collector{m.voters, byDoor, m.faults, m.lines, m.posts, m.ack, m.record, m.append, m.failed, m.moderated, m.judged, m.lost, m.unsampled, m.gone, m.running, m.lag, queue} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) acknowledged(door string, ballots int, after audience.Millis) {
	m.ballots[door].Add(float64(ballots))
	m.ack.Observe(float64(after) / 1000)
}

// sources sets what is told of the sources that run here.
func (m *metrics) sources(all []standing) {
	m.running.Reset()
	m.lag.Reset()
	furthest := map[string]int64{}
	for _, s := range all {
		m.running.WithLabelValues(s.connector, string(s.status.State)).Inc()
		furthest[s.connector] = max(furthest[s.connector], s.status.LagMillis)
	}
	for connector, millis := range furthest {
		m.lag.WithLabelValues(connector).Set(float64(millis) / 1000)
	}
}

func (m *metrics) flushed(ballots int, took time.Duration, err error) {
	if err != nil {
		m.failed.Inc()
		return
	}
	m.record.Observe(float64(ballots))
	m.append.Observe(took.Seconds())
}

func (m *metrics) refused(err error) {
	m.faults.WithLabelValues(codeOf(err)).Inc()
}

func codeOf(err error) string {
	var e *fault.Error
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return string(fault.Internal)
}
