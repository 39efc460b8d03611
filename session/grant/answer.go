package grant

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// answer is what the provider gave for the refresh token of one generation.
type answer struct {
	key       string  // of the grant
	presented *record // whose refresh token was presented
	audience  Audience
	policy    providers.RefreshPolicy
	tokens    *providers.Tokens
	began     time.Time // on the store's clock, before the request left
}

// on returns what the answer makes of a record of the generation presented. A
// record that somebody has buried meanwhile rises again as it was: the answer
// shows that they were wrong.
func (a *answer) on(r *record) *record {
	if r.Dead != "" {
		r = a.presented
	}
	next := r.clone()
	next.apply(a.key, a.audience, a.policy, a.tokens, a.began)
	return next
}

// apply is what an answer of the token endpoint does to a record.
func (r *record) apply(key string, audience Audience, p providers.RefreshPolicy, t *providers.Tokens, began time.Time) {
	rotated := !t.RefreshToken.IsZero() && t.RefreshToken.Reveal() != r.RefreshToken
	if r.Gen > 0 { // a sign-in shows nothing about refreshes
		r.learn(rotated)
	}
	r.Gen++
	r.Attempt = nil
	r.Backoff = backoff{}
	r.Dead = ""
	r.RefreshedAt = began
	if rotated {
		r.RefreshToken = t.RefreshToken.Reveal()
	}
	switch {
	case t.RefreshExpiresIn > 0:
		r.RefreshExpiresAt = began.Add(t.RefreshExpiresIn)
		r.Warned = r.Warned && !rotated
	case p.Lifetime > 0 && (rotated || p.Sliding):
		r.RefreshExpiresAt = began.Add(p.Lifetime)
		r.Warned = false
	}
	if !t.IDToken.IsZero() {
		r.IDToken = t.IDToken.Reveal()
	}
	if !t.AccessTokenSecret.IsZero() {
		r.AccessSecret = t.AccessTokenSecret.Reveal()
	}
	if !t.AuthenticationToken.IsZero() {
		r.AuthToken = t.AuthenticationToken.Reveal()
	}
	if audience == (Audience{}) && t.Scope != "" {
		r.Scope = t.Scope
	}
	a := access{Token: t.AccessToken.Reveal(), Gen: r.Gen, Scope: t.Scope, IssuedAt: began}
	a.age(t.ExpiresIn, t.RefreshIn, key, r.Gen)
	r.keep(audience.key(), a)
}
