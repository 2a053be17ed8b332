package standalone_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/services/internal/client"
	"github.com/clamor-live/clamor/services/internal/load"
	"github.com/clamor-live/clamor/services/standalone"
)

// process is the all-in-one, run in this process over a data folder.
type process struct {
	t    *testing.T
	data string
	url  string
	logs *bytes.Buffer // whole once it has stopped
	out  *bytes.Buffer
	stop func()
}

func start(t *testing.T, data string, change ...func(*standalone.Config)) *process {
	t.Helper()
	cfg := standalone.DefaultConfig()
	cfg.Data, cfg.Listen, cfg.AdminListen, cfg.Log.Level = data, "127.0.0.1:0", "127.0.0.1:0", "warn"
	started := make(chan string, 1)
	cfg.Started = func(url string) { started <- url }
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	p := &process{t: t, data: data, logs: &bytes.Buffer{}, out: &bytes.Buffer{}}
	go func() { ended <- standalone.Run(ctx, cfg, "test", p.out, p.logs) }()
	select {
	case p.url = <-started:
	case err := <-ended:
		cancel()
		t.Fatalf("it did not start: %v\n%s", err, p.logs)
	}
	stopped := false
	p.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("it did not stop cleanly: %v", err)
		}
	}
	t.Cleanup(p.stop)
	return p
}

func (p *process) api() *client.Client {
	p.t.Helper()
	token, err := os.ReadFile(filepath.Join(p.data, "admin.token"))
	if err != nil {
		p.t.Fatal(err)
	}
	c := client.New(p.url, strings.TrimSpace(string(token)))
	p.t.Cleanup(c.Close)
	return c
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func openPoll(t *testing.T, api *client.Client) {
	t.Helper()
	ctx := t.Context()
	must(t,
		api.Post(ctx, "/v1/shows", client.Object{"id": "final", "title": "Final", "timezone": "UTC", "locale": "en"}, nil),
		api.Post(ctx, "/v1/polls", client.Object{
			"id": "p7", "show": "final", "kind": "choice", "question": "Who?", "reveal": "open",
			"options": []client.Object{{"id": "a", "label": "ANNA"}, {"id": "b", "label": "BEN"}},
		}, nil),
		api.Command(ctx, "p7", "open"),
		until(t, func() bool { r, err := api.Results(ctx, "p7"); return err == nil && r.Phase == "open" }))
}

func until(t *testing.T, ok func() bool) error {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return client.WaitFor(ctx, 10*time.Millisecond, ok)
}

func vote(t *testing.T, api *client.Client, option string) {
	t.Helper()
	voter, err := api.As("").VoterToken(t.Context())
	must(t, err)
	ballot := client.Object{"ballot_id": uuid.NewString(), "choices": []string{option}}
	must(t, api.As(voter).Post(t.Context(), "/v1/polls/p7/ballots", ballot, nil))
}

func waitForVotes(t *testing.T, api *client.Client, a, b int64) {
	t.Helper()
	var last any
	if err := until(t, func() bool {
		r, err := api.Results(t.Context(), "p7")
		if err != nil {
			last = err
			return false
		}
		last = r.Votes()
		return r.Votes()["a"] == a && r.Votes()["b"] == b
	}); err != nil {
		t.Fatalf("a=%d b=%d never came: %v", a, b, last)
	}
}

func TestABallotIsCountedAndOutlivesTheProcess(t *testing.T) {
	data := t.TempDir()
	p := start(t, data)
	api := p.api()
	openPoll(t, api)
	vote(t, api, "a")
	vote(t, api, "a")
	vote(t, api, "b")
	waitForVotes(t, api, 2, 1)
	before, err := api.Results(t.Context(), "p7")
	must(t, err)
	p.stop()

	p = start(t, data)
	api = p.api()
	after, err := api.Results(t.Context(), "p7")
	must(t, err)
	if after.Votes()["a"] != 2 || after.Votes()["b"] != 1 || after.Seq < before.Seq {
		t.Errorf("after the restart %+v, before it %+v", after, before)
	}
	vote(t, api, "b")
	waitForVotes(t, api, 2, 2)
}

func TestLoadIsExact(t *testing.T) {
	p := start(t, t.TempDir())
	token := filepath.Join(p.data, "admin.token")
	for _, args := range [][]string{
		{"--rate=300", "--duration=2s", "--connections=16"},
		{"--door=gateway", "--rate=0", "--ballots=20000", "--batch=500", "--connections=8"},
	} {
		var out, errs bytes.Buffer
		if code := load.Run(t.Context(), append(args, "--token-file", token, p.url), &out, &errs); code != 0 {
			t.Errorf("%v: %d\n%s%s", args, code, out.String(), errs.String())
		}
	}
}

func TestSecretsOfTheDataFolder(t *testing.T) {
	p := start(t, t.TempDir())
	for name, size := range map[string]int64{"secret.key": 32, "admin.token": 0} {
		info, err := os.Stat(filepath.Join(p.data, name))
		must(t, err)
		if info.Mode().Perm() != 0o600 || size > 0 && info.Size() != size {
			t.Errorf("%s has mode %v and %d bytes", name, info.Mode(), info.Size())
		}
	}
	token, err := os.ReadFile(filepath.Join(p.data, "admin.token"))
	must(t, err)
	p.stop()
	if where := find(t, p.data, bytes.TrimSpace(token)); len(where) > 0 {
		t.Errorf("the admin's token stands as text in %v", where)
	}
	if bytes.Contains(p.logs.Bytes(), bytes.TrimSpace(token)) {
		t.Error("the admin's token stands in the log")
	}
}

// find lists the files of dir, admin.token aside, that hold text.
func find(t *testing.T, dir string, text []byte) (in []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "admin.token" {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, text) {
			in = append(in, path)
		}
		return err
	}))
	return in
}

