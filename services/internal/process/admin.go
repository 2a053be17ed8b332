package process

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/run"
)

// Registry is the part of the control client that registering a token needs.
type Registry interface {
	State() *control.State
	Submit(ctx context.Context, e control.Event) (control.Verdict, error)
}

// FirstAdmin registers token while the control log is empty: the first token
// cannot come from the API. It is a part that others wait for.
func FirstAdmin(r Registry, token config.Secret) run.Runner {
	return Once(func(ctx context.Context) error {
		if r.State().Offset() > 0 {
			return nil
		}
		return RegisterAdmin(ctx, r, token.Reveal())
	})
}

// RegisterAdmin gives a token the role admin, unless it has it.
func RegisterAdmin(ctx context.Context, r Registry, token string) error {
	hash := keys.HashToken(token)
	if _, known := r.State().TokenByHash(hash); known {
		return nil
	}
	id := "admin-" + hash[:8]
	payload, err := json.Marshal(audience.Token{ID: id, Name: "first token", Role: audience.RoleAdmin, Hash: hash})
	if err != nil {
		return fmt.Errorf("encode the admin's token: %w", err)
	}
	v, err := r.Submit(ctx, control.Event{Actor: "system", Kind: control.KindTokenPut, Subject: id, Payload: payload})
	if err != nil {
		return fmt.Errorf("register the admin's token: %w", err)
	}
	if v.Err != nil {
		return fmt.Errorf("register the admin's token: %w", v.Err)
	}
	return nil
}

// step is a part that is done once; what stands behind it waits for that.
type step struct {
	run.Func
	done chan struct{}
}

// Ready is closed when the step is done.
func (s step) Ready() <-chan struct{} { return s.done }

// Once makes a part of something that is done once, before what stands behind it.
func Once(f func(ctx context.Context) error) run.Runner {
	done := make(chan struct{})
	return step{done: done, Func: func(ctx context.Context) error {
		if err := f(ctx); err != nil {
			return err
		}
		close(done)
		return nil
	}}
}
