package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// surface: what every route has in common, and what is on neither.
func surface(t *testing.T, c *customer) {
	show := c.show(t, "surface")
	c.opened(t, show, "surface-poll", nil)
	t.Run("routes", func(t *testing.T) { everyRoute(t, c) })
	t.Run("paths", func(t *testing.T) { oddPaths(t, c) })
	t.Run("ids", func(t *testing.T) { requestIDs(t, c) })
	t.Run("admin", func(t *testing.T) { adminListener(t, c) })
	t.Run("bodies", func(t *testing.T) { encodings(t, c) })
	t.Run("raw", func(t *testing.T) { rawRequests(t, c) })
	t.Run("openapi", func(t *testing.T) {
		a := c.public(t, "/openapi.json").is(t, 200, "")
		if v := a.text(t, "openapi"); !strings.HasPrefix(v, "3.1") {
			t.Errorf("openapi %s", v)
		}
		paths := a.object(t)["paths"].(object)
		for _, gate := range gates {
			if paths[strings.NewReplacer("/nope", "/{x}").Replace(gate[1])] == nil && !hasPath(paths, gate[1]) {
				t.Errorf("%s is not in the contract", gate[1])
			}
		}
	})
	t.Run("pages", func(t *testing.T) {
		for _, path := range []string{"/", "/p/surface-poll"} {
			c.public(t, path).is(t, 200, "")
		}
		c.public(t, "/p/nope").is(t, 404, "")
		c.public(t, "/assets/nope.js").is(t, 404, "not-found")
		c.public(t, "/assets/..%2f..%2fgo.mod").is(t, 404, "not-found")
	})
}

func hasPath(paths object, path string) bool {
	want := strings.Split(path, "/")
	for p := range paths {
		parts := strings.Split(p, "/")
		if len(parts) != len(want) {
			continue
		}
		same := true
		for i := range parts {
			same = same && (parts[i] == want[i] || strings.HasPrefix(parts[i], "{"))
		}
		if same {
			return true
		}
	}
	return false
}

// everyRoute: a wrong method is 405 with what is right, on every path.
func everyRoute(t *testing.T, c *customer) {
	by := map[string][]string{}
	for _, o := range c.checker.Operations() {
		by[o[1]] = append(by[o[1]], o[0])
	}
	fill := strings.NewReplacer("{poll}", "surface-poll", "{show}", "surface", "{token}", "x", "{source}", "x", "{destination}", "x", "{topic}", "x", "{run}", "x", "{id}", "x", "{receipt}", "x", "{file}", "x")
	for path, methods := range by {
		if slices.Contains(methods, "GET") && !strings.HasSuffix(path, "/events") {
			t.Run("HEAD"+path, func(t *testing.T) {
				get := c.do(t, request{method: "GET", path: fill.Replace(path), as: c.token})
				head := c.do(t, request{method: "HEAD", path: fill.Replace(path), as: c.token})
				if head.status != get.status || len(head.body) > 0 || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
					t.Errorf("HEAD %d %v %q, GET %d %v", head.status, head.header, head.body, get.status, get.header)
				}
			})
		}
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE"} {
			if slices.Contains(methods, method) {
				continue
			}
			t.Run(method+path, func(t *testing.T) {
				a := c.do(t, request{method: method, path: fill.Replace(path), as: c.token}).is(t, 405, "method-not-allowed")
				allow := a.header.Get("Allow")
				for _, m := range methods {
					if !strings.Contains(allow, m) {
						t.Errorf("Allow %q lacks %s", allow, m)
					}
				}
				if strings.Contains(allow, method) {
					t.Errorf("Allow %q names %s", allow, method)
				}
			})
		}
	}
}

// oddPaths: nothing redirects, and nothing is found beside its path.
func oddPaths(t *testing.T, c *customer) {
	for _, path := range []string{
		"/v1/shows/", "/v1/polls/", "/v1/polls/surface-poll/", "/v1/polls/surface-poll/state/", "//v1/shows", "/v1//shows", "/V1/shows", "/v1/Shows", "/v1", "/v2/shows", "/nowhere",
		"/v1/polls/surface-poll/nothing", "/v1/shows/../shows", "/v1/shows/./surface", "/v1/polls/surface-poll%2fstate", "/openapi.json/", "/openapi.yaml", "/p/", "/feeds", "/feeds/", "/assets/",
		"/.git/config", "/index.html", "/v1/system/", "/v1/shows/surface%00", "/v1/shows/%2e%2e%2fx", "/%", "/v1/shows/surface?x=%zz",
	} {
		t.Run(path, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = path
			req.Header.Set("Authorization", "Bearer "+c.token)
			res, err := c.http.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, _ := io.ReadAll(res.Body)
			c.answers.Add(1)
			want := 404
			if path == "/v1/shows/surface?x=%zz" {
				want = 200
			}
			if path == "/%" {
				want = 400
			}
			if res.StatusCode != want {
				t.Errorf("%d %s, want %d", res.StatusCode, body, want)
			}
			if res.Header.Get("X-Request-Id") == "" && want != 400 {
				t.Error("no X-Request-Id")
			}
		})
	}
}

