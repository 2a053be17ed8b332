package process

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/search"
)

// NoSearch is the address that stands for no search engine, where an empty one
// has another meaning.
const NoSearch = "none"

// ValidateSearch refuses what is no address of a search engine.
func ValidateSearch(address config.Secret) error {
	a := address.Reveal()
	if a == "" || a == NoSearch {
		return nil
	}
	for _, scheme := range []string{"file:", "http://", "https://"} {
		if strings.HasPrefix(a, scheme) {
			return nil
		}
	}
	return fmt.Errorf("search: neither file:DIR nor http(s)://…, nor %s", NoSearch)
}

// OpenSearch gives the search engine at an address; nil for none. It is opened
// when it is first used, and again until it opens: an engine that is away, or an
// index that is damaged, must not keep the votes from being counted.
func (p *Process) OpenSearch(address config.Secret) (search.Store, error) {
	if err := ValidateSearch(address); err != nil {
		return nil, err
	}
	if a := address.Reveal(); a == "" || a == NoSearch {
		return nil, nil
	}
	s := &patientSearch{address: address, turn: make(chan struct{}, 1)}
	p.OnClose("search", s.Close)
	return s, nil
}

// patientSearch is a search engine that may not be there yet.
type patientSearch struct {
	address config.Secret
	turn    chan struct{} // held while store is looked at
	store   search.Store
	closed  bool
}

var _ search.Store = (*patientSearch)(nil)

var errClosed = errors.New("the search engine is closed")

func (s *patientSearch) open(ctx context.Context) (search.Store, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.closed {
		return nil, errClosed
	}
	if s.store == nil {
		store, err := search.Open(ctx, s.address.Reveal())
		if err != nil {
			return nil, err
		}
		s.store = store
	}
	return s.store, nil
}

func (s *patientSearch) do(ctx context.Context, act func(search.Store) error) error {
	store, err := s.open(ctx)
	if err != nil {
		return err
	}
	return act(store)
}

func (s *patientSearch) Begin(ctx context.Context, build string) error {
	return s.do(ctx, func(store search.Store) error { return store.Begin(ctx, build) })
}

func (s *patientSearch) Put(ctx context.Context, build string, docs []search.Doc) error {
	return s.do(ctx, func(store search.Store) error { return store.Put(ctx, build, docs) })
}

func (s *patientSearch) Publish(ctx context.Context, build string) error {
	return s.do(ctx, func(store search.Store) error { return store.Publish(ctx, build) })
}

func (s *patientSearch) Current(ctx context.Context) (build string, err error) {
	err = s.do(ctx, func(store search.Store) error { build, err = store.Current(ctx); return err })
	return build, err
}

func (s *patientSearch) Search(ctx context.Context, q search.Query) (page search.Page, err error) {
	err = s.do(ctx, func(store search.Store) error { page, err = store.Search(ctx, q); return err })
	return page, err
}

func (s *patientSearch) Get(ctx context.Context, id string) (doc search.Doc, err error) {
	err = s.do(ctx, func(store search.Store) error { doc, err = store.Get(ctx, id); return err })
	return doc, err
}

func (s *patientSearch) Expire(ctx context.Context, keep ...string) error {
	return s.do(ctx, func(store search.Store) error { return store.Expire(ctx, keep...) })
}

// Close waits for an opening under way.
func (s *patientSearch) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed = true
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}
