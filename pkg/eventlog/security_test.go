package eventlog_test

import (
	"context"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

// TestLogIn reads and writes as a user, over TLS, in each way to log in.
func TestLogIn(t *testing.T) {
	// A test server of the standard library lends its certificate for 127.0.0.1.
	lender := httptest.NewTLSServer(nil)
	defer lender.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	for sasl, name := range map[string]string{
		"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512",
	} {
		t.Run(sasl, func(t *testing.T) {
			kafka := startKafka(t, kfake.EnableSASL(), kfake.Superuser(name, "ann", "secret"), kfake.TLS(lender.TLS.Clone()))
			cfg := eventlogtest.Config(kafka.ListenAddrs())
			cfg.TLS, cfg.CAFile = true, ca
			cfg.SASL, cfg.User, cfg.Password = sasl, "ann", "secret"
			l := eventlogtest.Open(t, cfg)
			if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(1)); err != nil {
				t.Fatal(err)
			}
			eventlogtest.Collect(t, l, eventlog.Control, 0, 0, 1)
			cfg.Password = "guess"
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			if _, err := eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), nil); err == nil {
				t.Error("a wrong password opened the log")
			}
		})
	}
}

func TestConfigFaults(t *testing.T) {
	good := eventlog.DefaultConfig()
	good.Brokers = []string{"127.0.0.1:9092"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*eventlog.Config){
		"brokers":                 func(c *eventlog.Config) { c.Brokers = nil },
		"client_id":               func(c *eventlog.Config) { c.ClientID = "" },
		"partitions: 0":           func(c *eventlog.Config) { c.Partitions = 0 },
		"replication: 10":         func(c *eventlog.Config) { c.Replication = 10 },
		"retention":               func(c *eventlog.Config) { c.Retention = -1 },
		"ack_deadline":            func(c *eventlog.Config) { c.AckDeadline = 0 },
		"max_in_flight_bytes":     func(c *eventlog.Config) { c.MaxInFlightBytes = 0 },
		"max_in_flight_records":   func(c *eventlog.Config) { c.MaxInFlightRecords = 0 },
		"max_record_bytes":        func(c *eventlog.Config) { c.MaxRecordBytes = 0 },
		"fetch_bytes":             func(c *eventlog.Config) { c.FetchBytes = 0 },
		"session_timeout":         func(c *eventlog.Config) { c.SessionTimeout = time.Second },
		"needs user and password": func(c *eventlog.Config) { c.SASL = "plain" },
		`"kerberos" is none`:      func(c *eventlog.Config) { c.SASL = "kerberos" },
		"tls: is off":             func(c *eventlog.Config) { c.CAFile = "x" },
		"ca_file":                 func(c *eventlog.Config) { c.TLS, c.CAFile = true, "no such file" },
		"cert_file":               func(c *eventlog.Config) { c.TLS, c.CertFile = true, "no such file" },
	} {
		cfg := good
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}
