package standalone

import (
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/api"
	"github.com/clamor-live/clamor/services/capture"
	"github.com/clamor-live/clamor/services/internal/process"
	"github.com/clamor-live/clamor/services/realtime"
)

// services adds the services, each behind those it reads from, and returns the
// door to them.
func (s *stores) services(p *process.Process, cfg Config, version string) (http.Handler, error) {
	if err := s.realtime(p, cfg); err != nil {
		return nil, err
	}
	if err := s.batch(p, cfg); err != nil {
		return nil, err
	}
	answers, err := s.api(p, cfg, version)
	if err != nil {
		return nil, err
	}
	doors, err := capture.New(cfg.Capture, capture.Deps{
		Log: s.log, Control: s.control, Keys: s.keys, Logger: p.Logger, Metrics: p.Metrics, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	p.Add("capture", doors)
	return route(doors.Handler(), answers), nil
}

func (s stores) realtime(p *process.Process, cfg Config) error {
	r, err := realtime.New(cfg.Realtime, realtime.Deps{
		Log: realtime.Kafka{Log: s.log}, Store: s.speed, Origin: realtime.Published{Control: s.control}, Past: s.archive,
		Logger: p.Logger, Metrics: p.Metrics, Now: time.Now,
	})
	if err != nil {
		return err
	}
	p.Add("realtime", r)
	p.Check("realtime", r.Ready)
	return nil
}

func (s *stores) api(p *process.Process, cfg Config, version string) (http.Handler, error) {
	a, err := api.New(cfg.API, api.Deps{
		Control: s.control, Speed: s.speed, Views: s.views, Archive: s.archive, Log: s.log, Receipts: s.keys,
		Logger: p.Logger, Metrics: p.Metrics, Now: time.Now, Version: version,
	})
	if err != nil {
		return nil, err
	}
	// Not as a part that others wait for: the doors open even if Redis is away.
	p.Add("api", run.Func(a.Run))
	p.Check("api", a.Useful)
	s.ready = a.Ready()
	return gate(s.ready, a.Handler()), nil
}
