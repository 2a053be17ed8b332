package speed

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func TestAddresses(t *testing.T) {
	for text, want := range map[string]address{
		"redis://h:1":              {hosts: []string{"h:1"}},
		"redis://h:1/2":            {hosts: []string{"h:1"}, db: 2},
		"rediss://u:p%40x@h:1/":    {tls: true, hosts: []string{"h:1"}, user: "u", password: "p@x"},
		"redis://:pw@[::1]:6379/0": {hosts: []string{"[::1]:6379"}, password: "pw"},
		"redis+cluster://a:1,b:2":  {form: "cluster", hosts: []string{"a:1", "b:2"}},
		"redis+cluster://a:1":      {form: "cluster", hosts: []string{"a:1"}},
		"rediss+sentinel://a:1,b:2/main/3": {
			form: "sentinel", tls: true, hosts: []string{"a:1", "b:2"}, master: "main", db: 3,
		},
	} {
		got, err := parseAddress(text)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(address{})); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for text, sign := range map[string]string{
		"":                         "redis://",
		"h:1":                      "redis://",
		"http://h:1":               "unknown scheme",
		"redis+ring://h:1":         "unknown scheme",
		"redis://":                 "host:port",
		"redis://h":                "host:port",
		"redis://a:1,b:2":          "redis+cluster",
		"redis://h:1/x":            "database",
		"redis+cluster://a:1/1":    "database 0",
		"redis+sentinel://a:1":     "master",
		"redis://u:secret%zz@h:1":  "%XX",
		"redis+sentinel://a:1/m/x": "database",
	} {
		_, err := Open(t.Context(), text, DefaultConfig())
		if err == nil || !strings.Contains(err.Error(), sign) {
			t.Errorf("%q: error %v, want one that says %q", text, err, sign)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error tells the password: %v", text, err)
		}
	}
}

func TestClients(t *testing.T) {
	store, err := Open(t.Context(), "redis+cluster://127.0.0.1:1", DefaultConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	cluster, ok := store.client.(*redis.ClusterClient)
	if !ok {
		t.Fatalf("one address of a cluster gives %T", store.client)
	}
	if got := cluster.Options().ClusterStateReloadInterval; got != time.Second {
		t.Errorf("the cluster's state is read every %v", got)
	}
	if !cluster.Options().ContextTimeoutEnabled {
		t.Error("contexts do not bound commands")
	}
}

func TestConfig(t *testing.T) {
	err := Config{Prefix: "a{b}", Timeout: -1}.Validate()
	for _, sign := range []string{"prefix", "timeout", "connections"} {
		if err == nil || !strings.Contains(err.Error(), sign) {
			t.Errorf("error %v, want one that names %s", err, sign)
		}
	}
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
}
