package keys

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

var (
	// ErrDestroyed says that a show's key was destroyed: its voters are forgotten.
	ErrDestroyed = errors.New("the show's voters have been forgotten")
	// ErrMaster says that the master secret is not the one of the shows' keys.
	ErrMaster = errors.New("the shows' keys were made under another master secret")
)

const (
	keyFolder = "show-keys/"
	// sampled is how many shows' keys are tried to know the master secret by:
	// one may be damaged.
	sampled = 8
	// recheck is how long a key may be used without looking whether it was
	// destroyed by another instance.
	recheck   = 30 * time.Second
	keyMagic  = "clamor-show-key-1\n"
	tombstone = "clamor-show-key-destroyed-1\n"
)

// shows keeps the keys of pseudonyms, one object a show in the bucket.
type shows struct {
	bucket *blob.Bucket
	sealer cipher.AEAD
	now    func() time.Time

	mu    sync.RWMutex
	known map[string]*ShowKey
}

// ShowKey makes the pseudonyms of one show.
type ShowKey struct {
	mac      *authenticator
	key      [32]byte
	checked  atomic.Int64 // Unix nanoseconds
	checking atomic.Bool
}

func newShows(bucket *blob.Bucket, sealer cipher.AEAD) *shows {
	return &shows{bucket: bucket, sealer: sealer, now: time.Now, known: map[string]*ShowKey{}}
}

func newSealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Voter is the pseudonym of a subject in a show. Subjects of different
// namespaces (tokens, a platform's authors, a gateway's references) never meet.
// It fails when the show's key cannot be read, and with ErrDestroyed.
func (r *Ring) Voter(ctx context.Context, show, namespace, subject string) (audience.VoterID, error) {
	k, err := r.Show(ctx, show)
	if err != nil {
		return audience.VoterID{}, err
	}
	return k.Voter(namespace, subject), nil
}

// Show is the key of a show, made on first use. Ask for it again for every
// request: that is how a destruction is noticed.
func (r *Ring) Show(ctx context.Context, show string) (*ShowKey, error) {
	return r.shows.get(ctx, show)
}

// Destroy makes every pseudonym of the show impossible to compute again; other
// instances notice within half a minute. There is no way back, and the show
// takes no ballots any more. Copies of the bucket made before (backups,
// versions) must be deleted by whoever made them.
func (r *Ring) Destroy(ctx context.Context, show string) error { return r.shows.destroy(ctx, show) }

// Check fails with ErrMaster when there are shows' keys and none that is tried
// can be opened: with such a master secret every token, receipt and pseudonym of
// before would be void. A bucket that cannot be read says nothing.
func (r *Ring) Check(ctx context.Context) error { return r.shows.check(ctx) }

// Voter is the pseudonym of a subject.
func (k *ShowKey) Voter(namespace, subject string) audience.VoterID {
	sum := k.mac.sum(func(b []byte) []byte { return append(prefix(b, namespace), subject...) })
	return audience.VoterID(sum[:16])
}

// VoterOf is Voter for a subject that stands in a buffer.
func (k *ShowKey) VoterOf(namespace string, subject []byte) audience.VoterID {
	sum := k.mac.sum(func(b []byte) []byte { return append(prefix(b, namespace), subject...) })
	return audience.VoterID(sum[:16])
}

// prefix writes the namespace so that no two (namespace, subject) read alike.
func prefix(b []byte, namespace string) []byte {
	b = append(b, byte(len(namespace)>>8), byte(len(namespace)))
	return append(b, namespace...)
}

func (s *shows) get(ctx context.Context, show string) (*ShowKey, error) {
	s.mu.RLock()
	k := s.known[show]
	s.mu.RUnlock()
	if k != nil && s.now().UnixNano()-k.checked.Load() < int64(recheck) {
		return k, nil
	}
	if k != nil && !k.checking.CompareAndSwap(false, true) {
		return k, nil // another request is looking
	}
	return s.refresh(ctx, show, k)
}

