package web

import (
	"maps"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts answers by route. Labels are bounded: routes are those that
// are registered (everything else is one), statuses are classes.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	// routes grows to as many as are registered; it is copied to be changed, so
	// that looking one up costs nothing but the look.
	routes atomic.Pointer[map[routeKey]*route]
}

type routeKey struct{ path, method string }

// route keeps the children at hand, so that observing costs one map lookup.
type route struct {
	classes [6]prometheus.Counter
	seconds prometheus.Observer
}

// NewMetrics registers clamor_<service>_requests_total and
// clamor_<service>_request_seconds.
func NewMetrics(service string, reg prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "clamor", Subsystem: service, Name: "requests_total",
			Help: "HTTP requests answered, by route, method and class of status.",
		}, []string{"route", "method", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "clamor", Subsystem: service, Name: "request_seconds",
			Help:    "Time to answer an HTTP request.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"route", "method"}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.seconds} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Metrics) observe(path, method string, status int, took time.Duration) {
	if path == "" {
		path = "other"
	}
	r := m.route(routeKey{path, boundedMethod(method)})
	if class := status / 100; class > 0 && class < len(r.classes) {
		r.classes[class].Inc()
	}
	r.seconds.Observe(took.Seconds())
}

func (m *Metrics) route(k routeKey) *route {
	for {
		known := m.routes.Load()
		if known != nil {
			if r := (*known)[k]; r != nil {
				return r
			}
		}
		grown := map[routeKey]*route{k: m.children(k)}
		if known != nil {
			maps.Copy(grown, *known)
		}
		m.routes.CompareAndSwap(known, &grown)
	}
}

func (m *Metrics) children(k routeKey) *route {
	r := &route{seconds: m.seconds.WithLabelValues(k.path, k.method)}
	for class := 1; class < len(r.classes); class++ {
		r.classes[class] = m.requests.WithLabelValues(k.path, k.method, strconv.Itoa(class)+"xx")
	}
	return r
}

func boundedMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS":
		return method
	}
	return "other"
}
