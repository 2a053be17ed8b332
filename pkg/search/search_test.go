package search_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/search/searchtest"
)

func TestMain(m *testing.M) {
	// Bleve's analysis workers are the process's: they start with it.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/blevesearch/bleve_index_api.AnalysisWorker"))
}

func openStore(t testing.TB, address string) search.Store {
	t.Helper()
	s, err := search.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestBleve(t *testing.T) {
	searchtest.Test(t, true, func(t *testing.T) func() search.Store {
		// The folder is locked by the one process that has it: one store for all.
		s := openStore(t, "file:"+filepath.Join(t.TempDir(), "new", "search"))
		return func() search.Store { return s }
	})
}

// TestElasticsearch needs CLAMOR_TEST_ELASTICSEARCH, an address without a prefix.
func TestElasticsearch(t *testing.T) {
	for _, analyzers := range []string{"standard", "language"} {
		t.Run(analyzers, func(t *testing.T) {
			searchtest.Test(t, analyzers == "language", func(t *testing.T) func() search.Store {
				address := elasticAddress(t) + "?analyzers=" + analyzers
				return func() search.Store { return openStore(t, address) }
			})
		})
	}
}

// elasticAddress is an address with a prefix of its own, whose indices go with
// the test.
func elasticAddress(t testing.TB) string {
	t.Helper()
	server := os.Getenv("CLAMOR_TEST_ELASTICSEARCH")
	if server == "" {
		t.Skip("CLAMOR_TEST_ELASTICSEARCH is not set")
	}
	prefix := fmt.Sprintf("clamor_test_%d", time.Now().UnixNano())
	t.Cleanup(func() { dropIndices(t, server, prefix) })
	return strings.TrimRight(server, "/") + "/" + prefix
}

func dropIndices(t testing.TB, server, prefix string) {
	t.Helper()
	var indices map[string]any
	if err := json.Unmarshal(call(t, http.MethodGet, server+"/"+prefix+"-*/_alias"), &indices); err != nil {
		t.Error(err)
	}
	for name := range indices {
		call(t, http.MethodDelete, server+"/"+name)
	}
}

func call(t testing.TB, method, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return b
}
