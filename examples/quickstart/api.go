package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// whoami answers who is signed in. It is an ordinary handler: everything it
// knows, it reads from the request context.
func (a *app) whoami(w http.ResponseWriter, r *http.Request) {
	s, ok := session.FromContext(r.Context())
	if !ok {
		writeStranger(w, r)
		return
	}
	writeJSON(w, http.StatusOK, sessionView(s))
}

// token answers how the access token is, but not what it is.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	s, ok := session.FromContext(r.Context())
	if !ok {
		writeStranger(w, r)
		return
	}
	answer := tokenOf(r.Context(), s)
	if answer.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(answer.RetryAfter))
	}
	writeJSON(w, answer.status, answer)
}

// sessionAnswer is the body of /api/whoami.
type sessionAnswer struct {
	Provider  string    `json:"provider"`
	UserID    string    `json:"user_id"`
	Name      string    `json:"name"`
	ExpiresAt time.Time `json:"session_expires_at"`
	Grace     time.Time `json:"grace_until"`
	Now       time.Time `json:"now"` // so that a browser with another clock counts right
}

func sessionView(s *session.Session) sessionAnswer {
	return sessionAnswer{s.User.Provider, s.User.ID, s.User.Name,
		s.ExpiresAt.UTC(), s.GraceUntil.UTC(), time.Now().UTC()}
}

// tokenAnswer is the body of /api/token: the token's fingerprint, or why there
// is none.
type tokenAnswer struct {
	status int

	SHA256      string     `json:"sha256,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"` // nil: the provider did not tell
	RefreshedAt *time.Time `json:"refreshed_at,omitempty"`
	Phase       string     `json:"phase,omitempty"`

	Error      string `json:"error,omitempty"`
	Reason     string `json:"reason,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // seconds

	Now time.Time `json:"now"`
}

const (
	errReauthRequired = "reauth_required"
	errUnavailable    = "temporarily_unavailable"
	errMisconfigured  = "provider_misconfigured"
	errSessionEnded   = "session_ended"
)

// tokenOf asks the session for a fresh access token. The error says what to
// do: sign in again, or try again later.
func tokenOf(ctx context.Context, s *session.Session) tokenAnswer {
	token, err := s.Token(ctx)
	if err != nil {
		return tokenRefusal(err)
	}
	sum := sha256.Sum256([]byte(token.AccessToken))
	answer := tokenAnswer{status: http.StatusOK, SHA256: hex.EncodeToString(sum[:]), ExpiresAt: moment(token.Expiry), Now: time.Now().UTC()}
	if stored, err := s.Tokens(ctx); err == nil {
		answer.Phase = stored.Phase.String()
		answer.RefreshedAt = moment(stored.RefreshedAt)
	}
	return answer
}

func tokenRefusal(err error) tokenAnswer {
	answer := tokenAnswer{status: http.StatusServiceUnavailable, Error: errUnavailable, RetryAfter: 1, Now: time.Now().UTC()}
	switch {
	case errors.Is(err, grant.ErrSessionEnded):
		answer.status, answer.Error, answer.RetryAfter = http.StatusUnauthorized, errSessionEnded, 0
	case errors.Is(err, grant.ErrReauthRequired), errors.Is(err, grant.ErrNoRefreshToken), errors.Is(err, grant.ErrUnsupported):
		answer.status, answer.Error, answer.RetryAfter = http.StatusUnauthorized, errReauthRequired, 0
		answer.Reason = "no_refresh_token"
		if reauth, ok := errors.AsType[*grant.ReauthError](err); ok {
			answer.Reason = reauth.Reason
		}
	case errors.Is(err, grant.ErrMisconfigured):
		answer.status, answer.Error, answer.RetryAfter = http.StatusBadGateway, errMisconfigured, 0
	default:
		if transient, ok := errors.AsType[*grant.TransientError](err); ok {
			answer.Reason = transient.Reason
			answer.RetryAfter = max(1, int(math.Ceil(transient.RetryAfter.Seconds())))
		}
	}
	return answer
}

// writeStranger answers a request without a session: nobody is signed in, or
// that could not be found out, which is nobody's fault and signs nobody out.
func writeStranger(w http.ResponseWriter, r *http.Request) {
	if session.Err(r.Context()) != nil {
		w.Header().Set("Retry-After", "1")
		writeJSON(w, http.StatusServiceUnavailable, map[string]any{"error": errUnavailable, "retry_after": 1})
		return
	}
	writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "not_signed_in", "login_url": "/.auth/login"})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that went away is not our error
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
