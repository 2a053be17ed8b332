package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/elastic/go-elasticsearch/v8"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/sleep"
)

// elasticAddress is an address taken apart.
type elasticAddress struct {
	// url has the credentials, host is fit to be shown.
	url, host         string
	prefix, analyzers string
	shards            int
	ca                []byte
}

const (
	analyzersLanguage = "language"
	analyzersStandard = "standard"
)

func parseElastic(address string) (a elasticAddress, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return a, errors.New("the address of the Elasticsearch cannot be read")
	}
	a.url = (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}).String()
	a.host, a.prefix, a.analyzers, a.shards = u.Host, "clamor", analyzersLanguage, 1
	if path := strings.Trim(u.Path, "/"); path != "" {
		a.prefix = path
	}
	// No dash: the indices of one prefix are not among those of another.
	if !audience.IsSlug(strings.ReplaceAll(a.prefix, "_", "x")) || a.prefix[0] == '_' || strings.Contains(a.prefix, "-") {
		return a, fmt.Errorf("the prefix %q of the indices is not of a-z, 0-9 and underscore", a.prefix)
	}
	for key, values := range u.Query() {
		value := values[len(values)-1]
		switch key {
		case "analyzers":
			if a.analyzers = value; value != analyzersLanguage && value != analyzersStandard {
				return a, fmt.Errorf("analyzers are language or standard, not %q", value)
			}
		case "shards":
			if a.shards, err = strconv.Atoi(value); err != nil || a.shards < 1 || a.shards > 1024 {
				return a, errors.New("shards are 1 to 1024")
			}
		case "ca":
			if a.ca, err = os.ReadFile(value); err != nil {
				return a, err
			}
		default:
			return a, fmt.Errorf("%q is no setting of an Elasticsearch address", key)
		}
	}
	return a, nil
}

// elasticClient speaks JSON with a cluster. All that this package asks of one may
// be asked twice, so it is, when the cluster is too busy or the connection broke.
type elasticClient struct {
	client    *elasticsearch.BaseClient
	transport *http.Transport
	// wait is the pause before the first further attempt; it doubles.
	wait time.Duration
}

const (
	elasticAttempts = 6
	elasticWait     = 200 * time.Millisecond
	maxElasticWait  = 10 * time.Second
	// elasticTimeout bounds one attempt: a bulk of some megabytes on a busy cluster.
	elasticTimeout = time.Minute
	// maxAnswer bounds an answer: a page of the longest posts.
	maxAnswer = 1 << 30
)

func newElasticClient(a elasticAddress) (*elasticClient, error) {
	transport := &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		// As many as batch's workers and an API's readers keep busy.
		MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}
	client, err := elasticsearch.NewBaseClient(elasticsearch.Config{
		Addresses: []string{a.url}, CACert: a.ca, Transport: transport, DisableRetry: true,
	})
	if err != nil {
		return nil, err
	}
	return &elasticClient{client: client, transport: transport, wait: elasticWait}, nil
}

func (c *elasticClient) close() error {
	err := c.client.Close(context.Background())
	c.transport.CloseIdleConnections()
	return err
}

// elasticError is what Elasticsearch says is wrong.
type elasticError struct {
	status       int
	kind, reason string
}

func (e *elasticError) Error() string {
	return fmt.Sprintf("elasticsearch answers %d %s", e.status, strings.TrimSpace(e.kind+" "+e.reason))
}

// kind is the type of an error of Elasticsearch's, "" for others.
func kind(err error) string {
	var e *elasticError
	if errors.As(err, &e) {
		return e.kind
	}
	return ""
}

// do asks until there is an answer that waiting does not change, and reads it
// into answer, if that is not nil. The status is 0 without an answer.
func (c *elasticClient) do(ctx context.Context, method, path string, body []byte, answer any) (status int, err error) {
	for attempt := range elasticAttempts {
		var after time.Duration
		status, after, err = c.once(ctx, method, path, body, answer)
		if err == nil || !passes(status, err) || ctx.Err() != nil {
			return status, err
		}
		if attempt < elasticAttempts-1 {
			if err := c.pause(ctx, attempt, after); err != nil {
				return status, err
			}
		}
	}
	return status, err
}

// passes says whether a failure may be over soon.
func passes(status int, err error) bool {
	if status != 0 {
		return tooBusy(status) || status == http.StatusBadGateway || status == http.StatusGatewayTimeout
	}
	var broken net.Error
	return errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func tooBusy(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// pause waits: twice as long each time, half of it by chance, and no shorter than
// what the cluster asks for.
func (c *elasticClient) pause(ctx context.Context, attempt int, after time.Duration) error {
	d := min(c.wait<<attempt, maxElasticWait)
	d = max(d/2+rand.N(d/2+1), min(after, maxElasticWait))
	return sleep.For(ctx, d)
}

func (c *elasticClient) once(ctx context.Context, method, path string, body []byte, answer any) (status int, after time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, elasticTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	if body == nil {
		r.Body, r.GetBody = nil, nil
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.client.Perform(r)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return 0, 0, err
	}
	if res.StatusCode/100 != 2 {
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return res.StatusCode, time.Duration(seconds) * time.Second, elasticErrorOf(res.StatusCode, b)
	}
	if answer == nil {
		return res.StatusCode, 0, nil
	}
	if err := json.Unmarshal(b, answer); err != nil {
		return res.StatusCode, 0, fmt.Errorf("the answer to %s %s cannot be read: %w", method, path, err)
	}
	return res.StatusCode, 0, nil
}

// elasticErrorOf reads an error's body: an object, or a text.
func elasticErrorOf(status int, body []byte) error {
	e := &elasticError{status: status}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	var cause elasticCause
	if json.Unmarshal(body, &answer) != nil || json.Unmarshal(answer.Error, &cause) != nil {
		_ = json.Unmarshal(answer.Error, &e.reason)
		return e
	}
	e.kind, e.reason = cause.Type, cause.reason()
	return e
}

// elasticCause is a reason with the one below it.
type elasticCause struct {
	Type     string        `json:"type"`
	Reason   string        `json:"reason"`
	CausedBy *elasticCause `json:"caused_by"`
}

func (c *elasticCause) reason() string {
	if c.CausedBy == nil {
		return c.Reason
	}
	return c.Reason + ": " + c.CausedBy.reason()
}
