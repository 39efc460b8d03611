package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

const (
	logoutTarget    = "post_logout_redirect_uri"
	logoutTargetOld = "post_logout_redirect_url"
	// endSessionTimeout bounds what a sign-out waits for the provider's metadata.
	endSessionTimeout = 5 * time.Second
)

// logout ends the session here, and sends the browser to end the one at the
// provider: GET or POST /.auth/logout.
//
// A program with a session token ends that session and no other; it has no
// browser to be sent on to the provider.
func (h *Handler) logout(w http.ResponseWriter, r *http.Request) {
	byToken := h.tokens && len(r.Header["X-Zumo-Auth"]) > 0 // which is never sent unasked
	elsewhere := h.foreign(r) && !byToken
	if respond.Prefetch(r) || elsewhere && !respond.Navigation(r) { // CSR1, CSR2
		respond.Fail(w, r, respond.CrossSite, respond.Options{})
		return
	}
	target, why, ok := h.logoutTarget(w, r)
	if !ok {
		respond.Fail(w, r, why, respond.Options{})
		return
	}
	if elsewhere {
		h.confirmLogout(w, r, target)
		return
	}
	s, err := h.sessions.Load(r)
	if errors.Is(err, session.ErrNone) {
		h.clearCookie(w, byToken)
		respond.Redirect(w, r, h.afterLogout(target))
		return
	}
	var there, state string
	if err == nil {
		if state = rand.Text(); !byToken {
			there = h.endSessionURL(r.Context(), s, state) // before the end: the ID token goes with the session
		}
		err = h.sessions.End(r.Context(), s)
	}
	if err != nil { // SES5: who is still signed in is never told otherwise
		h.note(r.Context(), levelOf(respond.StoreUnavailable), "not signed out", "", respond.StoreUnavailable.String(), err)
		respond.Fail(w, r, respond.StoreUnavailable, respond.Options{RetryAfter: retrySoon, Reload: r.Method == http.MethodGet})
		return
	}
	h.clearCookie(w, byToken)
	if there == "" {
		respond.Redirect(w, r, h.afterLogout(target))
		return
	}
	if target != "" {
		h.logouts.write(w, state, target)
	}
	respond.Redirect(w, r, there)
}

// clearCookie drops the session cookie, unless another session was meant.
func (h *Handler) clearCookie(w http.ResponseWriter, byToken bool) {
	if !byToken {
		h.sessions.ClearCookie(w)
	}
}

// logoutTarget reads the target from the query, or from the form of a POST.
func (h *Handler) logoutTarget(w http.ResponseWriter, r *http.Request) (target string, why respond.Reason, ok bool) {
	params, ok := query(r)
	if !ok {
		return "", respond.BadRequest, false
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" {
		posted, why, ok := form(w, r)
		if !ok {
			return "", why, false
		}
		for name, values := range posted {
			params[name] = append(params[name], values...)
		}
	}
	target, ok = h.targets.take(params, logoutTarget, logoutTargetOld)
	return target, respond.BadRequest, ok
}

// confirmLogout asks a person who followed another site's link to here. The
// session is not looked at: a strict cookie would not have come along.
func (h *Handler) confirmLogout(w http.ResponseWriter, r *http.Request, target string) {
	action := h.paths.Prefix() + "/logout"
	if target != "" {
		action += "?" + logoutTarget + "=" + url.QueryEscape(target)
	}
	respond.Show(w, r, http.StatusOK, respond.Page{
		Title: "Sign out?",
		Text:  "Another website sent you here to sign you out of this application.",
		Form:  &respond.Form{Button: "Sign out", Action: action},
		Links: []respond.Link{{Text: "Stay signed in", Href: home}},
	})
}

// endSessionURL returns where RP-initiated logout begins, or "" where the
// provider has none.
func (h *Handler) endSessionURL(ctx context.Context, s *session.Session, state string) string {
	ender, ok := h.byName[s.User.Provider].(providers.SessionEnder)
	if !ok {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, endSessionTimeout)
	defer cancel()
	req := providers.EndSessionRequest{PostLogoutRedirectURI: h.base + "/logout/complete", State: state}
	if tokens, err := s.Tokens(ctx); err == nil { // without a hint the provider asks its user
		req.IDTokenHint = tokens.IDToken
	}
	return ender.EndSessionURL(ctx, req)
}

// afterLogout is where a browser goes that has nothing to do at the provider.
func (h *Handler) afterLogout(target string) string {
	if target == "" {
		return h.paths.Prefix() + "/logout/complete"
	}
	return target
}

// loggedOut is the end of a sign-out: GET /.auth/logout/complete, or .../done.
// A browser that was on its way to a target goes on; the target waited in a
// cookie of ours, so that what comes back from the provider decides nothing
// (RED10).
func (h *Handler) loggedOut(w http.ResponseWriter, r *http.Request) {
	if target, ok := h.logouts.take(w, r); ok {
		respond.Redirect(w, r, h.targets.orHome(target)) // judged again (RED11)
		return
	}
	if _, err := h.sessions.Load(r); err == nil { // an old page of this address, loaded again after a sign-in
		respond.Redirect(w, r, home)
		return
	}
	respond.Show(w, r, http.StatusOK, respond.Page{
		Title: "Signed out",
		Text:  "You have been signed out of this application.",
		Links: []respond.Link{{Text: "Back to the application", Href: home}, {Text: "Sign in again", Href: h.paths.Prefix() + "/login"}},
	})
}
