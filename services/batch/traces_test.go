package batch

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestARunIsTraced(t *testing.T) {
	r := newRig(t, brokers(t))
	seen := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(seen))
	defer func() { r.check(provider.Shutdown(t.Context())) }()
	r.deps.Tracer = provider.Tracer("test")
	r.run()
	spans := seen.GetSpans()
	var got []string
	for _, s := range spans {
		got = append(got, s.Name)
		if whole := spans[len(spans)-1]; s.SpanContext.TraceID() != whole.SpanContext.TraceID() {
			t.Errorf("%s is in a trace of its own", s.Name)
		}
	}
	if diff := cmp.Diff([]string{"cut", "archive", "recompute", "publish", "expire", "batch run"}, got); diff != "" {
		t.Error(diff)
	}
}
