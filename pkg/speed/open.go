package speed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open prepares a store for the Redis at address; it does not connect yet, so
// that a process can start before its Redis. Forms, each with an optional
// user:password@ and with rediss in place of redis for TLS:
//
//	redis://host:port/db
//	redis+cluster://host:port,host:port,…
//	redis+sentinel://host:port,…/master[/db]
func Open(_ context.Context, address string, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("speed view settings: %w", err)
	}
	client, err := connect(address, cfg)
	if err != nil {
		return nil, fmt.Errorf("redis address: %w", err)
	}
	return New(client, cfg), nil
}

func connect(address string, cfg Config) (redis.UniversalClient, error) {
	at, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	// The client's own log goes to standard error past ours, and says nothing that
	// the errors do not.
	logging.Disable()
	opts := at.options(cfg)
	switch at.form {
	case "cluster":
		o := opts.Cluster()
		// The default of a minute would dial a dead master for as long.
		o.ClusterStateReloadInterval = time.Second
		return redis.NewClusterClient(o), nil
	case "sentinel":
		return redis.NewFailoverClient(opts.Failover()), nil
	default:
		return redis.NewClient(opts.Simple()), nil
	}
}

func (a address) options(cfg Config) *redis.UniversalOptions {
	o := &redis.UniversalOptions{
		Addrs:      a.hosts,
		MasterName: a.master,
		DB:         a.db,
		Username:   a.user,
		Password:   a.password,
		// Retries are safe: steps compare before they apply.
		MaxRetries:            3,
		DialTimeout:           cfg.Timeout,
		ReadTimeout:           cfg.Timeout,
		WriteTimeout:          cfg.Timeout,
		ContextTimeoutEnabled: true,
		PoolSize:              cfg.Connections,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
	if a.tls {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o
}

type address struct {
	form           string // "", cluster, sentinel
	tls            bool
	hosts          []string
	user, password string
	master         string
	db             int
}

// parseAddress does not leave the hosts to net/url, which refuses lists of them.
func parseAddress(s string) (address, error) {
	var a address
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return a, errors.New("want redis://host:port, redis+cluster://… or redis+sentinel://…")
	}
	base, form, _ := strings.Cut(scheme, "+")
	if base != "redis" && base != "rediss" || form != "" && form != "cluster" && form != "sentinel" {
		return a, fmt.Errorf("unknown scheme %q: want redis, redis+cluster or redis+sentinel", scheme)
	}
	a.form, a.tls = form, base == "rediss"
	authority, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		if err := a.credentials(authority[:i]); err != nil {
			return a, err
		}
		authority = authority[i+1:]
	}
	if err := a.addHosts(authority); err != nil {
		return a, err
	}
	return a, a.addPath(path)
}

func (a *address) credentials(userinfo string) error {
	u, err := url.Parse("redis://" + userinfo + "@host")
	if err != nil || u.User == nil {
		return errors.New("user and password cannot be read: write special characters as %XX")
	}
	a.user = u.User.Username()
	a.password, _ = u.User.Password()
	return nil
}

func (a *address) addHosts(list string) error {
	for host := range strings.SplitSeq(list, ",") {
		h, port, err := net.SplitHostPort(host)
		if err != nil || h == "" || port == "" {
			return fmt.Errorf("%q is not host:port", host)
		}
		a.hosts = append(a.hosts, host)
	}
	if a.form == "" && len(a.hosts) > 1 {
		return errors.New("several hosts: want redis+cluster:// or redis+sentinel://")
	}
	return nil
}

func (a *address) addPath(path string) error {
	if a.form == "sentinel" {
		a.master, path, _ = strings.Cut(path, "/")
		if a.master == "" {
			return errors.New("name the master: redis+sentinel://host:port/master")
		}
	}
	if path == "" {
		return nil
	}
	db, err := strconv.Atoi(path)
	if err != nil || db < 0 {
		return fmt.Errorf("%q is not the number of a database", path)
	}
	if a.form == "cluster" && db != 0 {
		return errors.New("a cluster has database 0 only")
	}
	a.db = db
	return nil
}
