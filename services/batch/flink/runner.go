// Package flink recomputes on an Apache Flink cluster, through Apache Beam, when
// one machine is too small. It is the same fold of the same segments; Flink only
// chooses where each partition is folded.
//
// Its one trick is that Beam never sees a ballot: the elements are numbers of
// partitions, and the results are files in the archive's bucket that appear
// whole or not at all. So a retry, a second attempt and a job that outlives its
// job server are all harmless.
//
// Beam adds some 70 MB to a program; only the batch-flink command imports this.
package flink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/pkg/sleep"
	"github.com/clamor-live/clamor/services/batch"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// Runner submits one Beam job for each recomputation.
type Runner struct {
	cfg Config
	log *slog.Logger
}

var _ batch.Runner = (*Runner)(nil)

// New makes a runner; Init must have been called.
func New(cfg Config, log *slog.Logger) (*Runner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Runner{cfg: cfg, log: log}, nil
}

// Recompute folds every partition on the cluster. The archive's address must
// mean the same there: a bucket, or a shared folder.
func (r *Runner) Recompute(ctx context.Context, a *archive.Archive, job fold.Job, partitions int, done func(*fold.Part)) ([]*fold.Part, error) {
	if strings.HasPrefix(a.String(), "mem:") {
		return nil, errors.New("recompute on flink: other machines cannot read an archive in memory")
	}
	spec, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	results := resultsOf(spec, partitions)
	if err := discard(ctx, a, results, partitions); err != nil {
		return nil, err
	}
	jobErr := r.execute(ctx, &foldFn{Archive: a.String(), Results: results, Job: spec}, partitions)
	if jobErr != nil && !errors.Is(jobErr, errLost) {
		return nil, fmt.Errorf("recompute on flink: %w", jobErr)
	}
	parts, err := r.collect(ctx, a, results, partitions, jobErr, done)
	if err != nil {
		return nil, fmt.Errorf("recompute on flink: %w", err)
	}
	return parts, discard(ctx, a, results, partitions)
}

// resultsOf names the folder of a job's results: the same job, the same folder.
func resultsOf(spec []byte, partitions int) string {
	sum := sha256.Sum256(append(spec, strconv.Itoa(partitions)...))
	return "work/" + hex.EncodeToString(sum[:8])
}

func resultPath(results string, partition int32) string {
	return fmt.Sprintf("%s/partition=%d.json", results, partition)
}

func discard(ctx context.Context, a *archive.Archive, results string, partitions int) error {
	for p := range int32(partitions) {
		if err := a.Delete(ctx, resultPath(results, p)); err != nil {
			return err
		}
	}
	return nil
}

// collect reads the results; when the job server was lost it waits for them.
func (r *Runner) collect(ctx context.Context, a *archive.Archive, results string, partitions int, lost error, done func(*fold.Part)) ([]*fold.Part, error) {
	deadline := time.Now().Add(r.cfg.Patience)
	var parts []*fold.Part
	for p := int32(0); int(p) < partitions; {
		body, err := a.Get(ctx, resultPath(results, p))
		if errors.Is(err, archive.ErrNotFound) && lost != nil && time.Now().Before(deadline) {
			if err := sleep.For(ctx, time.Second); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, errors.Join(err, lost)
		}
		part, err := fold.Decode(body)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		done(part)
		p++
	}
	return parts, nil
}
