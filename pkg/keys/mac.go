package keys

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// authenticator computes HMAC-SHA-256 under one key. It keeps idle states, for
// which the key's two blocks are hashed already: half the cost of a short MAC.
type authenticator struct {
	idle sync.Pool // of *state
}

type state struct {
	hash hash.Hash
	sum  [sha256.Size]byte
	buf  []byte // scratch of the caller, so that strings are hashed without allocating
}

func newAuthenticator(key []byte) *authenticator {
	a := &authenticator{}
	a.idle.New = func() any { return &state{hash: hmac.New(sha256.New, key), buf: make([]byte, 0, 128)} }
	return a
}

// sum is the MAC of what write appends to the scratch.
func (a *authenticator) sum(write func(buf []byte) []byte) [sha256.Size]byte {
	s := a.idle.Get().(*state)
	s.hash.Reset()
	s.buf = write(s.buf[:0])
	_, _ = s.hash.Write(s.buf) // never fails
	s.hash.Sum(s.sum[:0])
	sum := s.sum
	a.idle.Put(s)
	return sum
}

func (a *authenticator) sumBytes(message []byte) [sha256.Size]byte {
	s := a.idle.Get().(*state)
	s.hash.Reset()
	s.buf = append(s.buf[:0], message...) // else every message would escape to the heap
	_, _ = s.hash.Write(s.buf)            // never fails
	s.hash.Sum(s.sum[:0])
	sum := s.sum
	a.idle.Put(s)
	return sum
}
