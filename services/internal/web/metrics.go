package web

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts answers by route. Labels are bounded: routes are those that
// are registered (everything else is one), statuses are classes.
type Metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	routes   sync.Map // routeKey → *route; as many as routes are registered
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
	if r, ok := m.routes.Load(k); ok {
		return r.(*route)
	}
	r := &route{seconds: m.seconds.WithLabelValues(k.path, k.method)}
	for class := 1; class < len(r.classes); class++ {
		r.classes[class] = m.requests.WithLabelValues(k.path, k.method, strconv.Itoa(class)+"xx")
	}
	kept, _ := m.routes.LoadOrStore(k, r)
	return kept.(*route)
}

func boundedMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS":
		return method
	}
	return "other"
}
