package sources

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/audience"
)

// system answers with two pages of sources.
func system(t *testing.T, state audience.SourceState) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer tok" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":"token-invalid","detail":"no"}`))
			return
		}
		page := map[string]any{"items": []source{{ID: "a", Show: "final", Connector: "gateway"}}, "next": "a"}
		if r.URL.Query().Get("after") == "a" {
			page = map[string]any{"items": []source{{ID: "b", Show: "final", Connector: "x-v2", Status: &audience.SourceStatus{
				State: state, Since: 1790000000000, LastPostAt: 1790000000000, LagMillis: 1234, Posts: 17, PerMinute: 2.25, Lost: 3, Malformed: 1,
				Detail: "the platform\nanswers 429",
				Budget: &audience.BudgetStatus{Per: "hour", Posts: &audience.BudgetLine{Spent: 9, Of: 10}, Warned: true, SampleRate: 0.125},
			}}}}
		}
		if err := json.NewEncoder(w).Encode(page); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestTheTable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "admin.token")
	if err := os.WriteFile(file, []byte("tok\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := Run(t.Context(), []string{"--token-file", file, system(t, audience.SourceStreaming)}, &out, &errs); code != exitFine {
		t.Fatal(code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "SOURCE") || !strings.HasPrefix(lines[1], "a ") {
		t.Fatalf("%q", lines)
	}
	for _, part := range []string{"b ", "x-v2", "streaming", "14:13:20", "1.2s", " 17 ", " 2.2", "9/10 posts per hour, sampling 12.5%", "the platform answers 429"} {
		if !strings.Contains(lines[2], part) {
			t.Errorf("%q is not in %q", part, lines[2])
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--token", "tok", system(t, audience.SourceFailed)}, exitFailing, "failed"},
		{[]string{"--token", "wrong", system(t, audience.SourceDone)}, exitNotRun, "token-invalid"},
		{[]string{"--token", ""}, exitNotRun, "API token is needed"},
		{[]string{"--token-file", "/does/not/exist"}, exitNotRun, "read the token"},
		{[]string{"--help"}, exitFine, "state, lag"},
		{[]string{"--nonsense"}, exitNotRun, "nonsense"},
	} {
		var out bytes.Buffer
		if code := Run(t.Context(), c.args, &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%v: %d %s", c.args, code, out.String())
		}
	}
}
