package eventlog_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/clamor-live/clamor/pkg/eventlog"
	"github.com/clamor-live/clamor/pkg/eventlog/eventlogtest"
)

// TestDamagedBatch changes a batch on the brokers' disk: the reader stops before
// it and says so.
func TestDamagedBatch(t *testing.T) {
	dir := t.TempDir()
	cfg := eventlogtest.Config(startKafka(t, kfake.DataDir(dir), kfake.SyncWrites()).ListenAddrs())
	l := eventlogtest.Open(t, cfg)
	for i := range 3 {
		if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(i)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "partitions", cfg.Prefix+eventlog.Control+"-0", "0.dat")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw = bytes.Replace(raw, []byte("record-1"), []byte("record-7"), 1)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := l.Read(t.Context(), eventlog.Control, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var got []int64
	for err == nil {
		var es []eventlog.Entry
		es, err = r.Next(t.Context())
		for _, e := range es {
			got = append(got, e.Offset)
		}
	}
	if len(got) != 1 || got[0] != 0 {
		t.Errorf("the reader gave %v", got)
	}
	if !errors.Is(err, eventlog.ErrCorrupt) {
		t.Errorf("the reader ended with %v", err)
	}
	if _, again := r.Next(t.Context()); !errors.Is(again, eventlog.ErrCorrupt) {
		t.Errorf("and then said %v", again)
	}
}

func TestOpenWithoutBrokers(t *testing.T) {
	cfg := eventlogtest.Config([]string{"127.0.0.1:1"})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), nil); err == nil {
		t.Error("it opened")
	}
	cfg = eventlog.Config{}
	if _, err := eventlog.Open(ctx, cfg, slog.New(slog.DiscardHandler), nil); err == nil {
		t.Error("an empty configuration opened")
	}
}

// TestMetrics: two logs of one process share a registry.
func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	cfg := eventlogtest.Config(startKafka(t).ListenAddrs())
	for range 2 {
		l, err := eventlog.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), reg)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		if _, err := l.Append(t.Context(), eventlog.Control, 0, eventlogtest.Record(1)); err != nil {
			t.Fatal(err)
		}
		eventlogtest.Collect(t, l, eventlog.Control, 0, 0, 1)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, f := range families {
		got[f.GetName()] = true
		if f.GetName() == "clamor_log_ack_seconds" && f.GetMetric()[0].GetHistogram().GetSampleCount() != 2 {
			t.Errorf("%d acks are counted, want 2", f.GetMetric()[0].GetHistogram().GetSampleCount())
		}
	}
	for _, name := range []string{"clamor_log_ack_seconds", "clamor_log_lag_records", "clamor_log_in_flight_bytes", "clamor_log_records_read_total"} {
		if !got[name] {
			t.Errorf("%s is not exported", name)
		}
	}
}

// TestTopicsDisagree: topics made by hand must have as many partitions as one
// another.
func TestTopicsDisagree(t *testing.T) {
	for topic, want := range map[string]string{eventlog.Posts: "as many", eventlog.Control: "must have 1"} {
		kafka := startKafka(t)
		cfg := eventlogtest.Config(kafka.ListenAddrs())
		if err := kafka.CreateTopic(cfg.Prefix+topic, 5, nil); err != nil {
			t.Fatal(err)
		}
		_, err := eventlog.Open(t.Context(), cfg, slog.New(slog.DiscardHandler), nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), cfg.Prefix+topic) {
			t.Errorf("%s with 5 partitions gave %v", topic, err)
		}
	}
}
