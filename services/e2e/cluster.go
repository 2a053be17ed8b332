package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
)

// Servers are the real ones that a cluster runs on.
type Servers struct {
	Brokers []string
	Redis   string // a URL as clamor takes it
	// Mongo is mongodb://host:port. Without it views are a file, which one process
	// opens: the API, and there is no batch.
	Mongo string
	// Scripts is the folder with kill and start, which take a server's name.
	Scripts string
}

// ServersFromEnv finds them, or says which are missing.
func ServersFromEnv() (Servers, error) {
	var missing []string
	get := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			missing = append(missing, name)
		}
		return v
	}
	s := Servers{
		Brokers: strings.Split(get("CLAMOR_TEST_KAFKA"), ","), Redis: get("CLAMOR_TEST_REDIS_CLUSTER"),
		Mongo: get("CLAMOR_TEST_MONGO"), Scripts: get("CLAMOR_TEST_SERVERS"),
	}
	if len(missing) > 0 {
		return s, fmt.Errorf("no real servers: %s not set", strings.Join(missing, ", "))
	}
	if !strings.Contains(s.Redis, "://") {
		s.Redis = "redis+cluster://" + s.Redis
	}
	if !strings.Contains(s.Mongo, "://") {
		s.Mongo = "mongodb://" + s.Mongo
	}
	return s, nil
}

// Break kills a server and starts it again: kafka-1, redis-cluster-2, ….
func (s Servers) Break(ctx context.Context, name string) error {
	for _, act := range []string{"kill", "start"} {
		out, err := exec.CommandContext(ctx, filepath.Join(s.Scripts, act), name).CombinedOutput() //nolint:gosec // our own scripts
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", act, name, err, out)
		}
	}
	return nil
}

// Cluster is Clamor as services of their own on real servers: two of each that
// may be two, behind an ingress.
type Cluster struct {
	Prefix  string // of topics, keys and the database
	Archive string
	Replay  string // folder of the replay sources' files

	services map[string][]*child
	turn     map[string]int
	ingress  *httptest.Server
	client   *Client
}

const (
	clusterToken  = "e2e-admin-token-of-no-secret-0123456789abcdef" //nolint:gosec // of servers that live for one test
	clusterMaster = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
)

// NewCluster starts services from the folder of their binaries.
func NewCluster(ctx context.Context, bin, dir string, s Servers) (*Cluster, error) {
	c := &Cluster{
		Prefix: "e2e" + uuid.NewString()[:8], Archive: filepath.Join(dir, "archive"), Replay: filepath.Join(dir, "replay"),
		services: map[string][]*child{}, turn: map[string]int{},
	}
	replication := fmt.Sprint(min(3, len(s.Brokers)))
	log := []string{"--kafka-brokers", strings.Join(s.Brokers, ","), "--kafka-prefix", c.Prefix + ".", "--kafka-replication", replication}
	secrets := []string{"--keys-master", clusterMaster, "--keys-bucket", filepath.Join(dir, "keys")}
	redis := []string{"--redis-url", s.Redis, "--redis-prefix", c.Prefix}
	archive := []string{"--archive", c.Archive}
	stored, batches := []string{"--views", s.Mongo + "/" + c.Prefix}, 2
	if s.Mongo == "" {
		stored, batches = []string{"--views", "file:" + filepath.Join(dir, "views.db")}, 0
	}
	if err := os.MkdirAll(c.Replay, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of replays: %w", err)
	}
	var backends [2][]*url.URL // capture, api
	for _, one := range []struct {
		name  string
		count int
		args  [][]string
		door  int
	}{
		{"capture", 2, [][]string{log, secrets, redis, {"--capture-replay-dir", c.Replay}}, 0},
		{"realtime", 2, [][]string{log, redis, archive}, -1},
		{"batch", batches, [][]string{log, secrets, redis, archive, stored}, -1},
		{"api", 1, [][]string{log, secrets, redis, archive, stored, {"--admin-token", clusterToken}}, 1},
	} {
		for i := range one.count {
			listen, err := freeAddr(ctx)
			if err != nil {
				return nil, err
			}
			args := []string{"--listen", listen}
			for _, a := range one.args {
				args = append(args, a...)
			}
			child, err := newChild(ctx, dir, fmt.Sprintf("%s-%d", one.name, i+1), filepath.Join(bin, one.name), args...)
			if err != nil {
				return nil, err
			}
			c.services[one.name] = append(c.services[one.name], child)
			if one.door >= 0 {
				backends[one.door] = append(backends[one.door], &url.URL{Scheme: "http", Host: listen})
			}
		}
	}
	c.ingress = httptest.NewServer(ingress(backends[0], backends[1]))
	c.client = NewClient(c.ingress.URL, clusterToken)
	return c, c.start(ctx)
}

