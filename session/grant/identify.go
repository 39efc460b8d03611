package grant

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

const (
	identifyAtOnce  = 250 * time.Millisecond // before the commit: what needs no call to the provider
	identifyTimeout = 5 * time.Second        // between the commit and the answer
)

// identified is what the ID token that came with a refresh says.
type identified struct {
	identity providers.Identity
	told     bool // there was a token, and it is valid
	err      error
}

// ends returns why the login is over: the tokens are about somebody else, or
// about somebody who may not come in any more. Empty: it is not.
func (i identified) ends() string {
	pe, ok := errors.AsType[*providers.Error](i.err)
	switch {
	case ok && pe.Kind == providers.Mismatch:
		return ReasonMismatch
	case ok && pe.Kind == providers.NotAllowed:
		return ReasonNotAllowed
	}
	return ""
}

// undecided reports whether more time might bring a verdict.
func (i identified) undecided() bool { return i.err != nil && i.ends() == "" }

// identify looks at the ID token that came with a refresh, if one did.
func (k *Keeper) identify(ctx context.Context, g *Grant, t *providers.Tokens, timeout time.Duration) identified {
	v, ok := k.cfg.Providers[g.owner.Provider].(providers.Verifier)
	if !ok || t.IDToken.IsZero() {
		return identified{}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	id, err := v.VerifyRefreshed(ctx, t.IDToken, g.owner.Identity)
	return identified{id, err == nil, err}
}

// tellIdentified hands the claims on. Whatever is wrong with an ID token that is
// not somebody else's (keys that cannot be fetched, a clock that is off) leaves
// them as they were.
func (k *Keeper) tellIdentified(ctx context.Context, g *Grant, i identified) {
	switch {
	case i.err != nil:
		k.cfg.Logger.WarnContext(ctx, "refreshed ID token not accepted", "provider", g.owner.Provider,
			"session", g.owner.SessionID, "cause", i.err)
	case i.told && k.cfg.Identified != nil:
		k.cfg.Identified(ctx, g.owner, i.identity)
	}
}

// expel ends a login for what the ID token of its refresh says, and revokes what
// the refresh brought.
func (k *Keeper) expel(ctx context.Context, g *Grant, i identified, newest *record) error {
	k.tellIdentified(ctx, g, i)
	end := func() error { return k.end(ctx, g.key, g.owner.Provider, newest, always) }
	if err := end(); err != nil {
		k.cfg.Logger.ErrorContext(ctx, "expelled grant not deleted yet", "session", g.owner.SessionID, "cause", err)
		k.spawn(func() { k.insist(ctx, end) })
	}
	if k.cfg.Expelled != nil {
		k.cfg.Expelled(ctx, g.owner, i.ends())
	}
	return &ReauthError{Reason: i.ends()}
}
