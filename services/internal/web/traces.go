package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// traced makes a span of a request, within the caller's trace if it names one
// (W3C Trace Context). It is named by the route and never by the path, which
// may hold a destination's token.
func traced(tracer trace.Tracer) gin.HandlerFunc {
	var callers propagation.TraceContext
	return func(c *gin.Context) {
		route := c.FullPath()
		if route == "" {
			route = "other"
		}
		method := boundedMethod(c.Request.Method)
		ctx := callers.Extract(c.Request.Context(), propagation.HeaderCarrier(c.Request.Header))
		ctx, span := tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", method), attribute.String("http.route", route),
			attribute.String("clamor.request_id", RequestID(c))))
		returned := false
		defer func() {
			if !returned {
				span.SetStatus(codes.Error, "panic")
			}
			span.End()
		}()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
		returned = true
		status := c.Writer.Status()
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, fmt.Sprint(status))
		}
	}
}
