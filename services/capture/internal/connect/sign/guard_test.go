package sign

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/services/capture/internal/connect"
)

var now = time.Unix(1_777_665_600, 0)

func guard(t *testing.T, read func(*connect.Settings) *Guard, settings map[string]any) *Guard {
	t.Helper()
	s := connect.Read(settings)
	g := read(s)
	if err := s.Done(); err != nil {
		t.Fatal(err)
	}
	return g
}

func withSecret(s *connect.Settings) *Guard { return ReadHMAC(s, "") }

func refused(t *testing.T, g *Guard, h http.Header, body string) {
	t.Helper()
	if err := g.Check(h, []byte(body), now); !fault.Is(err, fault.SourceKeyInvalid) {
		t.Errorf("%v: %v", h, err)
	}
}

func TestBearer(t *testing.T) {
	g := guard(t, ReadBearer, map[string]any{"key": "k"})
	if err := g.Check(http.Header{"Authorization": {"Bearer k"}}, nil, now); err != nil {
		t.Error(err)
	}
	for _, h := range []http.Header{{}, {"Authorization": {"k"}}, {"Authorization": {"Bearer K"}}, {"Authorization": {"Bearer "}}, {"Authorization": {"Basic k"}}} {
		refused(t, g, h, "")
	}
}

func TestSigned(t *testing.T) {
	g := guard(t, withSecret, map[string]any{"secret": "s", "signature_header": "X-Mine", "signature_prefix": "v1=", "signature_encoding": "base64"})
	right := "v1=" + base64.StdEncoding.EncodeToString(SHA256("s", "body"))
	if err := g.Check(http.Header{"X-Mine": {right}}, []byte("body"), now); err != nil {
		t.Error(err)
	}
	refused(t, g, http.Header{"X-Mine": {right}}, "body ")
	refused(t, g, http.Header{"X-Mine": {right[3:]}}, "body")
	refused(t, g, http.Header{}, "body")
}

func TestTimestamp(t *testing.T) {
	g := guard(t, withSecret, map[string]any{"secret": "s", "timestamp_header": "X-Time", "tolerance_s": 60.0})
	call := func(at string) http.Header {
		return http.Header{"X-Time": {at}, "X-Signature-256": {hex.EncodeToString(SHA256("s", at, ".", "body"))}}
	}
	for _, age := range []int64{-60, 0, 60} {
		if err := g.Check(call(strconv.FormatInt(now.Unix()-age, 10)), []byte("body"), now); err != nil {
			t.Error(age, err)
		}
	}
	for _, at := range []string{"", "soon", strconv.FormatInt(now.Unix()-61, 10), strconv.FormatInt(now.Unix()+61, 10), strconv.Itoa(math.MaxInt64), strconv.Itoa(math.MinInt64)} {
		refused(t, g, call(at), "body")
	}
	// Another time beside the old signature.
	replayed := call(strconv.FormatInt(now.Unix()-100, 10))
	replayed.Set("X-Time", strconv.FormatInt(now.Unix(), 10))
	refused(t, g, replayed, "body")
	replayed.Del("X-Time")
	refused(t, g, replayed, "body")
}
