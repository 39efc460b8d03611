package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// retrySoon is told where nobody knows better when to try again.
const retrySoon = 5 * time.Second

// providerFailure says what the failure of a call to a provider means to the
// browser that waits for it.
func providerFailure(err error) (respond.Reason, respond.Options) {
	failure, ok := errors.AsType[*providers.Error](err)
	if !ok { // the contract of package providers is broken; the user is not to blame
		return respond.ProviderUnavailable, respond.Options{RetryAfter: retrySoon}
	}
	switch failure.Kind {
	case providers.Denied, providers.Interaction:
		return respond.SignInDenied, respond.Options{}
	case providers.Invalid, providers.Mismatch, providers.Revoked: // Revoked: the code was
		return respond.SignInInvalid, respond.Options{}
	case providers.NotAllowed:
		return respond.Forbidden, respond.Options{}
	case providers.Incomplete:
		return respond.BadRequest, respond.Options{}
	case providers.Misconfigured:
		return respond.ProviderMisconfigured, respond.Options{}
	}
	return respond.ProviderUnavailable, respond.Options{RetryAfter: max(failure.RetryAfter, retrySoon)}
}

// loginURL is where a sign-in with p begins again, with the same target.
func (h *Handler) loginURL(p providers.Provider, target string) string {
	u := h.base + "/login/" + p.Name()
	if target = h.targets.orHome(target); target != home {
		u += "?" + loginTarget + "=" + url.QueryEscape(target)
	}
	return u
}

// signInFailed writes the log record of a sign-in that came to nothing, and tells
// the hook: each once.
func (h *Handler) signInFailed(ctx context.Context, outcome string, p providers.Provider, why respond.Reason, err error) {
	h.note(ctx, levelOf(why), outcome, p.Name(), why.String(), err)
	h.sessions.LoginFailed(ctx, p.Name(), session.Reason(why.String()))
}

// note writes the one log record of an outcome. reason is out of a closed list;
// err, where there is one, is of a kind that holds nothing secret (LEA2).
func (h *Handler) note(ctx context.Context, level slog.Level, outcome, provider, reason string, err error) {
	attrs := make([]slog.Attr, 0, 3)
	if provider != "" {
		attrs = append(attrs, slog.String("provider", provider))
	}
	if reason != "" {
		attrs = append(attrs, slog.String("reason", reason))
	}
	if err != nil {
		attrs = append(attrs, slog.String("cause", err.Error()))
	}
	h.log.LogAttrs(ctx, level, outcome, attrs...)
}

// levelOf: what an operator has to look at is louder than what users do.
func levelOf(why respond.Reason) slog.Level {
	switch {
	case why.Status() >= http.StatusInternalServerError:
		return slog.LevelError
	case why == respond.SignInInvalid:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
