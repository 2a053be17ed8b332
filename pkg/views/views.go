// Package views keeps what batch publishes: complete, immutable generations of
// the batch view with the pieces that they share, the sealed rounds with their
// certificates, and how the runs went.
//
// Its one trick is that a generation becomes current by one insertion behind
// everything it consists of, so a reader holds all of n or all of n-1, and the
// same number cannot be published twice.
package views

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/clamor-live/clamor/pkg/audience"
	"github.com/clamor-live/clamor/pkg/tally"
)

var (
	// ErrNotFound says that there is no such generation, sealed round or run.
	ErrNotFound = errors.New("not found in the views store")
	// ErrPublished says that the generation's number, or a later one, is taken.
	ErrPublished = errors.New("that generation or a later one is already published")
)

// Store keeps generations, their pieces, sealed rounds and runs.
//
// Batch's leader writes, every API instance reads; all methods are safe for
// concurrent use and return when the store has answered. A result is the
// caller's to keep and change.
type Store interface {
	// Publish makes g current, together with the rounds it seals: readers see
	// all of it or nothing. It is refused with ErrPublished unless g.Number is
	// above the current number; of two publishers of one number, one wins. A
	// publication that was cut short leaves nothing to be seen and does not
	// hinder the next. A round already sealed keeps its first seal.
	Publish(ctx context.Context, g *Generation, sealed []SealedRound) error
	// Current is the number of the current generation, 0 before the first.
	Current(ctx context.Context) (uint64, error)
	// Generation reads one generation whole; ErrNotFound when it was never
	// published or has expired.
	Generation(ctx context.Context, number uint64) (*Generation, error)
	// Generations lists the newest ones, newest first, without their rounds.
	Generations(ctx context.Context, limit int) ([]Generation, error)
	// Sealed reads a sealed round; ErrNotFound when it is not sealed. Sealed
	// rounds do not expire.
	Sealed(ctx context.Context, key audience.RoundKey) (*SealedRound, error)
	// PutPieces keeps pieces for the generation of that number, which is to be
	// published next; pieces that are there already are no error, and a put that
	// was cut short is repeated without harm. A generation may refer to the pieces
	// put for it and to those that the current generation refers to.
	PutPieces(ctx context.Context, number uint64, pieces []Piece) error
	// Pieces reads pieces, each once however often it is named; ErrNotFound when
	// one of them is not there.
	Pieces(ctx context.Context, ids []PieceID) (map[PieceID][]byte, error)
	// Expire drops the generations with numbers below, never the current one,
	// what interrupted publications left behind, and the pieces that no
	// generation left refers to; pieces put for a generation that is not
	// published yet stay.
	Expire(ctx context.Context, below uint64) error
	// SaveRun writes how a run stands, in the place of what it said before.
	SaveRun(ctx context.Context, run Run) error
	// Run reads one run; ErrNotFound when there is none of that id.
	Run(ctx context.Context, id string) (Run, error)
	// Runs lists the newest runs, newest first.
	Runs(ctx context.Context, limit int) ([]Run, error)
	Close() error
}

// Generation is one complete batch view: the sum of all deltas of all epochs
// below its number.
type Generation struct {
	Number    uint64
	CreatedAt audience.Millis
	Run       string
	// Offsets are where each ballots partition was cut: the first offset that
	// the view does not hold.
	Offsets map[int32]int64
	// FloorEpoch is the first epoch that holds a record of an unsealed round,
	// Floors the offsets at which it begins.
	FloorEpoch uint64
	Floors     map[int32]int64
	// Rows are the archive rows it was folded from.
	Rows int64
	// Agreed says whether the speed view agreed at the cut: yes, no or unknown.
	Agreed string
	// Differences name where it did not, a few of them.
	Differences []string
	// Rounds are the unsealed rounds and those sealed by this cut.
	Rounds tally.View
	// LateAfterSeal are the ballots that came after their round was sealed.
	LateAfterSeal map[audience.RoundKey]int64
	// Seals are the rounds sealed by this cut.
	Seals []audience.RoundKey
	// Topics are what was heard of each topic, up to PostCut.
	Topics []TopicRef
	// Unheard are how many epochs before Number are not in Topics: posts stand still
	// while segments of theirs are lost, and ballots go on.
	Unheard uint64
	// Build names the models and rules that the posts were understood with.
	Build string
	// PostOffsets are where each posts partition was cut by PostCut, PostRows the
	// archive rows read of the epochs that were folded for this generation.
	PostOffsets map[int32]int64
	PostRows    int64
	// Searched is the last generation whose posts can all be searched for; it is
	// below Number when the search engine was away.
	Searched uint64
}

