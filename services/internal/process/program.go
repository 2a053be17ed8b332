package process

import (
	"context"
	"errors"
	"io"

	"github.com/clamor-live/clamor/pkg/config"
)

// Program runs one service of the cluster: it fills cfg, which holds base, from
// args and environment, lets compose open the clients and add the parts, and
// runs them.
func Program(ctx context.Context, name string, cfg any, base *Config, args []string, stdout, stderr io.Writer,
	compose func(ctx context.Context, p *Process) error,
) error {
	o := config.Options{Name: name, About: name + " is one service of Clamor, for a cluster; clamor is all of them in one process."}
	if err := Load(cfg, o, args, stdout); err != nil {
		return Done(err)
	}
	p, err := New(name, *base, stderr)
	if err != nil {
		return err
	}
	if err := compose(ctx, p); err != nil {
		return errors.Join(err, p.Close())
	}
	return p.Run(ctx)
}
