package process_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/clamor-live/clamor/pkg/config"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/services/internal/process"
)

func TestASearchEngineIsWaitedFor(t *testing.T) {
	p, err := process.New("test", quiet(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	obstacle := filepath.Join(t.TempDir(), "search")
	if err := os.WriteFile(obstacle, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := p.OpenSearch(config.Secret("file:" + obstacle))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Current(t.Context()); err == nil {
		t.Fatal("a folder that is none was opened")
	}
	if err := os.Remove(obstacle); err != nil {
		t.Fatal(err)
	}
	if err := s.Begin(t.Context(), "b1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "b1", []search.Doc{{ID: "x:1", Text: "gol"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(t.Context(), "b1"); err != nil {
		t.Fatal(err)
	}
	if build, err := s.Current(t.Context()); err != nil || build != "b1" {
		t.Errorf("%q, %v", build, err)
	}
	if page, err := s.Search(t.Context(), search.Query{Text: "gol"}); err != nil || page.Total != 1 {
		t.Errorf("%+v, %v", page, err)
	}
	if _, err := s.Get(t.Context(), "x:1"); err != nil {
		t.Error(err)
	}
	if err := s.Expire(t.Context()); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Current(t.Context()); err == nil {
		t.Error("it is used after its end")
	}
}

func TestSearchAddresses(t *testing.T) {
	p, err := process.New("test", quiet(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for address, there := range map[config.Secret]bool{"": false, process.NoSearch: false, "http://127.0.0.1:1": true} {
		if s, err := p.OpenSearch(address); err != nil || (s != nil) != there {
			t.Errorf("%q: %v, %v", address.Reveal(), s, err)
		}
	}
	if _, err := p.OpenSearch("bleve"); err == nil {
		t.Error("no address is taken for one")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
