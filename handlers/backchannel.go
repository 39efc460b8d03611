package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// logoutTokenMargin is how much longer a logout token is remembered than it is
// good for, because clocks disagree.
const logoutTokenMargin = 10 * time.Minute

// backchannel ends the sessions that ended at their provider: POST
// /.auth/backchannel-logout/<provider> (OpenID Connect Back-Channel Logout 1.0).
//
// No browser takes part. No cookie is read or set, and where the request comes
// from says nothing: the token's signature is the authority. The answer is the
// same whether anybody was signed in or not.
func (h *Handler) backchannel(w http.ResponseWriter, r *http.Request, p providers.Provider, v providers.LogoutVerifier) {
	raw, ok := logoutToken(w, r)
	if !ok {
		h.refuseLogout(w, r, p, logoutMalformed, nil)
		return
	}
	logout, err := v.VerifyLogout(r.Context(), raw)
	if err != nil {
		h.unverified(w, r, p, err)
		return
	}
	// The provider may hang up from here on; what it said stays true.
	ctx := context.WithoutCancel(r.Context())
	ended, first, err := h.carryOut(ctx, p, logout)
	if err != nil {
		h.unstored(w, r, p, err)
		return
	}
	if !first {
		h.refuseLogout(w, r, p, logoutUsed, nil)
		return
	}
	h.log.InfoContext(ctx, "signed out by the provider", "provider", p.Name(), "sessions", ended)
	respond.NoStore(w.Header())
	w.WriteHeader(http.StatusOK)
}

// carryOut ends the sessions that l names, and returns how many those were. The
// token counts as used once that is done: whatever fails in between, this
// process included, it may be delivered again. Of several copies at the same
// moment all may end what the token names, and first says whether this one was
// the first (REP5).
func (h *Handler) carryOut(ctx context.Context, p providers.Provider, l providers.Logout) (ended int, first bool, err error) {
	id := logoutID(p, l)
	if used, err := h.sessions.Spent(ctx, id); err != nil || used {
		return 0, false, err
	}
	if ended, err = h.sessions.EndNamed(ctx, p.Name(), l.Issuer, l.Subject, l.SID); err != nil {
		return ended, false, err
	}
	first, err = h.sessions.Spend(ctx, id, l.ExpiresAt.Add(logoutTokenMargin))
	return ended, first, err
}

// logoutToken reads the one parameter there is; others are for somebody else
// (Back-Channel Logout 2.5). Without a body there is nothing to be had from the
// URL either: addresses are written into logs.
func logoutToken(w http.ResponseWriter, r *http.Request) (token providers.Secret, ok bool) {
	params, _, ok := form(w, r)
	if !ok || len(params["logout_token"]) != 1 {
		return token, false
	}
	return providers.NewSecret(params.Get("logout_token")), true
}

// logoutID is what the store remembers a token by: hashed, as the provider may
// choose any name, and never that of another provider's token.
func logoutID(p providers.Provider, l providers.Logout) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{p.Name(), l.Issuer, l.TokenID}, "\x00")))
	return "logout:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// logoutRefusal is why a logout token is not carried out, in a word for the log
// and in words for the operator of the provider.
type logoutRefusal struct{ reason, description string }

// The words say nothing about anybody who is signed in, and nothing of the token.
var (
	logoutMalformed = logoutRefusal{respond.BadRequest.String(), "A form of at most 64 KiB with exactly one logout_token is expected."}
	logoutInvalid   = logoutRefusal{"logout_token_invalid", "The logout token is not valid here. The log of the application says why."}
	logoutUsed      = logoutRefusal{"logout_token_used", "The logout token was used before."}
)

// refuseLogout answers what the provider, or somebody in its place, did wrong
// (Back-Channel Logout 2.8).
func (h *Handler) refuseLogout(w http.ResponseWriter, r *http.Request, p providers.Provider, why logoutRefusal, err error) {
	h.note(r.Context(), slog.LevelWarn, "sign-out refused", p.Name(), why.reason, err)
	respond.JSON(w, r, http.StatusBadRequest, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{"invalid_request", why.description})
}

// unverified answers a token that is none, or of which that cannot be found out
// now.
func (h *Handler) unverified(w http.ResponseWriter, r *http.Request, p providers.Provider, err error) {
	again := respond.Options{RetryAfter: retrySoon}
	if failure, ok := errors.AsType[*providers.Error](err); ok {
		if failure.Kind == providers.Invalid {
			h.refuseLogout(w, r, p, logoutInvalid, err)
			return
		}
		again.RetryAfter = max(failure.RetryAfter, retrySoon)
	}
	h.failLogout(w, r, p, respond.ProviderUnavailable, again, err)
}

// unstored answers what the store did not take: it is down, or is one that
// cannot find sessions by their user, which will not change by itself.
func (h *Handler) unstored(w http.ResponseWriter, r *http.Request, p providers.Provider, err error) {
	if errors.Is(err, errors.ErrUnsupported) {
		h.failLogout(w, r, p, respond.Internal, respond.Options{}, err)
		return
	}
	h.failLogout(w, r, p, respond.StoreUnavailable, respond.Options{RetryAfter: retrySoon}, err)
}

// failLogout answers what nobody who asks has done wrong: nothing was spent, and
// the provider may deliver again.
func (h *Handler) failLogout(w http.ResponseWriter, r *http.Request, p providers.Provider, why respond.Reason, opts respond.Options, err error) {
	h.note(r.Context(), levelOf(why), "not signed out", p.Name(), why.String(), err)
	respond.Problem(w, r, why, opts)
}
