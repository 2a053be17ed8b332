package flink

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
)

// IsWorker says whether a task manager started this program, and not a person.
func IsWorker(args []string) bool {
	return slices.ContainsFunc(args, func(a string) bool {
		return strings.HasPrefix(strings.TrimLeft(a, "-"), "provision_endpoint")
	})
}

// Work is the worker that task managers start: it folds what it is given until
// the job ends.
func Work(ctx context.Context, args []string, stderr io.Writer) error {
	set := flag.NewFlagSet("worker", flag.ContinueOnError)
	set.SetOutput(stderr)
	id := set.String("id", "", "the worker's id")
	provision := set.String("provision_endpoint", "", "where the rest is to be asked for")
	logging := set.String("logging_endpoint", "", "where to log")
	control := set.String("control_endpoint", "", "where work comes from")
	set.String("artifact_endpoint", "", "not used: nothing is staged")
	if err := set.Parse(args); err != nil {
		return err
	}
	if *id == "" || *provision == "" {
		return errors.New("worker: --id and --provision_endpoint are missing")
	}
	ctx = grpcx.WriteWorkerID(ctx, *id)
	info, err := tools.ProvisionInfo(ctx, *provision)
	if err != nil {
		return fmt.Errorf("worker %s: ask %s: %w", *id, *provision, err)
	}
	if at := info.GetLoggingEndpoint().GetUrl(); at != "" {
		*logging = at
	}
	if at := info.GetControlEndpoint().GetUrl(); at != "" {
		*control = at
	}
	err = harness.MainWithOptions(ctx, *logging, *control, harness.Options{
		RunnerCapabilities: info.GetRunnerCapabilities(), StatusEndpoint: info.GetStatusEndpoint().GetUrl(),
	})
	if err != nil {
		return fmt.Errorf("worker %s: %w", *id, err)
	}
	return nil
}
