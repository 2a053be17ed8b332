// Package sign checks how those who call a webhook prove who they are: with a
// key, or with an HMAC of what they say. Every comparison takes the same time
// wherever the two differ, so that nobody can feel their way to a signature.
package sign

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // a platform's choice; HMAC-SHA1 is not broken
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"

	"github.com/clamor-live/clamor/pkg/fault"
)

// SHA256 is the HMAC-SHA256 of the parts behind one another.
func SHA256(key string, parts ...string) []byte { return mac(sha256.New, key, parts) }

// SHA1 is the HMAC-SHA1 of the parts behind one another.
func SHA1(key string, parts ...string) []byte { return mac(sha1.New, key, parts) }

func mac(h func() hash.Hash, key string, parts []string) []byte {
	m := hmac.New(h, []byte(key))
	for _, part := range parts {
		_, _ = m.Write([]byte(part)) // never fails
	}
	return m.Sum(nil)
}

// Same says whether two keys are the same; not even their lengths show.
func Same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// Encoding is how a signature is written.
type Encoding string

const (
	Hex    Encoding = "hex"
	Base64 Encoding = "base64"
)

// Is says whether text is the signature in this encoding; hexadecimal digits may
// have either case.
func (e Encoding) Is(text string, signature []byte) bool {
	decode := hex.DecodeString
	if e == Base64 {
		decode = base64.StdEncoding.DecodeString
	}
	got, err := decode(text)
	return err == nil && hmac.Equal(got, signature)
}

// Header is the value of a header that proves who calls, without the prefix
// that it must have.
func Header(h http.Header, name, prefix string) (string, error) {
	text := h.Get(name)
	if text == "" {
		return "", fault.New(fault.SourceKeyInvalid, "the %s header is missing", name)
	}
	value, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return "", fault.New(fault.SourceKeyInvalid, "the %s header does not begin with %q", name, prefix)
	}
	return value, nil
}

// Wrong is the answer to a header that proves nothing.
func Wrong(name string) error {
	return fault.New(fault.SourceKeyInvalid, "the %s header is not what this source's settings make it", name)
}

// Pseudonym is a keyed hash of what must not be known, in 32 hexadecimal digits:
// without the key nobody can find out, by trying all phone numbers, whose it is.
func Pseudonym(key, text string) string {
	return hex.EncodeToString(SHA256(key, "clamor/pseudonym/", text)[:16])
}
