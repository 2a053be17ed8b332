package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/control"
	"github.com/clamor-live/clamor/pkg/keys"
	"github.com/clamor-live/clamor/pkg/search"
	"github.com/clamor-live/clamor/pkg/speed"
	"github.com/clamor-live/clamor/pkg/views"
)

// Control is the registry; *control.Client.
type Control interface {
	State() *control.State
	Changed() <-chan struct{}
	Submit(ctx context.Context, e control.Event) (control.Verdict, error)
}

// Speed is the speed view; *speed.Store. It is read by the refresher and for
// receipts, never for a feed's request.
type Speed interface {
	Position(ctx context.Context, topic string, partition int32) (speed.Position, error)
	Read(ctx context.Context, topic string, partition int32, fromEpoch uint64) (speed.Slice, error)
	ReadSeries(ctx context.Context, topic string, partition int32, fromEpoch uint64) (speed.Slice, error)
	JournalSince(ctx context.Context, topic string, partition int32, round audience.RoundKey, index, incarnation int64) (entries [][]byte, next int64, err error)
	ReadMinutes(ctx context.Context, log string, partition int32, fromEpoch uint64, since speed.Position) (speed.Minutes, error)
	Recent(ctx context.Context, log string, partition int32, topic string, limit int) ([]speed.RecentPost, error)
}

// Views is what batch published; views.Store.
type Views interface {
	Generation(ctx context.Context, number uint64) (*views.Generation, error)
	Generations(ctx context.Context, limit int) ([]views.Generation, error)
	Sealed(ctx context.Context, key audience.RoundKey) (*views.SealedRound, error)
	Run(ctx context.Context, id string) (views.Run, error)
	Runs(ctx context.Context, limit int) ([]views.Run, error)
	Pieces(ctx context.Context, ids []views.PieceID) (map[views.PieceID][]byte, error)
}

// Search finds posts by their text; search.Store.
type Search interface {
	Search(ctx context.Context, q search.Query) (search.Page, error)
	Get(ctx context.Context, id string) (search.Doc, error)
}

// Archive holds what was drawn from sealed rounds; *archive.Archive.
type Archive interface {
	Certificate(ctx context.Context, key audience.RoundKey) ([]byte, error)
	Receipt(ctx context.Context, key audience.RoundKey, partition int32, mark uint64) (outcome uint8, found bool, err error)
}

// Log tells how far the log reaches; *eventlog.Log.
type Log interface {
	Bounds(ctx context.Context, topic string, partition int32) (oldest, next int64, err error)
	Partitions(topic string) int
}

// Receipts reads receipts; *keys.Ring.
type Receipts interface {
	ParseReceipt(text string) (keys.Receipt, error)
}

// Secrets encrypts what is given to us in confidence; *keys.Ring.
type Secrets interface {
	Seal(source, setting, secret string) string
}

// Board is where capture tells how sources fare; *speed.Store.
type Board interface {
	Sources(ctx context.Context, ids []string) (map[string][]audience.SourceStatus, error)
}

// Pages are the pages for people; the console's.
type Pages interface {
	// Page renders the page of that name (home, voter, overlay, topic) for data.
	Page(name string, data any) ([]byte, error)
	// Asset is a script or style of the pages.
	Asset(name string) (contentType string, body []byte, ok bool)
}

// Deps are the clients that a Service works with; it closes none of them.
type Deps struct {
	Control  Control
	Speed    Speed
	Views    Views
	Archive  Archive
	Search   Search // nil: posts are not searched
	Log      Log
	Receipts Receipts
	Secrets  Secrets // nil: sources with secrets are not taken
	Board    Board   // nil: how sources fare is not told
	Pages    Pages
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
	Tracer   trace.Tracer // nil: nothing is traced
	Now      func() time.Time
	Version  string
}