func (c *Cluster) start(ctx context.Context) error {
	for _, act := range []func(*child, context.Context) error{(*child).start, (*child).ready} {
		for name, children := range c.services {
			for _, child := range children {
				if err := act(child, ctx); err != nil {
					return fmt.Errorf("start %s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// ingress routes voters' doors to capture in turn, and the rest to the API.
func ingress(capture, api []*url.URL) http.Handler {
	var turn atomic.Int64
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			to := api
			if r.In.Method == http.MethodPost && isDoor(r.In.URL.Path) {
				to = capture
			}
			r.SetURL(to[int(turn.Add(1))%len(to)])
		},
		// Nobody listens there at the moment: what an engine sees as a refused
		// connection, not as an answer.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
}

func isDoor(path string) bool {
	for _, end := range []string{"/voters", "/ballots", "/ballots:batch", "/posts"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return strings.HasPrefix(path, "/v1/hooks/")
}

// Client implements System.
func (c *Cluster) Client() *Client { return c.client }

// Kill ends one instance of a service, or of each, and starts it again.
func (c *Cluster) Kill(ctx context.Context, service string) error {
	names := []string{service}
	if service == "" {
		names = []string{"capture", "realtime", "batch", "api"}
	}
	for _, name := range names {
		children := c.services[name]
		if len(children) == 0 {
			return fmt.Errorf("no service is called %q", name)
		}
		c.turn[name]++
		child := children[c.turn[name]%len(children)]
		child.kill()
		if err := child.start(ctx); err != nil {
			return err
		}
		if err := child.ready(ctx); err != nil {
			return fmt.Errorf("restart %s: %w", name, err)
		}
	}
	return nil
}

// Down kills one instance of a service and leaves it dead.
func (c *Cluster) Down(service string, instance int) { c.services[service][instance].kill() }

// Up starts one instance again, and waits until it is ready.
func (c *Cluster) Up(ctx context.Context, service string, instance int) error {
	child := c.services[service][instance]
	if err := child.start(ctx); err != nil {
		return err
	}
	return child.ready(ctx)
}

// Metric reads a sample, named as in the text format, of an instance; 0 when it
// is not there.
func (c *Cluster) Metric(ctx context.Context, service string, instance int, sample string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.services[service][instance].admin+"/metrics", nil)
	if err != nil {
		return 0, fmt.Errorf("metrics of %s: %w", service, err)
	}
	resp, err := c.client.HTTP.Do(req)
	if err != nil {
		return 0, fmt.Errorf("metrics of %s: %w", service, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("read the metrics of %s: %w", service, err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, sample+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, nil
}

// EmptyRedis implements System: each master of the cluster loses everything.
func (c *Cluster) EmptyRedis(ctx context.Context) error {
	addrs, ok := strings.CutPrefix(os.Getenv("CLAMOR_TEST_REDIS_CLUSTER"), "redis+cluster://")
	if !ok && addrs == "" {
		return errors.New("no address of the Redis cluster")
	}
	for _, addr := range strings.Split(addrs, ",") {
		if err := FlushRedis(ctx, addr); err != nil {
			return err
		}
	}
	return nil
}

// Close ends everything.
func (c *Cluster) Close() {
	if c.ingress != nil {
		c.ingress.Close()
	}
	for _, children := range c.services {
		for _, child := range children {
			child.kill()
		}
	}
}
