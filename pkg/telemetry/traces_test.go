package telemetry_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/clamor-live/clamor/pkg/telemetry"
)

// TestTraces sends spans to a collector that reads the protocol's own bytes.
func TestTraces(t *testing.T) {
	got := map[string][]string{} // service → spans
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		b, err := io.ReadAll(body)
		var sent collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/otlp/v1/traces" || proto.Unmarshal(b, &sent) != nil {
			t.Errorf("%s: %v", r.URL.Path, err)
			return
		}
		for _, resource := range sent.GetResourceSpans() {
			name := resource.GetResource().GetAttributes()[0].GetValue().GetStringValue()
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					got[name] = append(got[name], span.GetName())
				}
			}
		}
	}))
	defer server.Close()
	tracer, end, err := telemetry.NewTracer("test", telemetry.Traces{Endpoint: server.URL + "/otlp", Sample: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, run := tracer.Start(t.Context(), "run")
	_, step := tracer.Start(ctx, "step")
	step.End()
	run.End()
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"clamor-test": {"step", "run"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoTraces(t *testing.T) {
	tracer, end, err := telemetry.NewTracer("test", telemetry.DefaultTraces())
	if tracer != nil || err != nil || end() != nil {
		t.Errorf("%v, %v", tracer, err)
	}
}

func TestTracesAreChecked(t *testing.T) {
	for _, c := range []telemetry.Traces{
		{Sample: -0.1}, {Sample: 1.1}, {Endpoint: "collector:4318"}, {Endpoint: "ftp://collector"}, {Endpoint: "http://"},
	} {
		if c.Validate() == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	if err := (telemetry.Traces{Endpoint: "https://collector:4318", Sample: 1}).Validate(); err != nil {
		t.Error(err)
	}
}
