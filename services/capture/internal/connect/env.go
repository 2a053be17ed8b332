package connect

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/clamor-live/clamor/pkg/audience"
)

// Env is what a connector works with. Everything in it is set.
type Env struct {
	Now func() time.Time
	// HTTP has no timeout for whole answers, for streams are endless: a request's
	// context bounds it.
	HTTP   *http.Client
	Logger *slog.Logger
	// Source is the source's id, and Known says whether there is a source of an id:
	// what a connector leaves on its platform bears the name of its source.
	Source string
	Known  func(source string) bool
	// ReplayDir is the only folder that files are read from; empty: none.
	ReplayDir string
	// Topics are those that the source listens for: the ones it names, or all of
	// its show.
	Topics func() []audience.Topic
	// Track are words and phrases that these topics need: whatever a topic
	// matches has one of them, as long as its rule has such words at all. A
	// phrase's words stand in any order and place. #tags and @handles bear their
	// signs.
	Track func() []string
	// Changed is closed when Topics and Track may say something else. Ask for it
	// before them, so that no change falls between.
	Changed func() <-chan struct{}
}
