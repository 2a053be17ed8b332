package process_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/run"
	"github.com/clamor-live/clamor/services/internal/process"
)

func quiet() process.Config {
	cfg := process.DefaultConfig()
	cfg.AdminListen = ""
	return cfg
}

func TestClosesInReverseAfterTheParts(t *testing.T) {
	p, err := process.New("test", quiet(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	broken := errors.New("disk gone")
	p.OnClose("log", func() error { order = append(order, "log"); return nil })
	p.OnClose("views", func() error { order = append(order, "views"); return broken })
	p.Add("part", run.Func(func(ctx context.Context) error { <-ctx.Done(); order = append(order, "part"); return nil }))
	ctx, cancel := context.WithCancel(t.Context())
	p.Add("stop", run.Func(func(context.Context) error { cancel(); return nil }))
	err = p.Run(ctx)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "close views") {
		t.Errorf("%v", err)
	}
	if !slices.Equal(order, []string{"part", "views", "log"}) {
		t.Errorf("order %v", order)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
}

func TestAdminPages(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	cfg := process.DefaultConfig()
	cfg.AdminListen = address
	p, err := process.New("test", cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	lagging := errors.New("lag is 7,000 records")
	p.Check("realtime", func() error { return lagging })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	get := func(path string) (int, string) {
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	if code, text := get("/readyz"); code != 503 || !strings.Contains(text, "realtime: lag is 7,000") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := get("/healthz"); code != 200 {
		t.Errorf("healthz %d", code)
	}
	if _, err := process.New("second", cfg, io.Discard); err == nil || !strings.Contains(err.Error(), "--admin-listen") {
		t.Errorf("an address in use: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := p.Ready(); err == nil || err.Error() != "stopping" {
		t.Errorf("ready while stopping: %v", err)
	}
}

func TestValidate(t *testing.T) {
	cfg := quiet()
	cfg.Log = process.Log{Level: "loud", Format: "xml"}
	err := cfg.Validate()
	if err == nil || !strings.Contains(err.Error(), "loud") || !strings.Contains(err.Error(), "xml") {
		t.Errorf("%v", err)
	}
	if err := (process.Keys{}).Validate(); err == nil {
		t.Error("keys without a master secret are accepted")
	}
	if err := (process.Keys{MasterFile: "f"}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestProgramPrintsItsConfiguration(t *testing.T) {
	var out bytes.Buffer
	cfg := process.DefaultConfig()
	compose := func(context.Context, *process.Process) error { t.Error("it started"); return nil }
	if err := process.Program(t.Context(), "api", &cfg, &cfg, []string{"--print-config", "--listen", ":80"}, &out, io.Discard, compose); err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(out.String()) != "listen: :80" {
		t.Errorf("%q", out.String())
	}
}

// registry is a control log that takes events.
type registry struct {
	machine *control.Machine
	events  []control.Event
}

func (r *registry) State() *control.State { return r.machine.State() }

func (r *registry) Submit(_ context.Context, e control.Event) (control.Verdict, error) {
	e.ID, e.At = "e", 1
	r.events = append(r.events, e)
	return r.machine.Apply(e, int64(len(r.events)-1)), nil
}

func TestFirstAdminOnlyInAnEmptyLog(t *testing.T) {
	r := &registry{machine: control.NewMachine()}
	for _, token := range []string{"first", "second"} {
		if err := process.FirstAdmin(r, config.Secret("ca_"+token)).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.events) != 1 || len(r.State().Tokens()) != 1 {
		t.Errorf("%d events, %d tokens", len(r.events), len(r.State().Tokens()))
	}
	for _, e := range r.events {
		if strings.Contains(string(e.Payload), "ca_first") {
			t.Error("the token stands in the log")
		}
	}
	if err := process.RegisterAdmin(t.Context(), r, "ca_first"); err != nil || len(r.events) != 1 {
		t.Errorf("again: %v, %d events", err, len(r.events))
	}
}
