package batch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/views"
)

const (
	// saveEvery bounds how often a step's count is written to the views store.
	saveEvery = 500 * time.Millisecond
	// maxWarnings bounds what a run says of what it found wrong; the log has all.
	maxWarnings = 20
)

// progress is a run's account of itself in the views store. That account is for
// people; no run depends on it, so faults in writing it are only logged.
type progress struct {
	s     *Service
	run   views.Run
	step  *views.Step
	saved time.Time
	mu    sync.Mutex // what partitions note at the same time
}

func (s *Service) newProgress() *progress {
	p := &progress{s: s, run: views.Run{State: views.Running}}
	for _, name := range stepNames {
		p.run.Steps = append(p.run.Steps, views.Step{Name: name, State: views.Queued})
	}
	p.step = &p.run.Steps[0]
	return p
}

// start names the run.
func (p *progress) start(ctx context.Context, id, trigger string) {
	p.run.ID, p.run.Trigger, p.run.StartedAt = id, trigger, p.s.now()
	p.save(ctx)
}

// resume takes up a run that died; it began when it first began.
func (p *progress) resume(ctx context.Context, id string) {
	p.run.ID, p.run.Trigger, p.run.StartedAt = id, "resume", p.s.now()
	if was, err := p.s.d.Views.Run(ctx, id); err == nil && was.StartedAt != 0 {
		p.run.StartedAt, p.run.Trigger, p.run.Warnings = was.StartedAt, was.Trigger, was.Warnings
	}
	p.save(ctx)
}

// begin runs one step and notes how it went.
func (p *progress) begin(ctx context.Context, name string, step func() error) error {
	for i := range p.run.Steps {
		if p.run.Steps[i].Name == name {
			p.step = &p.run.Steps[i]
		}
	}
	began := p.s.d.Now()
	p.step.State, p.step.StartedAt, p.step.FinishedAt = views.Running, audience.MillisOf(began), 0
	p.save(ctx)
	_, span := p.s.d.Tracer.Start(ctx, name)
	err := step()
	failed(span, err)
	span.End()
	p.step.FinishedAt, p.step.State = p.s.now(), views.Done
	if err != nil {
		p.step.State = views.Failed
		return err
	}
	p.s.metrics.steps.WithLabelValues(name).Observe(p.s.d.Now().Sub(began).Seconds())
	p.save(ctx)
	return nil
}

// expect says how much the step has to do.
func (p *progress) expect(total int64, unit string) {
	p.step.Total, p.step.Unit, p.step.Done = total, unit, 0
}

// did adds to what the step has done.
func (p *progress) did(ctx context.Context, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step.Done += n
	if p.s.d.Now().Sub(p.saved) >= saveEvery {
		p.save(ctx)
	}
}

// warn says what was found wrong and is no reason to stop; nil: to nobody, for
// what is done between runs.
func (p *progress) warn(text string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.run.Warnings) < maxWarnings && !slices.Contains(p.run.Warnings, text) {
		p.run.Warnings = append(p.run.Warnings, text)
	}
}

// finish notes how the run ended.
func (p *progress) finish(ctx context.Context, err error) error {
	p.run.FinishedAt, p.run.State = p.s.now(), views.Done
	for i := range p.run.Steps {
		if p.run.Steps[i].State == views.Queued && err == nil {
			p.run.Steps[i].State = views.Done // skipped: an earlier attempt did it
		}
	}
	if err != nil {
		p.run.State, p.run.Error = views.Failed, err.Error()
	}
	if p.run.ID == "" {
		return nil
	}
	return p.s.d.Views.SaveRun(ctx, p.run)
}

func (p *progress) save(ctx context.Context) {
	p.saved = p.s.d.Now()
	if p.run.ID == "" {
		return
	}
	if err := p.s.d.Views.SaveRun(ctx, p.run); err != nil && ctx.Err() == nil {
		p.s.d.Logger.Warn("batch run's progress not noted", "run", p.run.ID, "error", err)
	}
}
