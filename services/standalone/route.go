package standalone

import (
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/clamor-live/clamor/pkg/fault"
	"github.com/clamor-live/clamor/pkg/run"
)

// route sends a request to the doors of capture or to the API, as an ingress
// does in the cluster: by path.
func route(capture, api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isDoor(r.URL.EscapedPath()) {
			capture.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// isDoor says whether capture serves the path: with every method, so that a wrong
// one is answered by who knows the right one. Escaped slashes stay inside their
// element.
func isDoor(path string) bool {
	rest, ok := strings.CutPrefix(path, "/v1/")
	if !ok {
		return false
	}
	kind, rest, _ := strings.Cut(rest, "/")
	id, door, _ := strings.Cut(rest, "/")
	switch kind {
	case "voters":
		return rest == ""
	case "hooks":
		return id != "" && door == ""
	case "polls":
		return id != "" && (door == "ballots" || door == "ballots:batch" || door == "ballots%3Abatch" || door == "ballots%3abatch")
	case "sources":
		return id != "" && door == "posts"
	}
	return false
}

// gate holds requests back until ready is closed: a screen that asks while the
// process starts gets its answer late, instead of an error on air.
func gate(ready <-chan struct{}, next http.Handler) http.Handler {
	const patience = 20 * time.Second
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-ready:
			next.ServeHTTP(w, r)
			return
		default:
		}
		late := time.NewTimer(patience)
		defer late.Stop()
		select {
		case <-ready:
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		case <-run.Draining(r.Context()):
			fault.Write(w, uuid.NewString(), fault.New(fault.Unavailable, "the process stops").After(time.Second))
		case <-late.C:
			fault.Write(w, uuid.NewString(), fault.New(fault.Unavailable, "the views are not merged yet; see /readyz on the admin listener").After(time.Second))
		}
	})
}
