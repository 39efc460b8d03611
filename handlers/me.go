package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/internal/principal"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// disclosure says which tokens /.auth/me tells.
type disclosure struct{ tokens, refreshToken bool }

// account is one entry of /.auth/me: the members of App Service in its order,
// which is the alphabet's, and among them two of ours,
// reauth_on and refresh_token_expires_on.
type account struct {
	AccessToken           string            `json:"access_token,omitempty"` // while it is valid
	AccessTokenSecret     string            `json:"access_token_secret,omitempty"`
	AuthenticationToken   string            `json:"authentication_token,omitempty"`
	ExpiresOn             string            `json:"expires_on,omitempty"` // of that token
	IDToken               string            `json:"id_token,omitempty"`
	ProviderName          string            `json:"provider_name"`
	ReauthOn              string            `json:"reauth_on,omitempty"` // when to have signed in again, where that is near
	RefreshToken          string            `json:"refresh_token,omitempty"`
	RefreshTokenExpiresOn string            `json:"refresh_token_expires_on,omitempty"` // where known
	UserClaims            []principal.Claim `json:"user_claims"`
	UserID                string            `json:"user_id"`
}

// errTokenOver: a session token that has run out is good for a refresh only.
var errTokenOver = fmt.Errorf("handlers: session token refused: it has run out: %w", session.ErrNone)

// whoami tells who is signed in: GET /.auth/me, an array of one, or with
// ?provider=<alias> that one, or {} where another provider is asked for. It
// renews no token, and a page that polls it keeps no idle session alive; but a
// session in its grace period is renewed first, so that the answer is the one
// the next page will get.
func (h *Handler) whoami(w http.ResponseWriter, r *http.Request) {
	// An array at the top level of a document can be read by another site's
	// script tag in some browsers; frames and images have no business here (CSR7).
	dest := r.Header.Get("Sec-Fetch-Dest")
	s, err := h.load(r)
	if errors.Is(err, errCrossSite) || dest != "" && dest != "empty" && dest != "document" {
		respond.SDKProblem(w, r, http.StatusForbidden, respond.CrossSite, "", respond.Options{})
		return
	}
	params, ok := query(r)
	if !ok || len(params["provider"]) > 1 {
		respond.SDKProblem(w, r, http.StatusBadRequest, respond.BadRequest, "", respond.Options{})
		return
	}
	if err == nil && s.State() == session.Grace && s.Carrier() == session.Token {
		err = errTokenOver // only a refresh takes it
	}
	if err == nil && s.State() == session.Grace {
		if s, err = h.sessions.Renew(r.Context(), s); err == nil {
			h.sessions.WriteCookie(w, s)
		}
	}
	if err != nil {
		h.refuseSession(w, r, "signed-in user not told", err)
		return
	}
	tokens, err := s.Tokens(r.Context())
	if err != nil {
		h.refuseSession(w, r, "signed-in user not told", err)
		return
	}
	mine := h.describe(s, tokens)
	if !params.Has("provider") {
		respond.JSON(w, r, http.StatusOK, []account{mine})
		return
	}
	if p, known := h.provider(params.Get("provider")); !known || p.Name() != s.User.Provider {
		respond.JSON(w, r, http.StatusOK, struct{}{})
		return
	}
	respond.JSON(w, r, http.StatusOK, mine)
}

func (h *Handler) describe(s *session.Session, tokens grant.Snapshot) account {
	d, u := h.me, s.User
	user := principal.New(principal.User{Provider: u.Provider, ID: u.ID, Name: u.Name, Claims: u.Claims, NameClaim: u.NameClaim})
	a := account{
		ProviderName:          s.User.Provider,
		ReauthOn:              on(s.ReauthAt),
		RefreshTokenExpiresOn: on(tokens.RefreshExpiresAt),
		UserClaims:            user.Claims,
		UserID:                user.Name(),
	}
	usable := !tokens.AccessToken.IsZero() && tokens.Phase != grant.Expired
	if usable {
		a.ExpiresOn = on(tokens.ExpiresAt)
	}
	if usable && d.tokens {
		a.AccessToken = tokens.AccessToken.Reveal()
	}
	if usable && d.tokens {
		a.AccessTokenSecret = tokens.AccessTokenSecret.Reveal()
		a.AuthenticationToken = tokens.AuthenticationToken.Reveal()
	}
	if d.tokens {
		a.IDToken = tokens.IDToken.Reveal()
	}
	if d.refreshToken {
		a.RefreshToken = tokens.RefreshToken.Reveal()
	}
	return a
}

// on writes a time as the contract does, and no time as nothing.
func on(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return principal.Time(t)
}
