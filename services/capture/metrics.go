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
	}
	byDoor := prometheus.NewCounterVec(counter("ballots_total", "Ballots acknowledged, by door."), []string{"door"})
	for _, door := range []string{doorVoter, doorGateway, doorSocial} {
		m.ballots[door] = byDoor.WithLabelValues(door)
	}
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("queue_ballots", "Ballots that wait for the log.")), waiting)
	for _, c := range []prometheus.Collector{m.voters, byDoor, m.faults, m.lines, m.posts, m.ack, m.record, m.append, m.failed, m.moderated, m.judged, queue} {
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