func requestIDs(t *testing.T, c *customer) {
	seen := map[string]bool{}
	for range 50 {
		id := c.public(t, "/nowhere").header.Get("X-Request-Id")
		if id == "" || seen[id] {
			t.Errorf("the id %q again", id)
		}
		seen[id] = true
	}
	for _, path := range []string{"/v1/voters", "/v1/polls/nope/ballots", "/v1/hooks/x", "/feeds/x", "/v1/sources/x/posts"} {
		c.do(t, request{method: http.MethodPost, path: path, body: "{"})
	}
	c.do(t, request{method: http.MethodPost, path: "/v1/hooks/nope", body: "{}"}).is(t, 404, "not-found")
}

// adminListener: what is for operators is there only.
func adminListener(t *testing.T, c *customer) {
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/vars"} {
		c.get(t, path).is(t, 404, "not-found")
	}
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.process.Admin()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
		if path == "/metrics" {
			for _, want := range []string{"clamor_capture_", "clamor_realtime_", "clamor_batch_", "clamor_api_"} {
				if !strings.Contains(string(body), want) {
					t.Errorf("no %s in the metrics", want)
				}
			}
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.process.Admin()+"/v1/shows", nil)
	if res, err := c.http.Do(req); err != nil || res.StatusCode != http.StatusNotFound {
		t.Errorf("the API on the admin listener: %v %v", res, err)
	} else {
		_ = res.Body.Close()
	}
}

// encodings: a body that nobody decodes is refused, a wrong content type is not
// looked at.
func encodings(t *testing.T, c *customer) {
	zipped := map[string]string{"Content-Encoding": "gzip"}
	c.do(t, request{method: "POST", path: "/v1/shows", as: c.token, body: "{}", header: zipped}).is(t, 415, "unsupported-media-type")
	c.do(t, request{method: "POST", path: "/v1/polls/surface-poll/ballots", as: c.voter(t), body: "{}", header: zipped}).is(t, 415, "unsupported-media-type")
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded"} {
		c.do(t, request{method: "POST", path: "/v1/polls/surface-poll/ballots", as: c.voter(t), body: ballot("a"), header: map[string]string{"Content-Type": kind}}).is(t, 202, "")
	}
}

// rawRequests are what no client library sends.
func rawRequests(t *testing.T, c *customer) {
	voter := c.voter(t)
	body := string(mustJSON(t, ballot("a")))
	for name, tc := range map[string]struct{ text, want string }{
		"no http":         {"HELLO\r\n\r\n", "400"},
		"no host":         {"GET /v1/shows HTTP/1.1\r\n\r\n", "400"},
		"http 1.0":        {"GET /openapi.json HTTP/1.0\r\n\r\n", "200"},
		"bad length":      {"POST /v1/shows HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
		"short body":      {"POST /v1/polls/surface-poll/ballots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + voter + "\r\nContent-Length: 500\r\nConnection: close\r\n\r\n" + body, "400"},
		"chunked":         {"POST /v1/polls/surface-poll/ballots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + voter + "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body), "202"},
		"header too long": {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 2<<20) + "\r\n\r\n", "431"},
		"claimed length":  {"POST /v1/polls/surface-poll/ballots HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + voter + "\r\nContent-Length: 99999999\r\n\r\n", "413"},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(c.base, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			go func() {
				_, _ = io.WriteString(conn, tc.text)
				if tcp, ok := conn.(*net.TCPConn); ok {
					_ = tcp.CloseWrite()
				}
			}()
			head := make([]byte, 64)
			n, err := io.ReadAtLeast(conn, head, 12)
			if err != nil || !strings.HasPrefix(string(head[9:n]), tc.want) {
				t.Errorf("%q %v, want %s", head[:n], err, tc.want)
			}
		})
	}
	c.public(t, "/openapi.json").is(t, 200, "") // the service is still up
	var v any
	if err := json.Unmarshal(c.get(t, "/v1/system").body, &v); err != nil {
		t.Error(err)
	}
}
