package sessiontest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

const (
	providerName = "op"
	issuer       = "https://op.example"
)

// strict is a provider that changes the refresh token at every use, and that
// takes a used one for stolen: everything of its login is dead then.
type strict struct {
	unit time.Duration

	mu       sync.Mutex
	logins   int
	families map[string]*family
}

// family is what became of one login.
type family struct {
	current int // number of the refresh token that is good
	live    bool
	reused  bool
	// followed: its user signed in anew. The token of such a login is forgotten and
	// not revoked, because at many providers the two are one authorization.
	followed bool
}

func newStrict(unit time.Duration) *strict {
	return &strict{unit: unit, families: make(map[string]*family)}
}

// login is a completed sign-in of user.
func (o *strict) login(user string) *providers.Login {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, f := range o.families {
		f.followed = f.followed || strings.HasPrefix(name, user+"/")
	}
	o.logins++
	name := user + "/" + strconv.Itoa(o.logins)
	o.families[name] = &family{live: true}
	return &providers.Login{
		Provider: providerName,
		Identity: providers.Identity{Issuer: issuer, Subject: user, Claims: claims(user, 0)},
		Tokens:   *o.tokens(name, 0),
	}
}

// tokens are those that come with the refresh token number n.
func (o *strict) tokens(name string, n int) *providers.Tokens {
	secret := func(kind string) providers.Secret {
		return providers.NewSecret(fmt.Sprintf("%s:%s:%d", kind, name, n))
	}
	return &providers.Tokens{AccessToken: secret("at"), RefreshToken: secret("rt"), IDToken: secret("id"),
		SentAt: time.Now(), ExpiresIn: 30 * o.unit}
}

// family finds the login that a token belongs to.
func (o *strict) family(token providers.Secret) (name string, n int, f *family) {
	parts := strings.Split(token.Reveal(), ":") // ok: this is the provider
	n, _ = strconv.Atoi(parts[2])
	return parts[1], n, o.families[parts[1]]
}

func (o *strict) Name() string { return providerName }

func (o *strict) RefreshPolicy() providers.RefreshPolicy {
	return providers.RefreshPolicy{Class: providers.Strict, Wide: true}
}

// Refresh implements providers.Refresher. It takes its time, before and after.
func (o *strict) Refresh(_ context.Context, req providers.RefreshRequest) (*providers.Tokens, error) {
	time.Sleep(rand.N(3 * o.unit))
	defer time.Sleep(rand.N(3 * o.unit))
	o.mu.Lock()
	defer o.mu.Unlock()
	name, n, f := o.family(req.RefreshToken)
	if n != f.current {
		f.live, f.reused = false, true
	}
	if !f.live {
		return nil, &providers.Error{Provider: providerName, Op: "refresh", Kind: providers.Revoked}
	}
	f.current++
	return o.tokens(name, f.current), nil
}

// VerifyRefreshed implements providers.Verifier: each ID token says something
// new, so that each refresh writes the session as well.
func (o *strict) VerifyRefreshed(_ context.Context, idToken providers.Secret, was providers.Identity) (providers.Identity, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, n, _ := o.family(idToken)
	was.Claims = claims(was.Subject, n)
	return was, nil
}

// Revoke implements providers.Revoker. A token that was used already is none any
// more, and revoking it ends nothing.
func (o *strict) Revoke(_ context.Context, refreshToken providers.Secret) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, n, f := o.family(refreshToken); n == f.current {
		f.live = false
	}
	return nil
}

// state returns what is true of the login that a refresh token belongs to.
func (o *strict) state(refreshToken providers.Secret) (current bool, f family) {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, n, p := o.family(refreshToken)
	return n == p.current, *p
}

// alive returns the logins that can still be refreshed, and should not be.
func (o *strict) alive() (names []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, f := range o.families {
		if f.live && !f.followed {
			names = append(names, name)
		}
	}
	return names
}

// Begin implements providers.Provider.
func (o *strict) Begin(context.Context, *providers.Flow, url.Values) (string, error) {
	panic("sessiontest: no browser takes part")
}

// Complete implements providers.Provider.
func (o *strict) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	panic("sessiontest: no browser takes part")
}

func userName(i int) string { return "user-" + strconv.Itoa(i) }

// sid names the user's session at the provider.
func sid(user string) string { return "sid-of-" + user }

func claims(user string, n int) providers.Claims {
	c, err := providers.ParseClaims(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"sid":%q,"n":%d}`, issuer, user, sid(user), n))
	if err != nil {
		panic(err)
	}
	return c
}
