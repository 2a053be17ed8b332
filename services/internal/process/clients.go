package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
)

// Redis says where the speed view is.
type Redis struct {
	URL config.Secret `doc:"redis://host:port/0, rediss://…, redis+cluster://h:p,h:p or redis+sentinel://h:p,h:p/master"`
	speed.Config
}

// Keys says where secrets are.
type Keys struct {
	// Master is the secret that voters' tokens, receipts and certificates are
	// made with: 32 bytes as hexadecimal or base64.
	Master     config.Secret `doc:"the master secret: 32 bytes as hexadecimal or base64"`
	MasterFile string        `doc:"file with the 32 bytes of the master secret; made when missing"`
	Bucket     string        `doc:"folder or bucket of the shows' keys, encrypted under the master secret"`
}

// Validate names every fault.
func (k Keys) Validate() error {
	if (k.Master == "") == (k.MasterFile == "") {
		return errors.New("keys: give either master or master_file")
	}
	return nil
}

// OpenLog opens the log.
func (p *Process) OpenLog(ctx context.Context, cfg eventlog.Config) (*eventlog.Log, error) {
	l, err := eventlog.Open(ctx, cfg, p.Logger, p.Metrics)
	if err != nil {
		return nil, err
	}
	p.OnClose("log", l.Close)
	return l, nil
}

// ControlClient follows the control log as a part of the process; parts added
// behind it start when the registry is replayed.
func (p *Process) ControlClient(l *eventlog.Log, cfg control.Config) *control.Client {
	c := control.New[*eventlog.Reader](l, cfg, time.Now, p.Logger)
	p.Add("control", c)
	p.Check("control", func() error {
		select {
		case <-c.Ready():
			return nil
		default:
			return errors.New("the control log is not replayed yet")
		}
	})
	return c
}

// OpenSpeed opens the speed view.
func (p *Process) OpenSpeed(ctx context.Context, cfg Redis) (*speed.Store, error) {
	s, err := speed.Open(ctx, cfg.URL.Reveal(), cfg.Config)
	if err != nil {
		return nil, err
	}
	p.OnClose("speed view", s.Close)
	return s, nil
}

// OpenArchive opens the archive.
func (p *Process) OpenArchive(ctx context.Context, address string) (*archive.Archive, error) {
	a, err := archive.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	p.OnClose("archive", a.Close)
	return a, nil
}

// OpenViews opens the store of generations.
func (p *Process) OpenViews(ctx context.Context, address config.Secret) (views.Store, error) {
	v, err := views.Open(ctx, address.Reveal())
	if err != nil {
		return nil, err
	}
	p.OnClose("views", v.Close)
	return v, nil
}

// OpenKeys opens the ring of keys.
func (p *Process) OpenKeys(ctx context.Context, cfg Keys) (*keys.Ring, error) {
	master, err := cfg.master()
	if err != nil {
		return nil, err
	}
	bucket, err := archive.Open(ctx, cfg.Bucket)
	if err != nil {
		return nil, fmt.Errorf("open the shows' keys: %w", err)
	}
	p.OnClose("keys", bucket.Close)
	ring, err := keys.Open(master, bucket.Bucket())
	if err != nil {
		return nil, err
	}
	if err := ring.Check(ctx); err != nil {
		return nil, fmt.Errorf("%w: restore that one%s", err, cfg.place())
	}
	return ring, nil
}

// place is where the master secret is restored to, for people.
func (k Keys) place() string {
	if k.MasterFile == "" {
		return ""
	}
	return " to " + k.MasterFile
}

func (k Keys) master() ([]byte, error) {
	if k.Master != "" {
		return keys.ParseMaster(k.Master.Reveal())
	}
	return keys.LoadMaster(k.MasterFile)
}
