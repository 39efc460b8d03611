package handlers

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// clientLogin signs in the user of a client that already has the provider's
// tokens: POST /.auth/login/<provider> (contract 1.4). It sets no cookie, so a
// page of another site could sign nobody in by it; such a page is refused all
// the same (CSR5).
func (h *Handler) clientLogin(w http.ResponseWriter, r *http.Request, p providers.Provider, c providers.ClientLogin) {
	if h.stranger(r) {
		h.refuseProgram(w, r, nil, http.StatusForbidden, respond.CrossSite, "", nil)
		return
	}
	members, ok := h.clientBody(w, r, p)
	if !ok {
		return
	}
	tokens, ok := members.tokens()
	if !ok {
		h.refuseProgram(w, r, p, http.StatusBadRequest, respond.BadRequest, badMembers, nil)
		return
	}
	done, ok := h.clients.take(r.Context(), p, clientWait)
	if !ok {
		h.refuseProgram(w, r, p, http.StatusServiceUnavailable, respond.ProviderUnavailable, "Too many sign-ins at once. Please try again in a moment.", nil)
		return
	}
	defer done()
	login, err := c.LoginWithTokens(r.Context(), tokens)
	if err != nil {
		h.refuseLogin(w, r, p, err)
		return
	}
	s, err := h.sessions.StartToken(r.Context(), login)
	if err != nil {
		h.refuseLogin(w, r, p, err)
		return
	}
	if !h.answerLogin(w, r, p, s) {
		h.abandon(r.Context(), s)
	}
}

// tokenLogin trades the token of a live session for a new one: POST /.auth/login
// with an authenticationToken, as the JavaScript SDK sends it (contract 1.4).
func (h *Handler) tokenLogin(w http.ResponseWriter, r *http.Request) {
	if h.stranger(r) {
		h.refuseProgram(w, r, nil, http.StatusForbidden, respond.CrossSite, "", nil)
		return
	}
	members, ok := h.clientBody(w, r, nil)
	if !ok {
		return
	}
	token, ok := members.text("authenticationToken")
	if !ok || token == "" {
		h.refuseProgram(w, r, nil, http.StatusBadRequest, respond.BadRequest, "An authenticationToken is expected.", nil)
		return
	}
	s, err := h.sessions.LoadToken(r.Context(), token)
	if err != nil {
		h.refuseLogin(w, r, nil, err)
		return
	}
	h.answerLogin(w, r, h.byName[s.User.Provider], s)
}

// answerLogin gives the client its session token, and reports whether there is
// one to be had.
func (h *Handler) answerLogin(w http.ResponseWriter, r *http.Request, p providers.Provider, s *session.Session) bool {
	answer, err := h.signedIn(s)
	if err != nil {
		h.refuseLogin(w, r, p, err)
		return false
	}
	respond.JSON(w, r, http.StatusOK, answer)
	return true
}

// refuseLogin answers a client whose sign-in the provider, or the session
// manager, refused (contract 1.4): 400 where something is missing, 401 where it
// is not good, 403 where its user may not come in, and 502 or 503 where nobody
// who asks is to blame.
func (h *Handler) refuseLogin(w http.ResponseWriter, r *http.Request, p providers.Provider, err error) {
	if over(err) {
		h.refuseProgram(w, r, nil, http.StatusUnauthorized, respond.SignInRequired, credentialsOver, nil)
		return
	}
	why, opts := startFailure(err)
	status, message := why.Status(), ""
	switch why {
	case respond.SignInInvalid, respond.SignInDenied:
		status, message = http.StatusUnauthorized, "The provider's token is not valid here."
	case respond.BadRequest:
		message = badMembers
	}
	h.refuseProgramLater(w, r, p, status, why, message, opts.RetryAfter, err)
}

// badMembers does not name what is missing: which tokens it takes depends on the
// provider and on its configuration.
const badMembers = "The body does not have the tokens that this provider needs."

// refuseProgram answers a program whose sign-in comes to nothing. p is nil where
// it was no sign-in at a provider that failed.
func (h *Handler) refuseProgram(w http.ResponseWriter, r *http.Request, p providers.Provider, status int, why respond.Reason, message string, err error) {
	h.refuseProgramLater(w, r, p, status, why, message, 0, err)
}

func (h *Handler) refuseProgramLater(w http.ResponseWriter, r *http.Request, p providers.Provider, status int, why respond.Reason, message string, later time.Duration, err error) {
	if later == 0 && status == http.StatusServiceUnavailable {
		later = retrySoon
	}
	if p != nil {
		h.signInFailed(r.Context(), "sign-in refused", p, why, err)
	} else {
		h.note(r.Context(), slog.LevelInfo, "sign-in refused", "", why.String(), err)
	}
	respond.SDKProblem(w, r, status, why, message, respond.Options{RetryAfter: later})
}
