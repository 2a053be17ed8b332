package standalone

import (
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/api"
	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/clamor-live/clamor/services/console"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/realtime"
)

// services adds the services, each behind those it reads from, and returns the
// door to them; ready is closed when the API has its first answers.
func services(p *process.Process, s process.Opened, cfg Config, version string) (h http.Handler, ready <-chan struct{}, err error) {
	if err := addRealtime(p, s, cfg); err != nil {
		return nil, nil, err
	}
	if err := addBatch(p, s, cfg); err != nil {
		return nil, nil, err
	}
	answers, err := addAPI(p, s, cfg, version)
	if err != nil {
		return nil, nil, err
	}
	doors, err := capture.New(cfg.Capture, capture.Deps{
		Log: s.Log, Past: capture.Kafka{Log: s.Log}, Control: s.Control, Keys: s.Keys, Board: s.Speed, Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer, Now: time.Now,
	})
	if err != nil {
		return nil, nil, err
	}
	p.Add("capture", doors)
	return route(doors.Handler(), gate(answers.Ready(), answers.Handler())), answers.Ready(), nil
}

func addRealtime(p *process.Process, s process.Opened, cfg Config) error {
	r, err := realtime.New(cfg.Realtime, realtime.Deps{
		Log: realtime.Kafka{Log: s.Log}, Store: s.Speed, Origin: realtime.Published{Control: s.Control}, Past: s.Archive,
		Topics: s.Control, PostOrigin: realtime.PublishedPosts{Control: s.Control, States: s.Archive, Logger: p.Logger},
		Logger: p.Logger, Metrics: p.Metrics, Now: time.Now,
	})
	if err != nil {
		return err
	}
	p.Add("realtime", r)
	p.Check("realtime", r.Ready)
	return nil
}

func addBatch(p *process.Process, s process.Opened, cfg Config) error {
	b, err := batch.New(cfg.Batch, batch.Deps{
		Log: s.Log, Control: s.Control, Speed: s.Speed, Views: s.Views, Archive: s.Archive, Search: s.Search,
		Key: s.Keys.Certificate(), Now: time.Now, Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer,
	})
	if err != nil {
		return err
	}
	p.Add("batch", b)
	return nil
}

func addAPI(p *process.Process, s process.Opened, cfg Config, version string) (*api.Service, error) {
	pages, err := console.New()
	if err != nil {
		return nil, err
	}
	a, err := api.New(cfg.API, api.Deps{
		Control: s.Control, Speed: s.Speed, Views: s.Views, Archive: s.Archive, Search: s.Search, Log: s.Log, Receipts: s.Keys, Pages: pages,
		Secrets: s.Keys, Board: s.Speed,
		Logger: p.Logger, Metrics: p.Metrics, Tracer: p.Tracer, Now: time.Now, Version: version,
	})
	if err != nil {
		return nil, err
	}
	// Not as a part that others wait for: the doors open even if Redis is away.
	p.Add("api", run.Func(a.Run))
	p.Check("api", a.Useful)
	return a, nil
}
