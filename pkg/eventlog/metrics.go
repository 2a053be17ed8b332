package eventlog

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	ack     *prometheus.HistogramVec
	failed  *prometheus.CounterVec
	read    *prometheus.CounterVec
	lag     *prometheus.GaugeVec
	poison  *prometheus.CounterVec
	breaks  *prometheus.CounterVec
	records prometheus.Gauge
	bytes   prometheus.Gauge
	seats   *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "clamor", Subsystem: "log", Name: name, Help: help}
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return register(reg, prometheus.NewCounterVec(prometheus.CounterOpts(opts(name, help)), labels))
	}
	gauge := func(name, help string) prometheus.Gauge {
		return register(reg, prometheus.NewGauge(prometheus.GaugeOpts(opts(name, help))))
	}
	return &metrics{
		ack: register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "clamor", Subsystem: "log", Name: "ack_seconds",
			Help:    "Time from append to acknowledgement.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 16),
		}, []string{"topic"})),
		failed:  counter("append_failures_total", "Appends that were not acknowledged, by reason.", "topic", "reason"),
		read:    counter("records_read_total", "Records read.", "topic"),
		poison:  counter("poison_total", "Records written to the dead letters.", "topic"),
		breaks:  counter("reader_breaks_total", "Times a reader lost its broker and looked for another.", "topic"),
		records: gauge("in_flight_records", "Records sent and not yet answered."),
		bytes:   gauge("in_flight_bytes", "Bytes sent and not yet answered."),
		lag: register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts(
			opts("lag_records", "Records between a reader's place and the end of its partition.")),
			[]string{"topic", "partition"})),
		seats: register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts(
			opts("seats", "Seats held by this process.")), []string{"group"})),
	}
}

// register adds c to reg, or returns the collector of that name that is there
// already: several Logs in one process share their metrics.
func register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	var dup prometheus.AlreadyRegisteredError
	if errors.As(err, &dup) {
		if old, ok := dup.ExistingCollector.(C); ok {
			return old
		}
	}
	return c
}

func (m *metrics) acked(topic string, took time.Duration) {
	m.ack.WithLabelValues(topic).Observe(took.Seconds())
}

func (m *metrics) lagOf(topic string, partition int32) prometheus.Gauge {
	return m.lag.WithLabelValues(topic, strconv.Itoa(int(partition)))
}
