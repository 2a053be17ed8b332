package capture_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clamor-live/clamor/services/capture"
	"github.com/golang-jwt/jwt/v5"
)

// issuer is an app's own login: it signs tokens and publishes its key.
type issuer struct {
	key    *ecdsa.PrivateKey
	server *httptest.Server
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	is := &issuer{key: key}
	is.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "k1", "x": b64(point[1:33]), "y": b64(point[33:]),
		}}})
	}))
	t.Cleanup(is.server.Close)
	return is
}

func (is *issuer) token(t *testing.T, change func(jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{"iss": "https://app.test", "sub": "user-1", "aud": "votes", "exp": time.Date(2026, 5, 1, 21, 0, 0, 0, time.UTC).Unix()}
	if change != nil {
		change(claims)
	}
	tok := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	tok.Header["kid"] = "k1"
	text, err := tok.SignedString(is.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAnAppsOwnUsersVote(t *testing.T) {
	is := newIssuer(t)
	h := newHouse(t, func(c *capture.Config, _ *capture.Deps) {
		c.App = capture.App{Issuer: "https://app.test", Audience: "votes", JWKS: is.server.URL}
	})
	until(t, "the issuer's key", func() bool { return h.cast("final", is.token(t, nil), choose(1, "a")).Code == 202 })
	is.server.CloseClientConnections()
	if w := h.cast("final", is.token(t, nil), choose(2, "a")); w.Code != 202 {
		t.Error(w.Code, w.Body)
	}
	if w := h.cast("final", is.token(t, func(c jwt.MapClaims) { c["sub"] = "user-2" }), choose(3, "a")); w.Code != 202 {
		t.Error(w.Code, w.Body)
	}
	if w := h.cast("final", h.voter(), choose(4, "a")); w.Code != 202 {
		t.Error("our own token beside the app's:", w.Code, w.Body)
	}
	voters := map[string]bool{}
	for _, b := range h.log.ballots(t) {
		voters[b.Voter.String()] = true
	}
	if len(voters) != 3 {
		t.Errorf("%d voters, want two users and one token", len(voters))
	}
	for name, token := range map[string]string{
		"another issuer":   is.token(t, func(c jwt.MapClaims) { c["iss"] = "https://other.test" }),
		"another audience": is.token(t, func(c jwt.MapClaims) { c["aud"] = "else" }),
		"expired":          is.token(t, func(c jwt.MapClaims) { c["exp"] = 1 }),
		"without expiry":   is.token(t, func(c jwt.MapClaims) { delete(c, "exp") }),
		"without user":     is.token(t, func(c jwt.MapClaims) { delete(c, "sub") }),
		"another key":      newIssuer(t).token(t, nil),
		"no signature":     "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2FwcC50ZXN0Iiwic3ViIjoidSJ9.",
		"nonsense":         "a.b.c",
	} {
		if w := h.cast("final", token, choose(5, "a")); w.Code != 401 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	token := is.token(t, nil)
	h.clock.advance(2 * time.Hour)
	expect(t, h.cast("final", token, choose(6, "a")), 401, "voter-invalid")
}