func TestTheAdminsTokenComesBackWhenItsFileIsRemoved(t *testing.T) {
	data := t.TempDir()
	p := start(t, data)
	old := p.api()
	p.stop()
	must(t, os.Remove(filepath.Join(data, "admin.token")))
	p = start(t, data)
	var list any
	must(t, p.api().Get(t.Context(), "/v1/tokens", &list))
	// The old one is a token like any other: it lives until it is revoked.
	must(t, client.New(p.url, "").Get(t.Context(), "/openapi.json", &list))
	_ = old
}

func TestARevokedAdminsTokenStaysRevoked(t *testing.T) {
	data := t.TempDir()
	p := start(t, data)
	api := p.api()
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	must(t, api.Get(t.Context(), "/v1/tokens", &list))
	if len(list.Items) != 1 {
		t.Fatalf("%d tokens", len(list.Items))
	}
	must(t, api.Call(t.Context(), http.MethodDelete, "/v1/tokens/"+list.Items[0].ID, nil, nil))
	p.stop()
	p = start(t, data)
	if err := p.api().Get(t.Context(), "/v1/tokens", &list); err == nil || !strings.Contains(err.Error(), "token-invalid") {
		t.Errorf("%v, want token-invalid", err)
	}
}

func TestASecondProcessOnTheDataFolder(t *testing.T) {
	p := start(t, t.TempDir())
	cfg := standalone.DefaultConfig()
	cfg.Data, cfg.Listen, cfg.AdminListen = p.data, "127.0.0.1:0", ""
	err := standalone.Run(t.Context(), cfg, "test", io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v, want it to name the process that has the folder", err)
	}
}

func TestAnAddressInUse(t *testing.T) {
	p := start(t, t.TempDir())
	cfg := standalone.DefaultConfig()
	cfg.Data, cfg.Listen, cfg.AdminListen = t.TempDir(), strings.TrimPrefix(p.url, "http://"), ""
	err := standalone.Run(t.Context(), cfg, "test", io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("%v, want it to name the flag", err)
	}
}