// refresh reads the key's object again, or for the first time.
func (s *shows) refresh(ctx context.Context, show string, old *ShowKey) (*ShowKey, error) {
	if old != nil {
		defer old.checking.Store(false)
	}
	key, err := s.read(ctx, show)
	if gcerrors.Code(err) == gcerrors.NotFound {
		key, err = s.create(ctx, show)
	}
	switch {
	case errors.Is(err, ErrDestroyed):
		s.forget(show)
		return nil, err
	case err != nil && old != nil:
		old.checked.Store(s.now().UnixNano()) // the bucket is away: vote on, look again later
		return old, nil
	case err != nil:
		return nil, fmt.Errorf("read the key of show %q: %w", show, err)
	}
	return s.keep(show, key), nil
}

func (s *shows) keep(show string, key [32]byte) *ShowKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.known[show]
	if k == nil || k.key != key {
		k = &ShowKey{mac: newAuthenticator(key[:]), key: key}
		s.known[show] = k
	}
	k.checked.Store(s.now().UnixNano())
	return k
}

func (s *shows) forget(show string) {
	s.mu.Lock()
	delete(s.known, show)
	s.mu.Unlock()
}

func objectOf(show string) (string, error) {
	if !audience.IsSlug(show) {
		return "", fmt.Errorf("%.80q is no show id", show)
	}
	return keyFolder + show, nil
}

func (s *shows) read(ctx context.Context, show string) ([32]byte, error) {
	name, err := objectOf(show)
	if err != nil {
		return [32]byte{}, err
	}
	data, err := s.bucket.ReadAll(ctx, name)
	if err != nil {
		return [32]byte{}, err
	}
	return s.open(show, data)
}

func (s *shows) open(show string, data []byte) ([32]byte, error) {
	switch {
	case string(data) == tombstone:
		return [32]byte{}, ErrDestroyed
	case len(data) < len(keyMagic) || string(data[:len(keyMagic)]) != keyMagic:
		return [32]byte{}, errors.New("the object is no show key")
	}
	key, err := s.sealer.Open(nil, nil, data[len(keyMagic):], []byte(show))
	if err != nil || len(key) != 32 {
		return [32]byte{}, errors.New("the key was encrypted under another master secret, or is damaged")
	}
	return [32]byte(key), nil
}

// create makes the key, unless another instance was first: then theirs is the
// key. Buckets in the cloud decide that race; a folder does so within a process
// only, and is for one process.
func (s *shows) create(ctx context.Context, show string) ([32]byte, error) {
	name, err := objectOf(show)
	if err != nil {
		return [32]byte{}, err
	}
	var key [32]byte
	_, _ = rand.Read(key[:])                                           // never fails
	data := s.sealer.Seal([]byte(keyMagic), nil, key[:], []byte(show)) //nolint:gosec // the sealer draws its own nonce
	err = s.bucket.WriteAll(ctx, name, data, &blob.WriterOptions{IfNotExist: true})
	if err != nil && gcerrors.Code(err) != gcerrors.FailedPrecondition {
		return [32]byte{}, fmt.Errorf("create: %w", err)
	}
	return s.read(ctx, show)
}

func (s *shows) destroy(ctx context.Context, show string) error {
	name, err := objectOf(show)
	if err != nil {
		return err
	}
	if err := s.bucket.WriteAll(ctx, name, []byte(tombstone), nil); err != nil {
		return fmt.Errorf("destroy the key of show %q: %w", show, err)
	}
	s.forget(show)
	return nil
}

func (s *shows) check(ctx context.Context) error {
	objects := s.bucket.List(&blob.ListOptions{Prefix: keyFolder})
	sealed := 0
	for range sampled {
		object, err := objects.Next(ctx)
		if err != nil {
			break // there are no more, or the bucket is away
		}
		data, err := s.bucket.ReadAll(ctx, object.Key)
		if err != nil {
			continue
		}
		switch _, err := s.open(strings.TrimPrefix(object.Key, keyFolder), data); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrDestroyed):
			sealed++
		}
	}
	if sealed > 0 {
		return ErrMaster
	}
	return nil
}
