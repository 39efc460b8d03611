package handlers

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// Parameters of a sign-in that say how it is to end (contract 1.1). They are
// ours, and the provider sees none of them.
const (
	sessionMode      = "session_mode"
	completionType   = "completion_type"
	completionOrigin = "completion_origin"
	challengeParam   = "code_challenge"
	challengeMethod  = "code_challenge_method"
	brokerEnd        = "sso_end_uri" // of an old Windows broker, which looks at it itself
)

// wanted notes in f how the caller wants the sign-in to end, and takes the
// parameters that say so out of params. A code challenge, or a window to hand the
// result to, makes sense in token mode only, so either of them means that mode:
// one of the SDKs sends a challenge without a session_mode.
func (h *Handler) wanted(f *providers.Flow, params url.Values) (why respond.Reason, ok bool) {
	given := url.Values{}
	for _, name := range []string{sessionMode, completionType, completionOrigin, challengeParam, challengeMethod, brokerEnd} {
		if len(params[name]) > 1 {
			return respond.BadRequest, false
		}
		if params.Has(name) {
			given.Set(name, params.Get(name))
			params.Del(name)
		}
	}
	f.Silent = params.Get("prompt") == "none"
	f.Token = given.Get(sessionMode) == "token"
	if kind := given.Get(completionType); kind != "" {
		f.Token, f.Completion = true, given.Get(completionOrigin)
		if kind != "postMessage" && kind != "iframe" || f.Completion == "" {
			return respond.BadRequest, false
		}
		if !h.targets.trusts(f.Completion) {
			return respond.WindowRefused, false
		}
	}
	// Half a challenge is none that could be left out: whoever sends it counts on it.
	if h.tokens && (given.Has(challengeParam) || given.Has(challengeMethod)) {
		f.Token = true
		if f.Challenge, ok = challenge(given.Get(challengeParam)); !ok || given.Get(challengeMethod) != "S256" {
			return respond.BadRequest, false
		}
	}
	if f.Token && !h.tokens {
		return respond.NotFound, false
	}
	return 0, true
}

// unwanted is what the log says of a sign-in that cannot end as it was to: which
// origin is missing on the list is hard to find out otherwise.
func unwanted(f providers.Flow) error {
	if f.Completion == "" {
		return nil
	}
	return fmt.Errorf("handlers: completion_origin %.100q", f.Completion)
}

// challenge returns a code challenge in the alphabet of RFC 7636. App Service's
// SDKs write it in the standard alphabet, with padding (contract 1.5), and not all
// of them escape a plus sign, which a query then shows as a space.
func challenge(given string) (string, bool) {
	given = strings.TrimRight(given, "=")
	given = strings.NewReplacer("+", "-", " ", "-", "/", "_").Replace(given)
	sum, err := base64.RawURLEncoding.Strict().DecodeString(given)
	return given, err == nil && len(sum) == sha256.Size
}

// again is where the sign-in of f begins anew. What else its caller gave to the
// provider is not known any more.
func (h *Handler) again(p providers.Provider, f providers.Flow) string {
	params := url.Values{}
	if target := f.ReturnTo; h.targets.allows(target) && target != home {
		params.Set(loginTarget, target)
	}
	if f.Token {
		params.Set(sessionMode, "token")
	}
	if f.Completion != "" {
		params.Set(completionType, "postMessage")
		params.Set(completionOrigin, f.Completion)
	}
	if f.Challenge != "" {
		params.Set(challengeParam, f.Challenge)
		params.Set(challengeMethod, "S256")
	}
	u := h.base + "/login/" + p.Name()
	if len(params) > 0 {
		u += "?" + params.Encode()
	}
	return u
}

// retry begins a sign-in again that took too long at the provider, once: whoever
// takes that long twice gets an answer instead (contract 1.2).
func (h *Handler) retry(w http.ResponseWriter, r *http.Request, p providers.Provider, f providers.Flow) {
	if f.Silent || h.flows.retried(r) {
		h.flows.clearRetry(w, f.FormPost)
		h.refuseFlow(w, r, p, f, respond.AttemptExpired, respond.Options{}, nil)
		return
	}
	h.flows.writeRetry(w, f.FormPost)
	h.note(r.Context(), slog.LevelInfo, "sign-in begun again", p.Name(), respond.AttemptExpired.String(), nil)
	respond.Redirect(w, r, h.again(p, f))
}
