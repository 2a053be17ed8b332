package sign

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/clamor-live/clamor/pkg/fault"
)

// TestHMAC: RFC 4231, test case 2, and RFC 2202, test case 2 of HMAC-SHA1.
func TestHMAC(t *testing.T) {
	sum := SHA256("Jefe", "what do ya ", "want for nothing?")
	if got := hex.EncodeToString(sum); got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Error(got)
	}
	if got := hex.EncodeToString(SHA1("Jefe", "what do ya want for nothing?")); got != "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" {
		t.Error(got)
	}
	upper, b64 := strings.ToUpper(hex.EncodeToString(sum)), base64.StdEncoding.EncodeToString(sum)
	if !Hex.Is(upper, sum) || !Base64.Is(b64, sum) {
		t.Error("the right signature is refused")
	}
	for _, text := range []string{"", "zz", b64, upper[2:], upper + "00", "00" + upper[2:]} {
		if Hex.Is(text, sum) {
			t.Errorf("%q is taken", text)
		}
	}
	if Base64.Is(upper, sum) || Base64.Is("", sum) || Base64.Is(b64[:40], sum) {
		t.Error("a wrong signature is taken")
	}
}

func TestSame(t *testing.T) {
	if !Same("key", "key") || Same("key", "Key") || Same("key", "") || Same("", "key") {
		t.Error("keys are compared wrongly")
	}
}

func TestHeader(t *testing.T) {
	h := http.Header{"X-Sign": {"sha256=ab"}}
	if got, err := Header(h, "X-Sign", "sha256="); got != "ab" || err != nil {
		t.Error(got, err)
	}
	if _, err := Header(h, "X-Other", ""); !fault.Is(err, fault.SourceKeyInvalid) {
		t.Error(err)
	}
	if _, err := Header(h, "X-Sign", "sha1="); !fault.Is(err, fault.SourceKeyInvalid) {
		t.Error(err)
	}
	if err := Wrong("X-Sign"); !fault.Is(err, fault.SourceKeyInvalid) {
		t.Error(err)
	}
}

func TestPseudonym(t *testing.T) {
	a := Pseudonym("k", "+15550001111")
	if len(a) != 32 || a != Pseudonym("k", "+15550001111") || a == Pseudonym("k", "+15550001112") || a == Pseudonym("l", "+15550001111") {
		t.Error(a)
	}
}
