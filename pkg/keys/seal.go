package keys

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
)

// sealMark begins what Seal wrote.
const sealMark = audience.SealMark + "1:"

// ErrSealed says that a secret was sealed for another setting, or by another
// master secret.
var ErrSealed = errors.New("the secret cannot be opened: it was sealed under another master secret or for another setting")

// Seal encrypts a secret setting of a source, so that it may be kept in the log.
// It opens as that setting of that source only: a sealed secret that is carried
// elsewhere stays shut.
func (r *Ring) Seal(source, setting, secret string) string {
	sealed := r.secrets.Seal(nil, nil, []byte(secret), placeOf(source, setting)) //nolint:gosec // the sealer draws its own nonce
	return sealMark + base64.RawURLEncoding.EncodeToString(sealed)
}

// Unseal is the secret that Seal was given, or ErrSealed.
func (r *Ring) Unseal(source, setting, sealed string) (string, error) {
	text, ok := strings.CutPrefix(sealed, sealMark)
	if !ok {
		return "", ErrSealed
	}
	raw, err := strict.DecodeString(text)
	if err != nil {
		return "", ErrSealed
	}
	secret, err := r.secrets.Open(nil, nil, raw, placeOf(source, setting))
	if err != nil {
		return "", ErrSealed
	}
	return string(secret), nil
}

// placeOf is what a secret is bound to; no two places read alike.
func placeOf(source, setting string) []byte { return append(prefix(nil, source), setting...) }
