package batch

import "github.com/prometheus/client_golang/prometheus"

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

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		leader: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "clamor_batch_leader", Help: "1 while this process starts the batch runs.",
		}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clamor_batch_runs_total", Help: "Batch runs that ended, by state.",
		}, []string{"state"}),
		steps: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "clamor_batch_step_seconds", Help: "Duration of a run's steps.",
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 9),
		}, []string{"step"}),
		generation: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "clamor_batch_generation", Help: "Number of the generation published last by this process.",
		}),
		cutAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "clamor_batch_cut_timestamp_seconds", Help: "When the published generation was cut, Unix time.",
		}),
		archived: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clamor_batch_archived_rows_total", Help: "Rows written to the archive, by topic.",
		}, []string{"topic"}),
		mended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clamor_batch_segments_mended_total", Help: "Segments of the archive that were damaged or missing and written again from the log, by topic.",
		}, []string{"topic"}),
		recomputed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_recomputed_ballots_total", Help: "Ballots folded from the archive.",
		}),
		recomputing: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_recompute_seconds_total", Help: "Time spent recomputing.",
		}),
		compared: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "clamor_batch_compared_total", Help: "Comparisons of the speed view with the batch view at a cut, by outcome.",
		}, []string{"agreed"}),
		sealed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_sealed_rounds_total", Help: "Rounds sealed and certified.",
		}),
		heard: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_heard_posts_total", Help: "Posts folded from the archive.",
		}),
		unheard: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "clamor_batch_unheard_epochs", Help: "Epochs whose posts the published generation lacks: above 0 while posts stand still.",
		}),
		hearing: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_hear_seconds_total", Help: "Time spent folding posts.",
		}),
		indexed: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "clamor_batch_indexed_generation", Help: "Number of the last generation whose posts the search engine was given.",
		}),
		indexedPosts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_indexed_posts_total", Help: "Posts given to the search engine.",
		}),
		searchFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_search_failures_total", Help: "Times that the search engine was away.",
		}),
		searchRefused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "clamor_batch_search_refused_posts_total", Help: "Posts that the search engine cannot take.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.heard, m.unheard, m.hearing, m.indexed, m.indexedPosts, m.searchFailures, m.searchRefused)
		reg.MustRegister(m.leader, m.runs, m.steps, m.generation, m.cutAt, m.archived, m.mended, m.recomputed, m.recomputing, m.compared, m.sealed)
	}
	return m
}
