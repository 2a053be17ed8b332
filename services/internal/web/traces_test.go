package web_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/clamor-live/clamor/services/internal/web"
)

// TestSpans: one a request, in its caller's trace, and no path in it.
func TestSpans(t *testing.T) {
	seen := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(seen))
	defer func() { _ = provider.Shutdown(context.Background()) }()
	e, _, _ := engine(t, web.Config{Tracer: provider.Tracer("test")})
	const caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" // W3C Trace Context's example
	ask(e, "GET", "/ok/secret", "", "traceparent", caller)
	ask(e, "GET", "/broken", "", "traceparent", caller)
	ask(e, "GET", "/panic", "", "traceparent", caller)
	ask(e, "GET", "/nowhere/secret", "", "traceparent", caller)
	var got []string
	for _, s := range seen.GetSpans() {
		status := int64(0)
		for _, a := range s.Attributes {
			if a.Key == "http.response.status_code" {
				status = a.Value.AsInt64()
			}
		}
		got = append(got, fmt.Sprint(s.Name, " ", status, " ", s.Status.Code, " ", s.SpanContext.TraceID()))
	}
	want := []string{
		"GET /ok/:id 200 Unset 4bf92f3577b34da6a3ce929d0e0e4736",
		"GET /broken 500 Error 4bf92f3577b34da6a3ce929d0e0e4736",
		"GET /panic 0 Error 4bf92f3577b34da6a3ce929d0e0e4736",
		"GET other 404 Unset 4bf92f3577b34da6a3ce929d0e0e4736",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