func TestTheDemoMoves(t *testing.T) {
	data := t.TempDir()
	for range 2 { // and again on the same data folder
		p := start(t, data, func(c *standalone.Config) { c.Demo = true })
		api := p.api()
		base := int64(-1)
		if err := until(t, func() bool {
			r, err := api.Results(t.Context(), "demo-final")
			if err != nil {
				return false
			}
			if base < 0 {
				base = r.Totals.Votes
			}
			return r.Totals.Votes >= base+5
		}); err != nil {
			t.Errorf("the demo's figures do not move: %v", err)
		}
		heard := int64(-1)
		if err := until(t, func() bool {
			var stats struct {
				Totals struct{ Posts int64 }
				Parts  []struct{ Key string }
			}
			if api.Get(t.Context(), "/v1/topics/demo-talk/stats?by=language", &stats) != nil {
				return false
			}
			if heard < 0 {
				heard = stats.Totals.Posts
			}
			return stats.Totals.Posts >= heard+5 && len(stats.Parts) > 1
		}); err != nil {
			t.Errorf("nobody talks in the demo: %v", err)
		}
		p.stop()
		for _, prefix := range []string{"ca_", "cf_", "ck_"} {
			if strings.Contains(p.out.String()+p.logs.String(), prefix) {
				t.Errorf("a credential %s… is printed:\n%s", prefix, p.out)
			}
		}
	}
}

func TestEveryAnswerHasARequestID(t *testing.T) {
	p := start(t, t.TempDir())
	for _, path := range []string{"/v1/polls/nope", "/nowhere", "/v1/voters", "/feeds/nope/polls/p7/feed.json"} {
		resp, err := http.Get(p.url + path)
		must(t, err)
		var problem struct {
			Code string `json:"code"`
		}
		err = json.NewDecoder(resp.Body).Decode(&problem)
		resp.Body.Close()
		if resp.Header.Get("X-Request-Id") == "" || err != nil || problem.Code == "" {
			t.Errorf("%s: %d, id %q, code %q, %v", path, resp.StatusCode, resp.Header.Get("X-Request-Id"), problem.Code, err)
		}
	}
}

func TestConfigurationIsComplete(t *testing.T) {
	cfg := standalone.DefaultConfig()
	must(t, config.LoadYAML(&cfg, []byte(`
listen: 0.0.0.0:80
kafka: {brokers: ["k1:9092", "k2:9092"], replication: 3}
redis: {url: "redis://r:6379/0", prefix: live}
views: mongodb://m
archive: /srv/archive
keys: {master_file: /run/secrets/key}
capture: {limits: {network: 1000}, trusted_proxies: ["10.0.0.0/8"]}
batch: {interval: 30s}
api: {public_url: "https://vote.example"}
`)))
	if cfg.Kafka.Brokers[1] != "k2:9092" || cfg.Redis.Prefix != "live" || cfg.Capture.Limits.Network != 1000 {
		t.Errorf("%+v", cfg)
	}
}

// TestADataFolderWithAPartMissing: what was lost is named before anything is
// written, and its return heals everything.
func TestADataFolderWithAPartMissing(t *testing.T) {
	data := t.TempDir()
	p := start(t, data)
	api := p.api()
	openPoll(t, api)
	vote(t, api, "a")
	waitForVotes(t, api, 1, 0)
	var run struct{ Run, State string }
	must(t, api.Post(t.Context(), "/v1/batch/runs", client.Object{}, &run), until(t, func() bool {
		return api.Get(t.Context(), "/v1/batch/runs/"+run.Run, &run) == nil && run.State == "done"
	}))
	p.stop()
	for part, says := range map[string]string{
		"log":        "the log was lost",
		"secret.key": "another master secret",
	} {
		away := filepath.Join(t.TempDir(), part)
		must(t, os.Rename(filepath.Join(data, part), away))
		cfg := standalone.DefaultConfig()
		cfg.Data, cfg.Listen, cfg.AdminListen = data, "127.0.0.1:0", "127.0.0.1:0"
		if err := standalone.Run(t.Context(), cfg, "test", io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("without %s: %v", part, err)
		}
		must(t, os.RemoveAll(filepath.Join(data, part)), os.Rename(away, filepath.Join(data, part)))
	}
	p = start(t, data)
	waitForVotes(t, p.api(), 1, 0)
}
