package keys

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// What is wrong with a voter token.
var (
	ErrTokenInvalid = errors.New("the voter token is not one of ours")
	ErrTokenExpired = errors.New("the voter token has expired")
)

const (
	tokenPrefix = "cv1_"
	subjectSize = 16
	macSize     = 16
	// MaxSubject is the longest subject that a token takes, in bytes.
	MaxSubject = 128
	maxToken   = 8 + MaxSubject + macSize
)

// NewSubject is a new voter: 128 random bits, as raw bytes.
func NewSubject() string {
	var b [subjectSize]byte
	_, _ = rand.Read(b[:]) // never fails
	return string(b[:])
}

// VoterToken is a stateless token of that subject (at most MaxSubject bytes),
// good until expires, to the second: base64 of expiry, subject and a truncated
// MAC over both.
func (r *Ring) VoterToken(subject string, expires time.Time) string {
	raw := binary.BigEndian.AppendUint64(make([]byte, 0, maxToken), uint64(expires.Unix()))
	raw = append(raw, subject...)
	mac := r.tokens.sumBytes(raw)
	raw = append(raw, mac[:macSize]...)
	out := make([]byte, 0, len(tokenPrefix)+base64.RawURLEncoding.EncodedLen(len(raw)))
	return string(base64.RawURLEncoding.AppendEncode(append(out, tokenPrefix...), raw))
}

// VerifyVoter gives the subject of a token, or ErrTokenInvalid or
// ErrTokenExpired.
func (r *Ring) VerifyVoter(token string, now time.Time) (string, error) {
	if len(token) <= len(tokenPrefix) || token[:len(tokenPrefix)] != tokenPrefix {
		return "", ErrTokenInvalid
	}
	text := token[len(tokenPrefix):]
	if base64.RawURLEncoding.DecodedLen(len(text)) > maxToken {
		return "", ErrTokenInvalid
	}
	var in [maxToken*4/3 + 4]byte
	var buf [maxToken]byte
	n, err := strict.Decode(buf[:], in[:copy(in[:], text)])
	if err != nil || n < 8+1+macSize {
		return "", ErrTokenInvalid
	}
	body, mac := buf[:n-macSize], buf[n-macSize:n]
	want := r.tokens.sumBytes(body)
	if !hmac.Equal(mac, want[:macSize]) {
		return "", ErrTokenInvalid
	}
	if uint64(now.Unix()) >= binary.BigEndian.Uint64(body) {
		return "", ErrTokenExpired
	}
	return string(body[8:]), nil
}

// strict refuses a second spelling of the same token. It is a value without
// state.
var strict = base64.RawURLEncoding.Strict()
