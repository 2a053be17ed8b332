package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/search"
)

// fillings say how far the index of each build is filled. They are noted beside
// the archive, for the engine cannot tell.
type fillings map[string]filling

type filling struct {
	// Next is the first epoch whose posts are not in the index.
	Next uint64 `json:"next"`
	// Read says that the index was the one that is read.
	Read bool `json:"read,omitempty"`
}

const fillingsPath = "state/search.json"

// readFillings also gives the build that is read. An engine that reads none of
// those that it did has lost them.
func (s *Service) readFillings(ctx context.Context) (note fillings, read string, err error) {
	read, err = s.d.Search.Current(ctx)
	if err != nil && !errors.Is(err, search.ErrDamaged) {
		return nil, "", err
	}
	note = fillings{}
	body, err := s.d.Archive.Get(ctx, fillingsPath)
	if errors.Is(err, archive.ErrNotFound) {
		return note, read, nil
	}
	if err != nil {
		return nil, "", err
	}
	if json.Unmarshal(body, &note) != nil {
		note = fillings{} // they are filled again
	}
	maps.DeleteFunc(note, func(build string, f filling) bool { return f.Read && build != read })
	return note, read, nil
}

func (s *Service) noteFillings(ctx context.Context, note fillings) error {
	body, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("note how far the search engine is filled: %w", err)
	}
	return s.d.Archive.Put(ctx, fillingsPath, body)
}
