package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// finish ends a sign-in that succeeded, in the way its caller wanted: with a
// cookie, with a session token, or with a code to be traded for one.
func (h *Handler) finish(w http.ResponseWriter, r *http.Request, p providers.Provider, f providers.Flow, login *providers.Login) {
	if f.Silent {
		proved, ok := h.goesOn(r.Context(), f, login)
		if !ok {
			h.stay(w, r, p, f, respond.SignInDenied)
			return
		}
		login.AuthTime = proved
	}
	if f.Token {
		h.finishToken(w, r, p, f, login)
		return
	}
	if _, err := h.sessions.Start(w, r, login, f.Session); err != nil {
		why, opts := startFailure(err)
		h.refuseFlow(w, r, p, f, why, opts, err)
		return
	}
	// Judged again: the list may have changed since the attempt began (RED11).
	respond.Redirect(w, r, h.landing(p, h.targets.orHome(f.ReturnTo)))
}

// finishToken ends a sign-in without a cookie. No other session ends with it: the
// browser may only be the window of a program.
func (h *Handler) finishToken(w http.ResponseWriter, r *http.Request, p providers.Provider, f providers.Flow, login *providers.Login) {
	result, err := h.resultFor(r.Context(), p, f, login)
	if err != nil {
		why, opts := startFailure(err)
		h.refuseFlow(w, r, p, f, why, opts, err)
		return
	}
	switch {
	case f.Challenge != "": // a code is of use to its client alone, so it goes where that waits
		respond.Redirect(w, r, fragment(h.tokenTarget(f), "authorization_code", result))
	case f.Completion != "" && h.targets.trusts(f.Completion): // judged again, as targets are
		respond.Message(w, r, `{"type":"LoginCompleted","oauth":`+result+`}`, f.Completion)
	default:
		respond.Redirect(w, r, fragment(h.tokenTarget(f), "token", result))
	}
}

// resultFor is what the program gets: a code, or the JSON with the token.
func (h *Handler) resultFor(ctx context.Context, p providers.Provider, f providers.Flow, login *providers.Login) (string, error) {
	if f.Challenge != "" {
		id, err := h.sessions.StartPending(ctx, login, codeLifetime)
		if err != nil {
			return "", err
		}
		return h.codes.seal(p, id, f.Challenge)
	}
	s, err := h.sessions.StartToken(ctx, login)
	if err != nil {
		return "", err
	}
	answer, err := h.signedIn(s)
	if err != nil {
		h.abandon(ctx, s)
		return "", err
	}
	text, err := respond.Marshal(answer)
	return string(text), err
}

// abandon ends a session that was begun and that nobody can be given a token for,
// such as one that the provider let end before it began.
func (h *Handler) abandon(ctx context.Context, s *session.Session) {
	if err := h.sessions.End(ctx, s); err != nil {
		h.note(ctx, slog.LevelWarn, "session without a client left to expire", s.User.Provider, "", err)
	}
}

// refuseFlow ends a sign-in that failed, in the way its caller wanted.
func (h *Handler) refuseFlow(w http.ResponseWriter, r *http.Request, p providers.Provider, f providers.Flow, why respond.Reason, opts respond.Options, err error) {
	switch {
	case opts.Reload: // nothing is spent: the page may still succeed
		h.refuseSignIn(w, r, p, f.ReturnTo, why, opts, err)
	case f.Token:
		h.signInFailed(r.Context(), "sign-in refused", p, why, err)
		h.tellFailure(w, r, f, why)
	case f.Silent && (f.Session != "" || why == respond.SignInDenied):
		h.stay(w, r, p, f, why)
	default:
		h.refuseSignIn(w, r, p, f.ReturnTo, why, opts, err)
	}
}

// tellFailure says to a program why there is no token, where it would have found
// one (contract 1.3, 1.6): at its own address, or the browser of a device would
// stay where it is, and the application behind it.
func (h *Handler) tellFailure(w http.ResponseWriter, r *http.Request, f providers.Flow, why respond.Reason) {
	if f.Completion == "" || !h.targets.trusts(f.Completion) {
		respond.Redirect(w, r, fragment(h.tokenTarget(f), "error", why.Text()))
		return
	}
	message, err := respond.Marshal(struct {
		Type  string `json:"type"`
		Error string `json:"error"`
	}{"LoginCompleted", why.Text()})
	if err != nil {
		respond.Fail(w, r, respond.Internal, respond.Options{})
		return
	}
	respond.Message(w, r, string(message), f.Completion)
}

// stay ends an attempt that was to ask nobody and would have had to: whoever is
// signed in stays so, and goes on to the target as if nothing had been tried.
func (h *Handler) stay(w http.ResponseWriter, r *http.Request, p providers.Provider, f providers.Flow, why respond.Reason) {
	h.note(r.Context(), slog.LevelInfo, "not signed in silently", p.Name(), why.String(), nil)
	respond.Redirect(w, r, h.landing(p, h.targets.orHome(f.ReturnTo)))
}

// goesOn reports whether the session that an attempt to ask nobody set out from is
// still there, and is the user's for whom the provider answered. To become somebody
// else is for people to decide, and so is to come back after signing out. proved is
// when they last showed who they are: by such an attempt they do not.
func (h *Handler) goesOn(ctx context.Context, f providers.Flow, login *providers.Login) (proved time.Time, ok bool) {
	proved = time.Unix(0, 0)
	if f.Session != "" {
		s, err := h.sessions.Open(ctx, f.Session)
		if err != nil || s.User.Provider != login.Provider || s.User.Issuer != login.Identity.Issuer || s.User.ID != login.Identity.Subject {
			return proved, false
		}
		proved = s.AuthTime
	}
	if login.Identity.Claims.Has("auth_time") {
		proved = login.AuthTime
	}
	return proved, true
}

// tokenTarget is where a sign-in in token mode ends: at its target, or where
// none was given or it is not allowed, at the page that the SDKs wait for.
func (h *Handler) tokenTarget(f providers.Flow) string {
	if f.ReturnTo == "" || !h.targets.allows(f.ReturnTo) {
		return h.end()
	}
	return f.ReturnTo
}

// end is the last page of token mode (contract 1.3).
func (h *Handler) end() string { return h.base + "/login/done" }

// signedIn is what a program gets that signed a user in (contract 1.4).
type signedIn struct {
	AuthenticationToken string `json:"authenticationToken,omitempty"` // there is none without signing keys
	User                who    `json:"user"`
}

type who struct {
	UserID string `json:"userId"`
}

// signedIn makes a new session token.
func (h *Handler) signedIn(s *session.Session) (signedIn, error) {
	token, err := h.sessions.SessionToken(s)
	return signedIn{AuthenticationToken: token.Reveal(), User: who{s.User.SID()}}, err
}

// fragment returns target with a fragment of one value in place of its own.
// Every reserved character is escaped, and a space as %20: one SDK decodes the
// whole address as a form (contract 1.3). An address without a path gets one,
// because the SDKs compare the result with "scheme://host/#".
func fragment(target, name, value string) string {
	target, _, _ = strings.Cut(target, "#")
	if _, rest, foreign := strings.Cut(target, "://"); foreign && !strings.Contains(rest, "/") {
		target += "/"
	}
	return target + "#" + name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
}
