package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Traces says where traces go, and how many.
type Traces struct {
	Endpoint string  `doc:"where traces are sent, an OTLP endpoint over HTTP such as http://collector:4318; empty: there are none"`
	Sample   float64 `doc:"the share of requests that are traced, 0 to 1; a caller's own decision goes before"`
}

// DefaultTraces sends none; with an endpoint, a hundredth of the requests.
func DefaultTraces() Traces { return Traces{Sample: 0.01} }

// Validate names the first fault.
func (c Traces) Validate() error {
	if c.Sample < 0 || c.Sample > 1 {
		return fmt.Errorf("traces.sample: %v is not a share of 0 to 1", c.Sample)
	}
	if c.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("traces.endpoint: it is no http or https URL")
	}
	return nil
}

const (
	// exportWait bounds the wait for a collector, at the end of a process too.
	exportWait = 5 * time.Second
	// queuedSpans is how many wait for the collector; what comes beyond is dropped.
	queuedSpans = 4096
)

// NewTracer returns a tracer of a program, nil when nothing is traced, and what
// sends off its last spans. A collector that is away costs traces and nothing
// else.
func NewTracer(program string, cfg Traces) (trace.Tracer, func() error, error) {
	if cfg.Endpoint == "" {
		return nil, func() error { return nil }, nil
	}
	at, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return nil, nil, fmt.Errorf("read the endpoint of traces: %w", err)
	}
	exporter, err := otlptracehttp.New(context.Background(), // it dials when it sends
		otlptracehttp.WithEndpointURL(at.JoinPath("v1", "traces").String()),
		otlptracehttp.WithTimeout(exportWait),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, nil, fmt.Errorf("make the exporter of traces: %w", err)
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(queuedSpans), sdk.WithExportTimeout(exportWait)),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(cfg.Sample))),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "clamor-"+program))),
	)
	end := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), exportWait)
		defer cancel()
		return provider.Shutdown(ctx)
	}
	return provider.Tracer("github.com/clamor-live/clamor"), end, nil
}
