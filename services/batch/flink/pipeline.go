package flink

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/clamor-live/clamor/pkg/archive"
	"github.com/clamor-live/clamor/services/batch/fold"
)

// Beam finds functions by the names they are registered under, in the program
// that submits and in the workers alike, before either begins.
func init() {
	register.DoFn2x1[context.Context, int64, error](&foldFn{})
}

// foldFn folds a partition and writes the result. Its fields travel to the
// workers.
type foldFn struct {
	Archive string
	Results string
	Job     []byte
}

// ProcessElement is called with the number of a partition, more than once if
// the cluster sees fit.
func (f *foldFn) ProcessElement(ctx context.Context, partition int64) error {
	var job fold.Job
	if err := json.Unmarshal(f.Job, &job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	a, err := archive.OpenExisting(ctx, f.Archive)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	part, err := fold.Fold(ctx, a, job, int32(partition))
	if err != nil {
		return err
	}
	body, err := fold.Encode(part)
	if err != nil {
		return err
	}
	return a.Put(ctx, resultPath(f.Results, part.Partition), body)
}

// Init readies Beam. It is called once, by main, after flags are read.
func Init() { beam.Init() }

// pipeline is: numbers of partitions, spread over the workers, each folded.
func pipeline(fn *foldFn, partitions int, environment *pipepb.Environment) (*pipepb.Pipeline, error) {
	p, scope := beam.NewPipelineWithRoot()
	numbers := make([]int64, partitions)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	spread := beam.Reshuffle(scope, beam.CreateList(scope, numbers))
	beam.ParDo0(scope, fn, spread)
	edges, _, err := p.Build()
	if err != nil {
		return nil, fmt.Errorf("build the pipeline: %w", err)
	}
	proto, err := graphx.Marshal(edges, &graphx.Options{Environment: environment})
	if err != nil {
		return nil, fmt.Errorf("build the pipeline: %w", err)
	}
	return proto, nil
}

// environment says how workers come to be. Its dependencies are left out: each
// job would leave another copy of this program behind on the cluster.
func environment(ctx context.Context, cfg Config, loopback string) (*pipepb.Environment, error) {
	urn, text := graphx.URNEnvExternal, loopback
	if cfg.Command != "" {
		command, err := json.Marshal(map[string]string{"command": cfg.Command})
		if err != nil {
			return nil, err
		}
		urn, text = graphx.URNEnvProcess, string(command)
	}
	e, err := graphx.CreateEnvironment(ctx, urn, func(context.Context) string { return text })
	if err != nil {
		return nil, fmt.Errorf("describe the workers: %w", err)
	}
	e.Dependencies = nil
	return e, nil
}
