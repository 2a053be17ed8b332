package process

import (
	"context"
	"errors"
	"fmt"

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
	if err := ofOneLog(ctx, o.Log, o.Views); err != nil {
		return o, err
	}
	o.Control = p.ControlClient(o.Log, cfg.Control)
	return o, nil
}

// ofOneLog refuses to begin a log beside generations of another: its ballots
// would pass for counted. A views store that is away is waited for elsewhere.
func ofOneLog(ctx context.Context, log *eventlog.Log, generations views.Store) error {
	_, next, err := log.Bounds(ctx, eventlog.Control, 0)
	if err != nil || next > 0 {
		return err
	}
	current, err := generations.Current(ctx)
	if err != nil || current == 0 {
		return nil //nolint:nilerr // see above
	}
	return fmt.Errorf("the log is empty, and the views store is at generation %d: the log was lost or is another one; restore it, or give it an archive and a views store of its own", current)
}

// Validate joins the faults of sections.
func Validate(sections ...interface{ Validate() error }) error {
	var errs []error
	for _, s := range sections {
		errs = append(errs, s.Validate())
	}
	return errors.Join(errs...)
}
