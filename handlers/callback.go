package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// callback finishes a sign-in: GET or POST /.auth/login/<provider>/callback.
// Nothing is spent before everything that can be checked without it was checked,
// and whatever the outcome, the code appears in no page of ours (REP4).
func (h *Handler) callback(w http.ResponseWriter, r *http.Request, p providers.Provider) {
	response, why, ok := authorizationResponse(w, r)
	if !ok {
		h.refuseSignIn(w, r, p, home, why, respond.Options{}, nil)
		return
	}
	flow, ok := h.flows.read(r, response.Get("state"))
	if !ok {
		h.strayCallback(w, r, p, home, respond.AttemptUnknown)
		return
	}
	if flow.Provider != p.Name() { // MIX1: an attempt with another provider, which may still be under way
		h.refuseSignIn(w, r, p, home, respond.AttemptUnknown, respond.Options{}, nil)
		return
	}
	if h.flows.expired(flow, time.Now()) {
		h.flows.clear(w, flow)
		h.retry(w, r, p, flow)
		return
	}
	done, ok := h.browsers.take(r.Context(), p, browserWait)
	if !ok { // nothing was spent
		h.refuseFlow(w, r, p, flow, respond.ProviderUnavailable, respond.Options{RetryAfter: retrySoon, Reload: r.Method == http.MethodGet}, nil)
		return
	}
	defer done()
	// The attempt is spent before the code is: of two copies of this request, on
	// any replica, one goes on (REP1-REP3).
	first, err := h.sessions.Spend(r.Context(), flow.ID(), flow.CreatedAt.Add(2*providers.FlowLifetime))
	if err != nil { // the attempt stays as it is; loading the page again may finish it
		h.refuseFlow(w, r, p, flow, respond.StoreUnavailable, respond.Options{RetryAfter: retrySoon, Reload: r.Method == http.MethodGet}, err)
		return
	}
	h.flows.clear(w, flow)
	if h.flows.retried(r) {
		h.flows.clearRetry(w, flow.FormPost)
	}
	if !first && flow.Token { // a cookie, if there is one, is nothing to its program
		h.refuseFlow(w, r, p, flow, respond.AttemptUsed, respond.Options{}, nil)
		return
	}
	if !first {
		h.strayCallback(w, r, p, flow.ReturnTo, respond.AttemptUsed)
		return
	}
	login, err := p.Complete(r.Context(), flow, response)
	if err != nil {
		why, opts := providerFailure(err)
		h.refuseFlow(w, r, p, flow, why, opts, err)
		return
	}
	h.finish(w, r, p, flow, login)
}

// authorizationResponse returns the provider's answer: the form of a POST, the
// query of a GET, and never both.
func authorizationResponse(w http.ResponseWriter, r *http.Request) (response url.Values, why respond.Reason, ok bool) {
	if r.Method == http.MethodPost {
		response, why, ok = form(w, r)
	} else {
		why = respond.BadRequest
		response, ok = query(r)
	}
	if ok && repeats(response) {
		return nil, respond.BadRequest, false
	}
	return response, why, ok
}

// strayCallback answers a callback that belongs to no open attempt of this
// browser: loaded again, gone back to, finished in another tab, or forged. Who
// is signed in goes on to the target and is none the wiser.
func (h *Handler) strayCallback(w http.ResponseWriter, r *http.Request, p providers.Provider, target string, why respond.Reason) {
	if _, err := h.sessions.Load(r); err == nil {
		h.note(r.Context(), slog.LevelInfo, "sign-in not repeated", p.Name(), why.String(), nil)
		respond.Redirect(w, r, h.targets.orHome(target))
		return
	}
	h.refuseSignIn(w, r, p, target, why, respond.Options{}, nil)
}

// refuseSignIn ends a sign-in without a session. The answer always shows the
// way to begin again.
func (h *Handler) refuseSignIn(w http.ResponseWriter, r *http.Request, p providers.Provider, target string, why respond.Reason, opts respond.Options, err error) {
	h.signInFailed(r.Context(), "sign-in refused", p, why, err)
	opts.Login = h.loginURL(p, target)
	respond.Fail(w, r, why, opts)
}

// startFailure: what is not the provider's is the store's.
func startFailure(err error) (respond.Reason, respond.Options) {
	if _, ok := errors.AsType[*providers.Error](err); ok {
		return providerFailure(err)
	}
	if over(err) { // before it began: the provider says so
		return respond.SignInInvalid, respond.Options{}
	}
	return respond.StoreUnavailable, respond.Options{RetryAfter: retrySoon}
}
