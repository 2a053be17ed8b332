package keys

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

// sealMark begins what Seal wrote.
const sealMark = audience.SealMark + "1:"

// ErrSealed says that a secret was sealed for another place, or by another
// master secret.
var ErrSealed = errors.New("the secret cannot be opened: it was sealed under another master secret or for another place")

// Seal encrypts a secret that others gave us, so that it may be kept in the log.
// It opens for the same place only: a sealed secret that is carried elsewhere
// stays shut.
func (r *Ring) Seal(place, secret string) string {
	sealed := r.secrets.Seal(nil, nil, []byte(secret), []byte(place)) //nolint:gosec // the sealer draws its own nonce
	return sealMark + base64.RawURLEncoding.EncodeToString(sealed)
}

// Unseal is the secret that Seal was given, or ErrSealed.
func (r *Ring) Unseal(place, sealed string) (string, error) {
	text, ok := strings.CutPrefix(sealed, sealMark)
	if !ok {
		return "", ErrSealed
	}
	raw, err := strict.DecodeString(text)
	if err != nil {
		return "", ErrSealed
	}
	secret, err := r.secrets.Open(nil, nil, raw, []byte(place))
	if err != nil {
		return "", ErrSealed
	}
	return string(secret), nil
}

// Sealed says whether a text looks like one that Seal wrote.
func Sealed(text string) bool { return strings.HasPrefix(text, sealMark) }
