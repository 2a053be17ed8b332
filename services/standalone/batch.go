package standalone

import (
	"time"

	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/internal/process"
)

func (s *stores) batch(p *process.Process, cfg Config) error {
	b, err := batch.New(cfg.Batch, batch.Deps{
		Log: s.log, Control: s.control, Speed: s.speed, Views: s.views, Archive: s.archive,
		Key: s.keys.Certificate(), Now: time.Now, Logger: p.Logger, Metrics: p.Metrics,
	})
	if err != nil {
		return err
	}
	p.Add("batch", b)
	return nil
}
