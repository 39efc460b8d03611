package grant

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

// TokenLasting is Token for who needs the token for a while: one that lives for
// d more is returned as it is, any other is renewed first. Where d is longer than
// the provider's tokens live, three quarters of their life will do. A renewal that
// fails does not cost the token that is there: look at its Expiry.
func (g *Grant) TokenLasting(ctx context.Context, aud Audience, d time.Duration) (*oauth2.Token, error) {
	key := aud.key()
	if _, err := g.access(ctx, aud); err != nil {
		return nil, err
	}
	lasts := func(r *record, now time.Time) bool {
		a := r.Access[key]
		if a.ExpiresAt.IsZero() {
			return isFresh(key)(r, now)
		}
		life := a.ExpiresAt.Sub(a.IssuedAt)
		return a.ExpiresAt.Sub(now) >= min(d, life*3/4)
	}
	if err := g.ensure(ctx, aud, lasts); errors.Is(err, ErrSessionEnded) {
		return nil, err
	}
	a, err := g.access(ctx, aud)
	if err != nil {
		return nil, err
	}
	return a.oauth2(), nil
}
