package web_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/internal/web"
)

func engine(t *testing.T, cfg web.Config) (*gin.Engine, *prometheus.Registry, *strings.Builder) {
	t.Helper()
	reg, out := prometheus.NewRegistry(), &strings.Builder{}
	m, err := web.NewMetrics("test", reg)
	if err != nil {
		t.Fatal(err)
	}
	e, err := web.New(cfg, m, slog.New(slog.NewTextHandler(out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	web.Get(e, "/ok/:id", func(c *gin.Context) { c.String(http.StatusOK, c.Param("id")+" "+c.ClientIP()) })
	e.POST("/body", func(c *gin.Context) {
		var v struct {
			A string `json:"a"`
		}
		if err := web.Body(c, 20, &v); err != nil {
			web.Fail(c, err)
			return
		}
		c.String(http.StatusOK, v.A)
	})
	web.Get(e, "/panic", func(*gin.Context) { panic("at the disco") })
	web.Get(e, "/away", func(c *gin.Context) {
		web.Fail(c, fault.New(fault.Unavailable, "try again").Because(errors.New("secret: the store is away")))
	})
	web.Get(e, "/broken", func(c *gin.Context) { web.Fail(c, errors.New("secret cause")) })
	return e, reg, out
}

func ask(e http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, req)
	return w
}

func TestProblems(t *testing.T) {
	e, _, log := engine(t, web.Config{})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               fault.Code
	}{
		{"GET", "/nowhere", "", 404, fault.NotFound},
		{"GET", "/ok/", "", 404, fault.NotFound},
		{"GET", "/ok/a/", "", 404, fault.NotFound},
		{"DELETE", "/ok/a", "", 405, fault.MethodNotAllowed},
		{"POST", "/body", "", 400, fault.BadJSON},
		{"POST", "/body", `{"a":"` + strings.Repeat("x", 30) + `"}`, 413, fault.BodyTooLarge},
		{"GET", "/panic", "", 500, fault.Internal},
		{"GET", "/broken", "", 500, fault.Internal},
		{"GET", "/away", "", 503, fault.Unavailable},
		{"GET", "/away", "", 503, fault.Unavailable},
	} {
		w := ask(e, c.method, c.path, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), `"code":"`+string(c.code)+`"`) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
		if w.Header().Get("X-Request-Id") == "" || w.Header().Get("Content-Type") != fault.ContentType {
			t.Errorf("%s %s: %v", c.method, c.path, w.Header())
		}
		if c.status == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow: %q", w.Header().Get("Allow"))
		}
		if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "disco") {
			t.Errorf("the cause is told: %s", w.Body)
		}
	}
	if !strings.Contains(log.String(), "secret cause") || !strings.Contains(log.String(), "disco") {
		t.Errorf("the causes are not in the log: %s", log)
	}
	if strings.Count(log.String(), "the store is away") != 1 {
		t.Errorf("while a store is away its cause is told once: %s", log)
	}
}

func TestChunkedBodiesAreBounded(t *testing.T) {
	e, _, _ := engine(t, web.Config{})
	server := httptest.NewServer(e)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/body", io.MultiReader(strings.NewReader(`{"a":"`), strings.NewReader(strings.Repeat("x", 1000)+`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatal(res.Status)
	}
}

func TestRequestIDs(t *testing.T) {
	e, _, _ := engine(t, web.Config{})
	a, b := ask(e, "GET", "/ok/a", "").Header().Get("X-Request-Id"), ask(e, "GET", "/ok/a", "").Header().Get("X-Request-Id")
	if a == b || a == "" {
		t.Fatalf("%q %q", a, b)
	}
	if got := ask(e, "GET", "/ok/a", "", "X-Request-Id", "mine-1").Header().Get("X-Request-Id"); got != "mine-1" {
		t.Fatalf("%q", got)
	}
	if got := ask(e, "GET", "/ok/a", "", "X-Request-Id", "a b\x00").Header().Get("X-Request-Id"); got == "a b\x00" {
		t.Fatalf("%q", got)
	}
}

func TestOnlyTrustedProxiesNameTheClient(t *testing.T) {
	forwarded := []string{"X-Forwarded-For", "203.0.113.7"}
	open, _, _ := engine(t, web.Config{})
	if got := ask(open, "GET", "/ok/a", "", forwarded...).Body.String(); got != "a 192.0.2.1" {
		t.Fatal(got)
	}
	behind, _, _ := engine(t, web.Config{TrustedProxies: []string{"192.0.2.0/24"}})
	if got := ask(behind, "GET", "/ok/a", "", forwarded...).Body.String(); got != "a 203.0.113.7" {
		t.Fatal(got)
	}
	if got := ask(open, "GET", "/ok/a%2Fb", "").Body.String(); got != "a/b 192.0.2.1" {
		t.Fatal(got)
	}
}

func TestMetricsAreBounded(t *testing.T) {
	e, reg, _ := engine(t, web.Config{})
	for _, path := range []string{"/ok/a", "/ok/b", "/x", "/y", "/z"} {
		ask(e, "GET", path, "")
		ask(e, "BREW", path, "")
	}
	n, err := testutil.GatherAndCount(reg, "clamor_test_request_seconds")
	if err != nil || n != 3 { // /ok/:id GET, other GET, other other
		t.Fatal(n, err)
	}
}
