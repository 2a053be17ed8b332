// Package keys makes and checks everything secret: voter tokens, receipts,
// pseudonyms, the certificate's signature, and random tokens.
//
// Its one trick: all that can be derived is derived from one master secret
// (HKDF-SHA-256, one label each), so instances agree without talking. Only the
// keys of pseudonyms are random, one for each show, because those must be
// destroyable: without its key no pseudonym of a show can be computed again, not
// even by somebody who knows the voter and the master secret.
package keys

import (
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"gocloud.dev/blob"
)

// MasterSize is the length of the master secret in bytes.
const MasterSize = 32

// Ring holds the keys. It is safe for concurrent use.
type Ring struct {
	tokens      *authenticator
	receipts    *authenticator
	certificate ed25519.PrivateKey
	shows       *shows
	secrets     cipher.AEAD
}

// Option changes a Ring.
type Option func(*Ring)

// WithClock sets the clock that decides when a show's key is looked at again.
func WithClock(now func() time.Time) Option {
	return func(r *Ring) { r.shows.now = now }
}

// Open derives the keys from the master secret. The bucket holds the shows'
// keys, encrypted; it is touched on first use only. The caller keeps the bucket
// and closes it.
func Open(master []byte, bucket *blob.Bucket, options ...Option) (*Ring, error) {
	if len(master) != MasterSize {
		return nil, fmt.Errorf("the master secret has %d bytes instead of %d", len(master), MasterSize)
	}
	derive := func(label string) []byte {
		key, err := hkdf.Key(sha256.New, master, nil, "clamor/v1/"+label, 32)
		if err != nil {
			panic(err) // only for lengths that are constants here
		}
		return key
	}
	sealer, err := newSealer(derive("show-keys"))
	if err != nil {
		return nil, err
	}
	secrets, err := newSealer(derive("secrets"))
	if err != nil {
		return nil, err
	}
	r := &Ring{
		tokens:      newAuthenticator(derive("voter-token")),
		receipts:    newAuthenticator(derive("receipt")),
		certificate: ed25519.NewKeyFromSeed(derive("certificate")),
		shows:       newShows(bucket, sealer),
		secrets:     secrets,
	}
	for _, o := range options {
		o(r)
	}
	return r, nil
}

// Certificate is the key that signs certificates; its public half is printed in
// them.
func (r *Ring) Certificate() ed25519.PrivateKey { return r.certificate }

// NewToken is prefix and 256 random bits, in letters, digits, '-' and '_'.
func NewToken(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// HashToken is how tokens are stored and compared: SHA-256 in hexadecimal. The
// tokens have 256 random bits, so a slow hash would add nothing.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