// PostCut is the cut up to which posts are in the view: what came behind it is in
// the speed view's epochs from that number on.
func (g *Generation) PostCut() uint64 { return g.Number - min(g.Number, g.Unheard) }

// TopicRef is where to find what was heard of one revision of a topic.
type TopicRef struct {
	Topic    string `json:"topic"`
	Revision uint64 `json:"revision"`
	// Fingerprint names the rule, the models and whatever else decides what is
	// counted: equal ones count alike.
	Fingerprint string `json:"fingerprint"`
	// Manifest leads to the minutes, see ReadMinutes.
	Manifest PieceID `json:"manifest"`
	// Complete says that the minutes go back to the first post there is.
	Complete bool `json:"complete"`
}

// The values of Generation.Agreed.
const (
	AgreedYes     = "yes"
	AgreedNo      = "no"
	AgreedUnknown = "unknown"
)

// SealedRound is a round counted once more, certified and frozen.
type SealedRound struct {
	Key        audience.RoundKey
	Generation uint64
	SealedAt   audience.Millis
	Round      *tally.Round
	// Certificate is the signed statement as JSON.
	Certificate []byte
}

// Run is how a batch run stands.
type Run struct {
	ID    string `json:"run"`
	State string `json:"state"` // queued, running, done, failed
	// Trigger is schedule, request or resume.
	Trigger    string          `json:"trigger,omitempty"`
	StartedAt  audience.Millis `json:"started_at,omitzero"`
	FinishedAt audience.Millis `json:"finished_at,omitzero"`
	Steps      []Step          `json:"steps"`
	Generation uint64          `json:"generation,omitempty"`
	Agreed     string          `json:"agreed,omitempty"`
	// Warnings are what the run found wrong and went on over.
	Warnings []string `json:"warnings,omitempty"`
	Error    string   `json:"error,omitempty"`
}

// Step is one of a run's five steps.
type Step struct {
	Name       string          `json:"name"` // cut, archive, recompute, publish, expire
	State      string          `json:"state"`
	StartedAt  audience.Millis `json:"started_at,omitzero"`
	FinishedAt audience.Millis `json:"finished_at,omitzero"`
	// Done and Total are rows, segments or partitions, as Unit says.
	Done  int64  `json:"done"`
	Total int64  `json:"total,omitempty"`
	Unit  string `json:"unit,omitempty"`
}

// The states of a run and its steps.
const (
	Queued  = "queued"
	Running = "running"
	Done    = "done"
	Failed  = "failed"
)

// Open opens the store at address: file:PATH (one bbolt file) or mongodb://….
func Open(ctx context.Context, address string) (Store, error) {
	switch {
	case strings.HasPrefix(address, "mongodb://"), strings.HasPrefix(address, "mongodb+srv://"):
		return openMongo(ctx, address)
	case strings.HasPrefix(address, "file:"):
		return openBolt(strings.TrimPrefix(strings.TrimPrefix(address, "file:"), "//"))
	}
	scheme, _, _ := strings.Cut(address, ":")
	return nil, fmt.Errorf("open views: %q is neither file:PATH nor mongodb://…", scheme)
}
