package realtime

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of the workers of one log.
type metrics struct {
	lag, epoch, ready *prometheus.GaugeVec
	records, steps    prometheus.Counter
	advance           prometheus.Histogram
	refills, fenced   prometheus.Counter
	refilled          prometheus.Gauge
	rewrites          prometheus.Counter
	failures          *prometheus.CounterVec
	rejected          *prometheus.CounterVec
	cutAt             atomic.Int64 // of the newest cut folded, Unix milliseconds
}

// What the names of the metrics of each log begin with.
const (
	ballotsPrefix = "clamor_realtime_"
	postsPrefix   = "clamor_realtime_posts_"
)

// newMetrics makes those of the log of a prefix; records is the name of the
// counter of what is folded.
func newMetrics(reg prometheus.Registerer, prefix, records string, now func() time.Time) *metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, []string{"partition"})
	}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
	reasons := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{"reason"})
	}
	m := &metrics{
		lag:     gauge("lag", "Records of the log that the speed view does not hold yet."),
		epoch:   gauge("epoch", "Epoch that the partition is folding."),
		ready:   gauge("ready", "1 when the partition's speed view is whole."),
		records: counter(records, "Records' contents folded, replays included."),
		steps:   counter("steps_total", "Steps applied to Redis."),
		refills: counter("refills_total", "Partitions begun anew from the log or the archive."),
		refilled: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: prefix + "refill_seconds", Help: "How long the last refill took until its partition was whole.",
		}),
		fenced:   counter("fenced_total", "Steps refused because another had moved the partition."),
		rewrites: counter("journal_rewrites_total", "Journals replaced by shorter ones."),
		failures: reasons("failures_total", "Failures of Redis or the log, by what was tried."),
		rejected: reasons("rejected_total", "Records that could not be folded."),
		advance: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: prefix + "advance_seconds", Help: "Time of one step into Redis.",
			Buckets: prometheus.ExponentialBuckets(0.00025, 2, 14),
		}),
	}
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: prefix + "cut_age_seconds", Help: "Age of the newest cut folded; 0 before the first.",
	}, func() float64 {
		at := m.cutAt.Load()
		if at == 0 {
			return 0
		}
		return now().Sub(audience.Millis(at).Time()).Seconds()
	})
	reg.MustRegister(m.lag, m.epoch, m.ready, m.records, m.steps, m.refills, m.refilled, m.fenced,
		m.rewrites, m.failures, m.rejected, m.advance, age)
	return m
}

func (m *metrics) cut(at audience.Millis) {
	for {
		old := m.cutAt.Load()
		if int64(at) <= old || m.cutAt.CompareAndSwap(old, int64(at)) {
			return
		}
	}
}

// leave forgets the gauges of a partition that is another's now.
func (m *metrics) leave(partition int32) {
	label := strconv.Itoa(int(partition))
	for _, g := range []*prometheus.GaugeVec{m.lag, m.epoch, m.ready} {
		g.DeleteLabelValues(label)
	}
}
