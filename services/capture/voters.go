package capture

import (
	"net/http"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/services/capture/internal/limit"
	"github.com/gin-gonic/gin"
)

// VoterCookie is the cookie that carries a voter token.
const VoterCookie = "clamor_voter"

// The namespaces of subjects: whose name it is that a pseudonym stands for.
const (
	ofToken  = "token"
	ofApp    = "app:"    // + issuer
	ofRef    = "ref"     // a gateway's voter_ref
	ofAuthor = "author:" // + platform
	ofPost   = "post:"   // + platform
)

// makeVoter hands out a new voter's token. Every call makes another voter: who
// has a token already must not ask for one.
func (s *Service) makeVoter(c *gin.Context) error {
	expires := s.now().Add(s.cfg.VoterLifetime).Truncate(time.Second).UTC()
	token := s.keys.VoterToken(keys.NewSubject(), expires)
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // Secure where TLS is; a rehearsal on plain HTTP needs the cookie too
		Name: VoterCookie, Value: token, Path: "/", MaxAge: int(s.cfg.VoterLifetime.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(c.Request),
	})
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusCreated, gin.H{"voter_token": token, "expires_at": expires.Format(audience.TimeLayout)})
	s.metrics.voters.Inc()
	return nil
}

// secure says whether the voter talks TLS, to us or to a trusted proxy.
func (s *Service) secure(r *http.Request) bool {
	if r.TLS != nil || s.cfg.SecureCookie {
		return true
	}
	if len(s.trusted) == 0 || !strings.EqualFold(outermost(r.Header, "X-Forwarded-Proto"), "https") {
		return false
	}
	peer, ok := limit.Peer(r.RemoteAddr)
	return ok && s.trusted.Has(peer)
}

// voter is who a token stands for.
type voter struct{ namespace, subject string }

// voterOf reads the bearer token, else the cookie.
func (s *Service) voterOf(r *http.Request, now time.Time) (voter, error) {
	token, ok := bearer(r)
	if !ok {
		token, ok = cookie(r, VoterCookie)
	}
	if !ok || token == "" {
		return voter{}, fault.New(fault.VoterRequired, "get a token at POST /v1/voters and send it as Authorization: Bearer or as the cookie %s", VoterCookie)
	}
	if s.app.configured() && strings.Count(token, ".") == 2 {
		return s.app.voter(token, now)
	}
	subject, err := s.keys.VerifyVoter(token, now)
	if err != nil {
		return voter{}, fault.New(fault.VoterInvalid, "%w; get a new one at POST /v1/voters", err)
	}
	return voter{ofToken, subject}, nil
}

// cookie finds a cookie without reading the others. Our tokens need no quotes.
func cookie(r *http.Request, name string) (string, bool) {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var part string
			part, line, _ = strings.Cut(line, ";")
			key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
			if ok && key == name {
				return value, true
			}
		}
	}
	return "", false
}
