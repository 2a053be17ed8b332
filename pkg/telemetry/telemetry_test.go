package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/telemetry"
)

func TestLoggerJSON(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.NewLogger("warn", "json", &out)
	log.Info("not written")
	log.Warn("log stalls", "partition", 3, "for", 1500*time.Millisecond)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%q: %v", out.String(), err)
	}
	at, _ := line["time"].(string)
	if _, err := time.Parse(time.RFC3339, at); err != nil || !strings.HasSuffix(at, "Z") {
		t.Errorf("time %q", at)
	}
	if line["msg"] != "log stalls" || line["partition"] != 3.0 || line["for"] != "1.5s" {
		t.Errorf("%v", line)
	}
}

func TestLoggerTextAndLevels(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger("nonsense", "text", &out).Info("ready", "url", "http://x")
	if !strings.Contains(out.String(), "level=INFO msg=ready url=http://x") {
		t.Error(out.String())
	}
	for name, want := range map[string]slog.Level{"DEBUG": slog.LevelDebug, "": slog.LevelInfo, "error": slog.LevelError} {
		if got, err := telemetry.ParseLevel(name); err != nil || got != want {
			t.Errorf("%q: %v %v", name, got, err)
		}
	}
	if _, err := telemetry.ParseLevel("loud"); err == nil {
		t.Error("an unknown level is accepted")
	}
}

func TestAdmin(t *testing.T) {
	state := errors.New("lag of ballots/0 is 4,000")
	h := telemetry.Admin(telemetry.NewRegistry(), func() error { return state })
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if w := get("/healthz"); w.Code != 200 {
		t.Errorf("healthz %d", w.Code)
	}
	if w := get("/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "lag of ballots/0") {
		t.Errorf("readyz %d %s", w.Code, w.Body)
	}
	state = nil
	if w := get("/readyz"); w.Code != 200 {
		t.Errorf("readyz %d", w.Code)
	}
	if w := get("/metrics"); w.Code != 200 || !strings.Contains(w.Body.String(), "go_goroutines") {
		t.Errorf("metrics %d", w.Code)
	}
	if w := get("/debug/pprof/"); w.Code != 200 {
		t.Errorf("pprof %d", w.Code)
	}
	if w := get("/elsewhere"); w.Code != 404 {
		t.Errorf("elsewhere %d", w.Code)
	}
}
