package handlers

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// The parameter that names where a sign-in leads to has two spellings; App
// Service's SDKs send the older one.
const (
	loginTarget    = "post_login_redirect_uri"
	loginTargetOld = "post_login_redirect_url"
)

// loginParameters returns the target of a sign-in, and the other parameters.
func (h *Handler) loginParameters(r *http.Request) (target string, others url.Values, ok bool) {
	if others, ok = query(r); ok {
		target, ok = h.targets.take(others, loginTarget, loginTargetOld)
	}
	return target, others, ok
}

// login begins a sign-in: GET /.auth/login/<provider>. Parameters other than
// the target go to the provider as they are.
func (h *Handler) login(w http.ResponseWriter, r *http.Request, p providers.Provider) {
	if !opensPage(r) {
		respond.Fail(w, r, respond.NotNavigation, respond.Options{})
		return
	}
	params, ok := query(r)
	target, _, once := h.targets.given(params, loginTarget, loginTargetOld)
	if !ok || !once {
		respond.Fail(w, r, respond.BadRequest, respond.Options{})
		return
	}
	flow := providers.NewFlow(p.Name(), h.base+"/login/"+p.Name()+"/callback", target)
	if why, ok := h.wanted(&flow, params); !ok {
		h.note(r.Context(), slog.LevelInfo, "sign-in not begun", p.Name(), why.String(), nil)
		respond.Fail(w, r, why, respond.Options{})
		return
	}
	switch {
	case flow.Token: // a target that is not allowed is none: the sign-in ends where the SDKs look
		if !h.targets.allows(target) {
			flow.ReturnTo = ""
		}
	case target != "":
		flow.ReturnTo = h.targets.orHome(target)
	}
	if s, err := h.sessions.Load(r); err == nil && !flow.Token {
		flow.Session = s.ID // it ends with this sign-in, and the callback may not see its cookie (LOG16)
	}
	location, err := p.Begin(r.Context(), &flow, params)
	if err != nil {
		why, opts := providerFailure(err)
		if flow.Silent && flow.Session != "" {
			h.stay(w, r, p, flow, why)
			return
		}
		if why == respond.SignInInvalid { // there is no answer yet: the caller's parameters are
			why = respond.BadRequest
		}
		h.signInFailed(r.Context(), "sign-in not begun", p, why, err)
		opts.Reload = why == respond.ProviderUnavailable // nothing was spent
		respond.Fail(w, r, why, opts)
		return
	}
	if err := h.flows.write(w, r, flow); err != nil {
		h.signInFailed(r.Context(), "sign-in not begun", p, respond.Internal, err)
		respond.Fail(w, r, respond.Internal, respond.Options{})
		return
	}
	h.note(r.Context(), slog.LevelDebug, "sign-in begun", p.Name(), "", nil)
	respond.Redirect(w, r, location)
}
