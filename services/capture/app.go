package capture

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/golang-jwt/jwt/v5"
)

// app checks the JWTs of an app's own users. Checked tokens are remembered, for
// a public-key signature costs as much as a hundred ballots.
type app struct {
	cfg  App
	keys atomic.Pointer[keyfunc.Keyfunc]

	mu      sync.Mutex
	checked map[[sha256.Size]byte]appUser
}

type appUser struct {
	subject string
	expires time.Time
}

// maxChecked bounds the memory of checked tokens; when it is full, all are
// forgotten and checked again.
const maxChecked = 1 << 16

func newApp(cfg App) *app { return &app{cfg: cfg, checked: map[[sha256.Size]byte]appUser{}} }

func (a *app) configured() bool { return a.cfg.Issuer != "" }

// run fetches the issuer's keys and keeps them fresh until ctx ends.
func (a *app) run(ctx context.Context, log *slog.Logger) {
	for a.configured() && ctx.Err() == nil {
		keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{a.cfg.JWKS}, keyfunc.Override{
			HTTPTimeout:     5 * time.Second,
			RefreshInterval: 10 * time.Minute,
			RefreshErrorHandlerFunc: func(string) func(context.Context, error) {
				return func(_ context.Context, err error) { log.Warn("the app's keys cannot be fetched", "error", err) }
			},
		})
		if err == nil {
			a.keys.Store(&keys)
			break
		}
		log.Warn("the app's keys cannot be fetched", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Second):
		}
	}
	<-ctx.Done()
}

// voter is the user that an app's token names.
func (a *app) voter(token string, now time.Time) (voter, error) {
	sum := sha256.Sum256([]byte(token))
	a.mu.Lock()
	u, known := a.checked[sum]
	a.mu.Unlock()
	if !known {
		var err error
		if u, err = a.check(token, now); err != nil {
			return voter{}, err
		}
		a.remember(sum, u)
	}
	if !now.Before(u.expires) {
		return voter{}, fault.New(fault.VoterInvalid, "the app's token has expired")
	}
	return voter{ofApp + a.cfg.Issuer, u.subject}, nil
}

func (a *app) remember(sum [sha256.Size]byte, u appUser) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.checked) >= maxChecked {
		clear(a.checked)
	}
	a.checked[sum] = u
}

func (a *app) check(token string, now time.Time) (appUser, error) {
	keys := a.keys.Load()
	if keys == nil {
		return appUser{}, fault.New(fault.Unavailable, "the app's keys are not at hand yet; try again after a moment").After(time.Second)
	}
	options := []jwt.ParserOption{
		jwt.WithIssuer(a.cfg.Issuer), jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }),
		jwt.WithValidMethods([]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}),
	}
	if a.cfg.Audience != "" {
		options = append(options, jwt.WithAudience(a.cfg.Audience))
	}
	var claims jwt.RegisteredClaims
	if _, err := jwt.ParseWithClaims(token, &claims, (*keys).Keyfunc, options...); err != nil {
		return appUser{}, fault.New(fault.VoterInvalid, "the app's token is not valid").Because(err)
	}
	if claims.Subject == "" || claims.ExpiresAt == nil {
		return appUser{}, fault.New(fault.VoterInvalid, "the app's token names no user").Because(errors.New("no sub"))
	}
	return appUser{claims.Subject, claims.ExpiresAt.Time}, nil
}
