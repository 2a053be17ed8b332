package connect

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// Logger is l without the source's secrets, whoever writes to it: connectors log
// the errors of libraries, and these repeat addresses with tokens in them.
func (a *Account) Logger(l *slog.Logger) *slog.Logger {
	return slog.New(&masked{next: l.Handler(), hide: a.hide})
}

// masked is a handler that hides secrets in values. Messages are constants.
type masked struct {
	next slog.Handler
	hide *strings.Replacer
}

func (m *masked) Enabled(ctx context.Context, level slog.Level) bool {
	return m.next.Enabled(ctx, level)
}

func (m *masked) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(at slog.Attr) bool {
		out.AddAttrs(m.attr(at))
		return true
	})
	return m.next.Handle(ctx, out)
}

func (m *masked) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &masked{m.next.WithAttrs(m.all(attrs)), m.hide}
}

func (m *masked) WithGroup(name string) slog.Handler { return &masked{m.next.WithGroup(name), m.hide} }

// attr hides secrets in a value, whose form is kept as long as there is none.
func (m *masked) attr(at slog.Attr) slog.Attr {
	v := at.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		return slog.Attr{Key: at.Key, Value: slog.GroupValue(m.all(v.Group())...)}
	case slog.KindString, slog.KindAny:
		text := fmt.Sprint(v.Any())
		if hidden := m.hide.Replace(text); hidden != text {
			return slog.String(at.Key, hidden)
		}
	}
	return at
}

func (m *masked) all(attrs []slog.Attr) []slog.Attr {
	hidden := make([]slog.Attr, len(attrs))
	for i, at := range attrs {
		hidden[i] = m.attr(at)
	}
	return hidden
}
