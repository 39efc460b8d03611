package handlers

import (
	"errors"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// refuseSession answers a program whose session is over, or cannot be found
// out about.
func (h *Handler) refuseSession(w http.ResponseWriter, r *http.Request, outcome string, err error) {
	why, opts := h.sessionFailure(err)
	if why.Status() >= http.StatusInternalServerError {
		h.note(r.Context(), levelOf(why), outcome, "", why.String(), err)
	}
	respond.SDKProblem(w, r, why.Status(), why, "", opts)
}

// sessionFailure says what an error of the session manager, or of the grant
// inside it, means. ErrNone decides first: a session that is over is over,
// whatever the provider said about it.
func (h *Handler) sessionFailure(err error) (respond.Reason, respond.Options) {
	again := respond.Options{Login: h.base + "/login"}
	if over(err) {
		again.Challenge = `Bearer realm="` + h.realm + `" authorization_uri="` + h.base + `/login"`
		return respond.SignInRequired, again
	}
	if transient, ok := errors.AsType[*grant.TransientError](err); ok {
		return respond.ProviderUnavailable, respond.Options{RetryAfter: transient.RetryAfter}
	}
	switch {
	case errors.Is(err, grant.ErrUnsupported):
		return respond.RefreshNotSupported, again
	case errors.Is(err, grant.ErrNoRefreshToken):
		return respond.NoRefreshToken, again
	case errors.Is(err, grant.ErrReauthRequired):
		return respond.RefreshRejected, again
	case errors.Is(err, grant.ErrMisconfigured):
		return respond.ProviderMisconfigured, respond.Options{}
	}
	return respond.StoreUnavailable, respond.Options{RetryAfter: retrySoon}
}

// over reports whether the error says that there is no session, or none any more.
func over(err error) bool {
	return errors.Is(err, session.ErrNone) || errors.Is(err, grant.ErrSessionEnded)
}
