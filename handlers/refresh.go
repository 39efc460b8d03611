package handlers

import (
	"errors"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// refreshed is the answer to a refresh that succeeded: what App Service's clients
// read, of which they replace the whole user, and for callers with a cookie two
// times more.
type refreshed struct {
	signedIn
	ExpiresOn        string `json:"expires_on,omitempty"` // of the access token, where known, as in /.auth/me
	SessionExpiresOn string `json:"session_expires_on,omitempty"`
}

// refresh renews the provider's tokens and the session: GET or POST
// /.auth/refresh. Its statuses are those of docs/refresh.md E5: 400 where there is
// nothing to refresh with, 401 without a session, 403 where the provider refuses
// for good, 503 and 502 where nobody here is to blame. Only 401 drops the cookie.
func (h *Handler) refresh(w http.ResponseWriter, r *http.Request) {
	s, err := h.load(r)
	if errors.Is(err, errCrossSite) || respond.Prefetch(r) {
		respond.SDKProblem(w, r, http.StatusForbidden, respond.CrossSite, "", respond.Options{})
		return
	}
	if err == nil {
		s, err = h.sessions.Refresh(r.Context(), s)
	}
	if err != nil {
		h.refuseRefresh(w, r, err)
		return
	}
	h.sessions.WriteCookie(w, s)
	answer, err := h.refreshed(r, s)
	if err != nil {
		h.refuseRefresh(w, r, err)
		return
	}
	respond.JSON(w, r, http.StatusOK, answer)
}

func (h *Handler) refreshed(r *http.Request, s *session.Session) (answer refreshed, err error) {
	answer.User = who{s.User.SID()}
	if h.tokens {
		if answer.signedIn, err = h.signedIn(s); err != nil {
			return answer, err
		}
	}
	if s.Carrier() == session.Token {
		return answer, nil
	}
	answer.SessionExpiresOn = on(s.ExpiresAt)
	if tokens, err := s.Tokens(r.Context()); err == nil { // else the answer is only shorter
		answer.ExpiresOn = on(tokens.ExpiresAt)
	}
	return answer, nil
}

// credentialsOver is what the SDKs say for 401.
const credentialsOver = "Credentials are no longer valid."

// refuseRefresh answers with the words that the SDKs have for each status
// (contract 1.8).
func (h *Handler) refuseRefresh(w http.ResponseWriter, r *http.Request, err error) {
	if over(err) && len(r.Header["X-Zumo-Auth"]) == 0 {
		h.sessions.ClearCookie(w)
	}
	why, opts := h.sessionFailure(err)
	message := ""
	switch why.Status() {
	case http.StatusBadRequest:
		message = "The identity provider does not support refresh, or the user is not logged in with sufficient permission."
	case http.StatusUnauthorized:
		message = credentialsOver
	case http.StatusForbidden:
		message = "The refresh token was revoked or expired."
	default:
		h.note(r.Context(), levelOf(why), "not refreshed", "", why.String(), err)
	}
	respond.SDKProblem(w, r, why.Status(), why, message, opts)
}
