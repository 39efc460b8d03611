package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/goeasyauth/easyauth/session"
)

// ear hears every log record and event, and none may hold a token (I18).
type ear struct{ w *world }

// Enabled implements [slog.Handler].
func (*ear) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (e *ear) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteByte(' ')
		b.WriteString(a.Key)
		b.WriteByte('=')
		b.WriteString(a.Value.Resolve().String())
		return true
	})
	e.w.listen("log", b.String())
	return nil
}

// WithAttrs implements [slog.Handler].
func (e *ear) WithAttrs([]slog.Attr) slog.Handler { return e }

// WithGroup implements [slog.Handler].
func (e *ear) WithGroup(string) slog.Handler { return e }

func (w *world) listen(what, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.Contains(text, canary) {
		w.breach("I18", "a token in a %s: %s", what, text)
	}
	w.note("%s: %s", what, text)
}

// hear is called by every hook.
func (w *world) hear(r *replica, name string, e session.Event) {
	w.listen("hook", fmt.Sprintf("%s %s %+v", r.name, name, e))
	w.count("event: " + name)
	if e.Reason != "" && !slices.Contains(session.Reasons(), e.Reason) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.breach("I18", "%s tells of %q for a reason that is not on the list: %q", r.name, name, e.Reason)
	}
}
