package simulation_test

import (
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// canary is in every token, and must be in no log, error or event (I18).
const canary = "C4N4RY"

// manner is what a provider does with a refresh token that was used before.
type manner uint8

const (
	kills   manner = iota // refuses it and ends the login: reuse detection
	razes                 // the same, and ends every login of the user
	refuses               // refuses it and leaves the login alone
	twins                 // answers with the same tokens again, for a window
	litters               // answers with yet another pair, for a window
	keeps                 // every answer brings the same refresh token
	silent                // no answer brings one
	grows                 // a new one each time, and the old ones stay good
)

// replayWindow is that of providers that have one.
const replayWindow = 30 * time.Second

// idp is a provider: what it is said to do, and what it does. Its methods are
// called with w.mu held.
type idp struct {
	w       *world
	name    string
	policy  providers.RefreshPolicy // what the configuration says
	manner  manner                  // what it does
	refresh time.Duration           // life of a refresh token, 0: not told and for ever
	logins  []*family
}

// newIdps makes one provider of each kind, or a few of them. The one that is
// called untold says nothing of itself.
func newIdps(w *world, d dice) []*idp {
	list := []*idp{
		{name: "strict", policy: providers.RefreshPolicy{Class: providers.Strict}, manner: kills},
		{name: "graced", policy: providers.RefreshPolicy{Class: providers.Graced, Window: replayWindow}, manner: pick(d, twins, litters)},
		{name: "reusable", policy: providers.RefreshPolicy{Class: providers.Reusable}, manner: pick(d, keeps, silent, grows)},
		{name: "wide", policy: providers.RefreshPolicy{Class: providers.Strict, Wide: true}, manner: razes},
		{name: "plain", policy: providers.RefreshPolicy{Class: providers.Strict}, manner: refuses},
		{name: "untold", manner: pick(d, kills, keeps)},
	}
	if n := pick(d, len(list), len(list), 3, 2); n < len(list) { // many users of few providers
		d.Shuffle(len(list), func(a, b int) { list[a], list[b] = list[b], list[a] })
		list = list[:n]
	}
	for _, i := range list {
		i.w = w
		if d.chance(0.2) {
			i.refresh = d.between(15*time.Minute, 30*time.Minute)
		}
	}
	return list
}

// family is one login as its provider knows it: the refresh tokens that descend
// from it.
type family struct {
	idp   *idp
	sub   string
	name  string
	ended string // why; empty: it lives
	calls []*call
	open  []*call // under way
	count int
	// swapped says that an answer was about somebody else: the login must end.
	swapped bool
	exposed *replica // who has seen that
	revoked bool     // somebody asked for the revocation of one of its tokens
	// followed says that its user signed in anew in the same browser: the token is
	// forgotten then, because the two may be one authorization.
	followed bool
}

func (f *family) String() string { return f.name }

// refreshToken is one refresh token.
type refreshToken struct {
	value   string
	fam     *family
	usedAt  time.Duration // first time; 0: never
	expires time.Duration // 0: never
	calls   []*call
	heir    *grantedTokens // what its first use brought
	revoked bool           // somebody asked for its revocation
	asked   int            // how often
}

// token is one access token.
type token struct {
	value    string
	fam      *family
	audience string
	life     time.Duration
	expires  time.Duration
	call     *call         // that brought it; nil: the sign-in
	skew     time.Duration // of the clock that measured its age
	untold   bool          // nobody was told how long it lives
	stored   bool
}

// misdated reports whether the code may be wrong about when the token dies: it was
// not told, or the clocks that it went by were put right meanwhile.
func (t *token) misdated() bool {
	w := t.fam.idp.w
	return t.untold || t.skew != 0 || t.call == nil && w.disk.jumpedAt > 0 || w.disk.jumped(t.expires-t.life-time.Minute)
}

// grantedTokens is an answer of the token endpoint.
type grantedTokens struct {
	providers.Tokens
	access *token
	newest string // the refresh token that is good from now on
}

// register signs a user in.
func (i *idp) register(sub string, d dice) (*family, *providers.Login) {
	w := i.w
	f := &family{idp: i, sub: sub, name: fmt.Sprintf("%s.%s.%d", i.name, sub, len(i.logins))}
	i.logins = append(i.logins, f)
	g := f.issue(nil, "", f.newRefresh(), d)
	if d.chance(0.1) {
		// The machine's clock is put right between the moment the request was
		// sent and the moment the answer is stored.
		g.access.skew = d.between(-30*time.Second, 30*time.Second)
		g.Tokens.SentAt = g.Tokens.SentAt.Add(g.access.skew)
	}
	w.sum.add("sign-ins")
	return f, &providers.Login{
		Provider: i.name,
		Identity: identity(i.name, sub, f.name, 0),
		Tokens:   g.Tokens,
		AuthTime: time.Now(),
	}
}

func (f *family) newRefresh() *refreshToken {
	f.count++
	t := &refreshToken{value: fmt.Sprintf("%s-rt-%s-%d", canary, f.name, f.count), fam: f}
	if f.idp.refresh > 0 {
		t.expires = f.idp.w.at() + f.idp.refresh
	}
	f.idp.w.ledger.refresh[t.value] = t
	return t
}

// issue makes the answer to one request.
func (f *family) issue(c *call, audience string, rt *refreshToken, d dice) *grantedTokens {
	w := f.idp.w
	f.count++
	t := &token{value: fmt.Sprintf("%s-at-%s-%d", canary, f.name, f.count), fam: f, audience: audience, call: c}
	t.life = w.style.accessLife + d.between(0, w.style.accessLife/4)
	t.expires = w.at() + t.life
	w.ledger.access[t.value] = t
	g := &grantedTokens{access: t, newest: rt.value}
	g.Tokens = providers.Tokens{
		AccessToken:  providers.NewSecret(t.value),
		RefreshToken: providers.NewSecret(rt.value),
		SentAt:       time.Now(),
		ExpiresIn:    t.life,
	}
	if c != nil {
		g.Tokens.SentAt = c.sent
	}
	if d.chance(w.style.untold) {
		g.ExpiresIn, t.untold = 0, true
	}
	if rt.expires > 0 {
		g.RefreshExpiresIn = rt.expires - w.at()
	}
	if f.idp.manner == silent && c != nil {
		g.RefreshToken = providers.Secret{}
	}
	if d.chance(0.4) {
		g.IDToken = idToken(f.sub, d)
	}
	return g
}

// answer is what the token endpoint does with a refresh token.
func (i *idp) answer(c *call, d dice) (*grantedTokens, *providers.Error) {
	w, rt := i.w, c.rt
	f := rt.fam
	invalid := &providers.Error{Provider: i.name, Op: "refresh", Kind: providers.Revoked, Code: "invalid_grant", Status: 400}
	c.arrived = true
	switch {
	case f.ended != "":
		return nil, invalid
	case rt.expires > 0 && w.at() >= rt.expires:
		f.end("its refresh token ran out")
		return nil, invalid
	}
	used := rt.usedAt > 0
	if !used {
		rt.usedAt = w.at()
	}
	switch i.manner {
	case keeps, silent:
		return f.issue(c, c.audience, rt, d), nil
	case grows:
		return f.issue(c, c.audience, f.newRefresh(), d), nil
	}
	if !used {
		rt.heir = f.issue(c, c.audience, f.newRefresh(), d)
		return rt.heir, nil
	}
	if (i.manner == twins || i.manner == litters) && w.at() < rt.usedAt+replayWindow {
		w.sum.add("replays")
		heir := w.ledger.refresh[rt.heir.newest]
		if i.manner == litters {
			heir = f.newRefresh()
		}
		return f.issue(c, c.audience, heir, d), nil
	}
	w.note("%s: %s sees a used refresh token of %s", c.by.name, i.name, f)
	w.sum.add("reuses seen by a provider")
	c.judgeReuse()
	switch i.manner {
	case razes:
		for _, other := range i.logins {
			if other.sub == f.sub {
				other.end("reuse")
			}
		}
	case refuses:
	default:
		f.end("reuse")
	}
	return nil, invalid
}

// end ends a login at the provider.
func (f *family) end(why string) {
	if f.ended == "" {
		f.ended = why
		f.idp.w.note("%s: %s is over: %s", f.idp.name, f, why)
	}
}

// good reports whether a refresh token would be taken now.
func (t *refreshToken) good() bool {
	switch {
	case t.fam.ended != "" || t.expires > 0 && t.fam.idp.w.at() >= t.expires:
		return false
	case t.usedAt == 0:
		return true
	}
	switch t.fam.idp.manner {
	case keeps, silent, grows:
		return true
	}
	return false
}

// identity is who a provider says the user is.
func identity(name, sub, sid string, version int) providers.Identity {
	claims, err := providers.ParseClaims([]byte(`{"sub":"` + sub + `","sid":"` + sid + `","name":"User of version ` + string(rune('0'+version)) + `"}`))
	if err != nil {
		panic(err)
	}
	return providers.Identity{Issuer: "https://" + name + ".example", Subject: sub, Claims: claims}
}

// idToken is an ID token; now and then the user has changed their name.
func idToken(sub string, d dice) providers.Secret {
	version := "0"
	if d.chance(0.3) {
		version = string(rune('1' + d.IntN(3)))
	}
	return providers.NewSecret(canary + "-id|" + sub + "|" + version)
}

// rule is the policy that binds the code. Where nobody knows how the provider
// goes about used tokens the code may learn it; where it can do no harm, any
// conclusion is right.
func (i *idp) rule() providers.RefreshPolicy {
	p := i.policy
	if i.manner == keeps {
		p.Class = providers.Reusable
	}
	return p
}
