package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

func TestTokenRefusalsSayWhatToDo(t *testing.T) {
	for name, row := range map[string]struct {
		err        error
		status     int
		code       string
		reason     string
		retryAfter int
	}{
		"revoked":        {&grant.ReauthError{Reason: "revoked"}, 401, "reauth_required", "revoked", 0},
		"never granted":  {grant.ErrNoRefreshToken, 401, "reauth_required", "no_refresh_token", 0},
		"not supported":  {grant.ErrUnsupported, 401, "reauth_required", "no_refresh_token", 0},
		"session ended":  {grant.ErrSessionEnded, 401, "session_ended", "", 0},
		"provider busy":  {&grant.TransientError{RetryAfter: 1500 * time.Millisecond, Reason: "busy"}, 503, "temporarily_unavailable", "busy", 2},
		"no wait told":   {&grant.TransientError{Reason: "held"}, 503, "temporarily_unavailable", "held", 1},
		"store down":     {fmt.Errorf("look: %w", grant.ErrStore), 503, "temporarily_unavailable", "", 1},
		"misconfigured":  {grant.ErrMisconfigured, 502, "provider_misconfigured", "", 0},
		"something else": {errors.New("oops"), 503, "temporarily_unavailable", "", 1},
	} {
		got := tokenRefusal(row.err)
		if got.status != row.status || got.Error != row.code || got.Reason != row.reason || got.RetryAfter != row.retryAfter {
			t.Errorf("%s: %+v, want %+v", name, got, row)
		}
	}
}

// TestWhoCannotBeLookedUpIsNotSignedOut asks every public handler with a
// session that cannot be determined now: 503, never 401, and no way to sign in.
func TestWhoCannotBeLookedUpIsNotSignedOut(t *testing.T) {
	a := &app{}
	for name, handler := range map[string]http.HandlerFunc{"whoami": a.whoami, "token": a.token, "page": a.page} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r = r.WithContext(session.NewErrContext(r.Context(), session.ErrUnavailable))
		w := httptest.NewRecorder()
		handler(w, r)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s answers %d, Retry-After %q", name, w.Code, w.Header().Get("Retry-After"))
		}
		if strings.Contains(w.Body.String(), "/.auth/login") {
			t.Errorf("%s asks somebody to sign in who may be signed in", name)
		}
	}
}

func TestStrangersAreToldWhereToSignIn(t *testing.T) {
	a := &app{}
	for name, handler := range map[string]http.HandlerFunc{"whoami": a.whoami, "token": a.token} {
		w := httptest.NewRecorder()
		handler(w, httptest.NewRequest(http.MethodGet, "/", nil))
		var body map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusUnauthorized || body["login_url"] != "/.auth/login" {
			t.Errorf("%s answers %d %v (%v)", name, w.Code, body, err)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", name)
		}
	}
}
