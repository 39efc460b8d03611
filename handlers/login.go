package handlers

import (
	"log/slog"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// The parameter that names where a sign-in leads to has two spellings; App
// Service's SDKs send the older one.
const (
	loginTarget    = "post_login_redirect_uri"
	loginTargetOld = "post_login_redirect_url"
)

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
		h.note(r.Context(), slog.LevelInfo, "sign-in not begun", p.Name(), why.String(), unwanted(flow))
		respond.Fail(w, r, why, respond.Options{})
		return
	}
	h.prepare(&flow, r)
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
		if flow.Token && !opts.Reload {
			h.tellFailure(w, r, flow, why)
			return
		}
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

// prepare judges the target of f, and notes which session a sign-in with a cookie
// ends: the callback may not see the cookie of that one (LOG16). For a program, a
// target that is not allowed is none, and the sign-in ends where the SDKs look.
func (h *Handler) prepare(f *providers.Flow, r *http.Request) {
	allowed := h.mayLead(r, *f)
	if f.Token {
		if !allowed {
			f.ReturnTo = ""
		}
		return
	}
	if f.ReturnTo != "" && !allowed {
		f.ReturnTo = home
	}
	if s, err := h.sessions.Load(r); err == nil {
		f.Session = s.ID
	}
}

// mayLead reports whether the sign-in f that r begins may lead to its target.
//
// A token, or a code, is in the fragment of the address, and browsers carry that
// over a redirect (RFC 9700 section 4.1.2). So a link on another site does not
// choose at which page of ours it arrives: that page might lead on to anywhere.
// What the list allows was allowed with that in mind.
func (h *Handler) mayLead(r *http.Request, f providers.Flow) bool {
	return h.targets.allows(f.ReturnTo) && !(f.Token && h.foreign(r) && h.targets.atHome(f.ReturnTo))
}
