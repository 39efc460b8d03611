package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// refreshed is the answer to a refresh that succeeded.
type refreshed struct {
	ExpiresOn        string    `json:"expires_on,omitempty"` // of the access token, where known, as in /.auth/me
	SessionExpiresOn string    `json:"session_expires_on"`
	User             refreshee `json:"user"`
}

type refreshee struct {
	UserID string `json:"userId"`
}

// refresh renews the provider's tokens and the session: GET or POST
// /.auth/refresh. Its statuses are those of docs/refresh.md E5: 400 where there is
// nothing to refresh with, 401 without a session, 403 where the provider refuses
// for good, 503 and 502 where nobody here is to blame. Only 401 drops the cookie.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request) {
	if h.foreign(r) || respond.Prefetch(r) {
		respond.Problem(w, r, respond.CrossSite, respond.Options{})
		return
	}
	s, err := h.sessions.Load(r)
	if err == nil {
		s, err = h.sessions.Refresh(r.Context(), s)
	}
	if err != nil {
		if over(err) {
			h.sessions.ClearCookie(w)
		}
		h.refuseSession(w, r, "not refreshed", err)
		return
	}
	h.sessions.WriteCookie(w, s)
	answer := refreshed{SessionExpiresOn: on(s.ExpiresAt), User: refreshee{UserID: userID(s.User)}}
	if tokens, err := s.Tokens(r.Context()); err == nil { // else the answer is only shorter
		answer.ExpiresOn = on(tokens.ExpiresAt)
	}
	respond.JSON(w, r, http.StatusOK, answer)
}

// userID names a user in the form of App Service: the same for every session of
// the user, and saying nothing about who that is.
func userID(u session.User) string {
	sum := sha256.Sum256([]byte("easyauth sid\n" + u.Issuer + "\n" + u.ID))
	return "sid:" + hex.EncodeToString(sum[:16])
}
