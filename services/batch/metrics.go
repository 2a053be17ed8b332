package batch

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	leader      prometheus.Gauge
	runs        *prometheus.CounterVec
	steps       *prometheus.HistogramVec
	generation  prometheus.Gauge
	cutAt       prometheus.Gauge
	archived    *prometheus.CounterVec
	mended      *prometheus.CounterVec
	recomputed  prometheus.Counter
	recomputing prometheus.Counter
	compared    *prometheus.CounterVec
	sealed      prometheus.Counter

	heard          prometheus.Counter
	unheard        prometheus.Gauge
	hearing        prometheus.Counter
	indexed        prometheus.Gauge
	indexedPosts   prometheus.Counter
	searchFailures prometheus.Counter
	searchRefused  prometheus.Counter
}

// newMetrics registers them, unless reg is nil.
func newMetrics(reg prometheus.Registerer) *metrics {
	const prefix = "clamor_batch_"
	f := promauto.With(reg)
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: prefix + name, Help: help})
	}
	counter := func(name, help string) prometheus.Counter {
		return f.NewCounter(prometheus.CounterOpts{Name: prefix + name, Help: help})
	}
	counters := func(name, by, help string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{by})
	}
	return &metrics{
		leader: gauge("leader", "1 while this process starts the batch runs."),
		runs:   counters("runs_total", "state", "Batch runs that ended, by state."),
		steps: f.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "step_seconds", Help: "Duration of a run's steps.",
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 9),
		}, []string{"step"}),
		generation:  gauge("generation", "Number of the generation published last by this process."),
		cutAt:       gauge("cut_timestamp_seconds", "When the published generation was cut, Unix time."),
		archived:    counters("archived_rows_total", "topic", "Rows written to the archive, by topic."),
		mended:      counters("segments_mended_total", "topic", "Segments of the archive that were damaged or missing and written again from the log, by topic."),
		recomputed:  counter("recomputed_ballots_total", "Ballots folded from the archive."),
		recomputing: counter("recompute_seconds_total", "Time spent recomputing."),
		compared:    counters("compared_total", "agreed", "Comparisons of the speed view with the batch view at a cut, by outcome."),
		sealed:      counter("sealed_rounds_total", "Rounds sealed and certified."),

		heard:          counter("heard_posts_total", "Posts folded from the archive."),
		unheard:        gauge("unheard_epochs", "Epochs whose posts the published generation lacks: above 0 while posts stand still."),
		hearing:        counter("hear_seconds_total", "Time spent folding posts."),
		indexed:        gauge("indexed_generation", "Number of the last generation whose posts the search engine was given."),
		indexedPosts:   counter("indexed_posts_total", "Posts given to the search engine."),
		searchFailures: counter("search_failures_total", "Times that the search engine was away."),
		searchRefused:  counter("search_refused_posts_total", "Posts that the search engine cannot take."),
	}
}
