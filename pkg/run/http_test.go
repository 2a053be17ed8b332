package run_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/run"
)

type served struct {
	url    string
	stop   context.CancelFunc
	result chan error
}

func startHTTP(t *testing.T, h http.HandlerFunc, cfg run.ServerConfig) served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := served{url: "http://" + l.Addr().String(), stop: cancel, result: make(chan error, 1)}
	go func() { s.result <- run.HTTP(l, h, cfg).Run(ctx) }()
	return s
}

func client(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestHTTPFinishesRunningRequests(t *testing.T) {
	inside, release := make(chan struct{}), make(chan struct{})
	s := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(inside)
		<-release
		if r.Context().Err() != nil {
			t.Error("the request's context ended with the server's")
		}
		_, _ = io.WriteString(w, "counted")
	}, run.DefaultServerConfig())

	answer := make(chan string, 1)
	go func() {
		resp, err := client(t).Get(s.url)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answer <- string(b)
	}()
	<-inside
	s.stop()
	select {
	case err := <-s.result:
		t.Fatalf("stopped with a request running: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	close(release)
	if got := <-answer; got != "counted" {
		t.Error(got)
	}
	if err := <-s.result; err != nil {
		t.Error(err)
	}
}

func TestHTTPTellsStreamsToEnd(t *testing.T) {
	inside := make(chan struct{})
	s := startHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		close(inside)
		<-run.Draining(r.Context())
	}, run.DefaultServerConfig())
	resp, err := client(t).Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-inside
	s.stop()
	if err := <-s.result; err != nil {
		t.Error(err)
	}
}

func TestHTTPCutsWhoDoesNotListen(t *testing.T) {
	cfg := run.DefaultServerConfig()
	cfg.StreamGrace, cfg.DrainTimeout = time.Hour, 30*time.Millisecond
	inside := make(chan struct{})
	s := startHTTP(t, func(_ http.ResponseWriter, r *http.Request) {
		close(inside)
		<-r.Context().Done()
	}, cfg)
	failed := make(chan error, 1)
	go func() {
		resp, err := client(t).Get(s.url)
		if err == nil {
			resp.Body.Close()
		}
		failed <- err
	}()
	<-inside
	s.stop()
	if err := <-s.result; err == nil || !strings.Contains(err.Error(), "connections cut") {
		t.Errorf("%v", err)
	}
	<-failed
}

func TestDrainingOutsideAServerNeverEnds(t *testing.T) {
	select {
	case <-run.Draining(t.Context()):
		t.Error("draining")
	default:
	}
}
