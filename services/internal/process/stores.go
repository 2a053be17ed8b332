package process

import (
	"context"
	"errors"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
)

// Stores says where everything is that is kept.
type Stores struct {
	Kafka   eventlog.Config
	Redis   Redis
	Views   config.Secret
	Archive string
	// Search may be empty: there is no search then.
	Search  config.Secret
	Keys    Keys
	Control control.Config
}

// Opened are the clients of all stores.
type Opened struct {
	Log     *eventlog.Log
	Control *control.Client
	Speed   *speed.Store
	Archive *archive.Archive
	Views   views.Store
	// Search is nil when there is none.
	Search search.Store
	Keys   *keys.Ring
}

// OpenStores opens them all and follows the control log.
func (p *Process) OpenStores(ctx context.Context, cfg Stores) (o Opened, err error) {
	if o.Keys, err = p.OpenKeys(ctx, cfg.Keys); err != nil {
		return o, err
	}
	if o.Archive, err = p.OpenArchive(ctx, cfg.Archive); err != nil {
		return o, err
	}
	if o.Views, err = p.OpenViews(ctx, cfg.Views); err != nil {
		return o, err
	}
	if o.Search, err = p.OpenSearch(cfg.Search); err != nil {
		return o, err
	}
	if o.Speed, err = p.OpenSpeed(ctx, cfg.Redis); err != nil {
		return o, err
	}
	if o.Log, err = p.OpenLog(ctx, cfg.Kafka); err != nil {
		return o, err
	}
	o.Control = p.ControlClient(o.Log, cfg.Control)
	return o, nil
}

// Validate joins the faults of sections.
func Validate(sections ...interface{ Validate() error }) error {
	var errs []error
	for _, s := range sections {
		errs = append(errs, s.Validate())
	}
	return errors.Join(errs...)
}
