package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// outcomes keeps what the hooks are told and what the log says of it.
type outcomes struct {
	mu           sync.Mutex
	told, logged []string
}

func (o *outcomes) hook(name string) func(context.Context, session.Event) {
	return func(_ context.Context, e session.Event) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.told = append(o.told, strings.TrimSpace(name+" "+string(e.Reason)))
	}
}

// Handle implements slog.Handler.
func (o *outcomes) Handle(_ context.Context, r slog.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "reason" {
			text += " " + a.Value.String()
		}
		return true
	})
	o.logged = append(o.logged, text)
	return nil
}

func (o *outcomes) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }
func (o *outcomes) WithAttrs([]slog.Attr) slog.Handler           { return o }
func (o *outcomes) WithGroup(string) slog.Handler                { return o }

// A sign-in that fails is told once and logged once, with one reason out of the
// closed list; one that works, too.
func TestEachSignInIsToldOnceAndLoggedOnce(t *testing.T) {
	finish := func(v *visitor, state string) { v.get(callbackPath + "?code=alice&state=" + state) }
	failing := func(k providers.Kind) *stub { return &stub{name: "aad", failure: &providers.Error{Kind: k}} }
	for _, tt := range []struct {
		name   string
		stub   *stub
		do     func(t *testing.T, s *site, v *visitor)
		told   string
		logged string
	}{
		{name: "signed in", do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "Started", logged: "signed in"},
		{name: "declined", stub: failing(providers.Denied), do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "LoginFailed sign_in_denied", logged: "sign-in refused sign_in_denied"},
		{name: "forged", stub: failing(providers.Invalid), do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "LoginFailed sign_in_invalid", logged: "sign-in refused sign_in_invalid"},
		{name: "not allowed", stub: failing(providers.NotAllowed), do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "LoginFailed forbidden", logged: "sign-in refused forbidden"},
		{name: "application rejected", stub: failing(providers.Misconfigured), do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "LoginFailed provider_misconfigured", logged: "sign-in refused provider_misconfigured"},
		{name: "provider down", stub: failing(providers.NotSent), do: func(t *testing.T, s *site, v *visitor) { finish(v, v.begin(t, "/.auth/login/aad")) },
			told: "LoginFailed provider_unavailable", logged: "sign-in refused provider_unavailable"},
		{name: "provider down at the beginning", stub: &stub{name: "aad", unready: &providers.Error{Kind: providers.Unready}},
			do:   func(t *testing.T, s *site, v *visitor) { v.get("/.auth/login/aad") },
			told: "LoginFailed provider_unavailable", logged: "sign-in not begun provider_unavailable"},
		{name: "parameters that the provider cannot take", stub: &stub{name: "aad", unready: &providers.Error{Kind: providers.Invalid}},
			do:   func(t *testing.T, s *site, v *visitor) { v.get("/.auth/login/aad?x=y") },
			told: "LoginFailed bad_request", logged: "sign-in not begun bad_request"},
		{name: "no attempt", do: func(t *testing.T, s *site, v *visitor) { finish(v, "invented") },
			told: "LoginFailed attempt_unknown", logged: "sign-in refused attempt_unknown"},
		{name: "malformed", do: func(t *testing.T, s *site, v *visitor) { v.get(callbackPath + "?code=a&code=b") },
			told: "LoginFailed bad_request", logged: "sign-in refused bad_request"},
		{name: "another content type", do: func(t *testing.T, s *site, v *visitor) {
			v.post(callbackPath, url.Values{}, "Content-Type", "application/json")
		}, told: "LoginFailed unsupported_media_type", logged: "sign-in refused unsupported_media_type"},
		{name: "too large", do: func(t *testing.T, s *site, v *visitor) {
			v.post(callbackPath, url.Values{"code": {strings.Repeat("c", 65<<10)}})
		}, told: "LoginFailed too_large", logged: "sign-in refused too_large"},
		{name: "used before", do: func(t *testing.T, s *site, v *visitor) {
			state := v.begin(t, "/.auth/login/aad")
			s.sessions.Spend(t.Context(), providers.FlowID(state), time.Now().Add(time.Hour))
			finish(v, state)
		}, told: "LoginFailed attempt_used", logged: "sign-in refused attempt_used"},
		{name: "too late", do: func(t *testing.T, s *site, v *visitor) {
			v.cookies["__Host-easyauth-retried"] = "1"
			state := v.begin(t, "/.auth/login/aad")
			time.Sleep(providers.FlowLifetime + time.Second)
			finish(v, state)
		}, told: "LoginFailed attempt_expired", logged: "sign-in refused attempt_expired"},
		{name: "store down", do: func(t *testing.T, s *site, v *visitor) {
			state := v.begin(t, "/.auth/login/aad")
			s.faulty.Fail(errors.New("connection refused"))
			finish(v, state)
		}, told: "LoginFailed store_unavailable", logged: "sign-in refused store_unavailable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var o outcomes
				s := newSite(t, setup{stub: tt.stub, logger: slog.New(&o),
					sessions: session.Config{Hooks: session.Hooks{Started: o.hook("Started"), LoginFailed: o.hook("LoginFailed")}}})
				tt.do(t, s, s.visitor())
				if !slices.Equal(o.told, []string{tt.told}) {
					t.Errorf("hooks told %q, want %q", o.told, tt.told)
				}
				if !slices.Equal(o.logged, []string{tt.logged}) {
					t.Errorf("the log says %q, want %q", o.logged, tt.logged)
				}
				if _, reason, _ := strings.Cut(tt.told, " "); reason != "" && !slices.Contains(session.Reasons(), session.Reason(reason)) {
					t.Errorf("%q is not in the closed list", reason)
				}
			})
		})
	}
}
