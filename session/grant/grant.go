package grant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// Grant is the tokens of one login as their user sees them. It is safe for
// concurrent use, outlives the request it was opened for, and looks at the
// store again whenever what it knows is no longer good enough.
type Grant struct {
	keeper *Keeper
	key    string
	owner  Owner

	mu       sync.Mutex
	entry    store.Entry // as last loaded; decoded when somebody asks
	loadedAt time.Time
	rec      *record
}

// reloadAfter is how old a look at the store may be for a Grant that is asked
// long after its request, by a stream for example; reloadLast how old while the
// store cannot be asked.
const (
	reloadAfter = 10 * time.Second
	reloadLast  = 30 * time.Second
)

// minForce is the floor between two renewals of a token that is still fresh
// (docs/threats.md CSR4): a loop of forced refreshes does not reach the provider.
const minForce = 5 * time.Second

// firstGen is the generation that a sign-in makes.
const firstGen = 1

// Create stores the tokens of a new login under key, until then. Where the store
// does not take them the refresh token is revoked.
func (k *Keeper) Create(ctx context.Context, key, provider string, t providers.Tokens, until time.Time) error {
	us := k.client(provider)
	if !k.clock.known() {
		k.load(ctx, key) // for the store's time; if it fails, so will what follows
	}
	began := t.SentAt
	if began.IsZero() {
		began = time.Now()
	}
	rec := &record{Provider: provider, Client: us.registration, Access: make(map[string]access)}
	rec.apply(key, Audience{}, us.policy, &t, k.clock.at(began))
	if rec.Access[""].Token == "" {
		delete(rec.Access, "")
	}
	if rec.RefreshToken == "" {
		rec.RefreshExpiresAt = time.Time{}
	}
	if _, err := k.save(ctx, key, rec, store.Entry{ExpiresAt: until}); err != nil {
		k.revoke(ctx, provider, t.RefreshToken) // nobody will ever present it
		return storeError(err)
	}
	return nil
}

// Open makes g the grant of owner as entry, just loaded from key, shows it. It
// decodes nothing yet.
func (k *Keeper) Open(g *Grant, key string, owner Owner, entry store.Entry) {
	g.keeper, g.key, g.owner, g.entry, g.loadedAt = k, key, owner, entry, time.Now()
	k.clock.glance(g.loadedAt, entry.Now)
}

// Token returns an access token for the audience that an API will still take.
//
// A fresh one costs nothing. An aging one is returned and renewed behind the
// caller. One about to die is renewed first, and returned after all if that
// takes more than a second or fails; an expired one is renewed first, within
// the wait budget. Errors: ErrReauthRequired, ErrNoRefreshToken,
// ErrUnsupported, ErrTransient, ErrMisconfigured, ErrStore, ErrSessionEnded.
func (g *Grant) Token(ctx context.Context, aud Audience) (*oauth2.Token, error) {
	a, err := g.access(ctx, aud)
	if err != nil {
		return nil, err
	}
	return a.oauth2(), nil
}

// KeepFresh does for the login's own audience what Token does, and returns no
// token.
func (g *Grant) KeepFresh(ctx context.Context) error {
	_, err := g.access(ctx, Audience{})
	return err
}

func (a access) oauth2() *oauth2.Token {
	return &oauth2.Token{AccessToken: a.Token, TokenType: "Bearer", Expiry: a.ExpiresAt}
}

func (g *Grant) access(ctx context.Context, aud Audience) (access, error) {
	rec, now, err := g.look(ctx)
	if err != nil {
		return access{}, err
	}
	k, key := g.keeper, aud.key()
	k.warn(ctx, g, rec, now)
	a, budget := rec.Access[key], k.cfg.WaitBudget
	refused := rec.refusal(now, k.client(g.owner.Provider), key)
	switch a.phase(now) {
	case Fresh, Unknown:
		return a, nil
	case Aging:
		if refused == nil && k.gates[g.owner.Provider].closedFor() == 0 {
			k.refreshBehind(ctx, g, aud, isFresh(key))
		}
		return a, nil
	case Hard:
		budget = min(budget, time.Second)
	}
	lives := func() bool { return a.phase(k.clock.now()).usable() }
	if refused == nil {
		began := time.Now()
		rec, refused = k.ensure(ctx, g, aud, isFresh(key), budget)
		if rest := k.cfg.WaitBudget - budget; rest > 0 && errors.Is(refused, ErrTransient) && !lives() { // it died meanwhile
			rec, refused = k.ensure(ctx, g, aud, isFresh(key), rest)
		}
		k.tellWaited(ctx, g.owner, began, refused)
		if refused == nil {
			g.adopt(rec)
			return rec.Access[key], nil
		}
	}
	// A token that still lives is served whatever became of its renewal.
	if lives() && !errors.Is(refused, ErrSessionEnded) {
		return a, nil
	}
	return access{}, refused
}

// isFresh wants a token that needs no renewal.
func isFresh(key string) want {
	return func(r *record, now time.Time) bool {
		p := r.Access[key].phase(now)
		return p == Fresh || p == Unknown
	}
}

// Refresh renews the login's own access token now, however fresh it is, but not
// more often than every five seconds. Errors as those of Token.
func (g *Grant) Refresh(ctx context.Context) error {
	rec, _, err := g.look(ctx)
	if err != nil {
		return err
	}
	if err := rec.final(g.keeper.client(g.owner.Provider)); err != nil {
		return err
	}
	return g.renew(ctx, Audience{}, rec.Access[""].Token)
}

// renew wants another token than the one that is there, or that an API refused.
// What the sign-in brought is no renewal: the first one is always let through.
func (g *Grant) renew(ctx context.Context, aud Audience, refused string) error {
	key := aud.key()
	return g.ensure(ctx, aud, func(r *record, now time.Time) bool {
		a := r.Access[key]
		return isFresh(key)(r, now) &&
			(a.Token != refused || a.Gen > firstGen && now.Sub(a.IssuedAt).Abs() < minForce)
	})
}

// RefreshSince makes sure that the provider has vouched for this login after t.
// Errors as those of Token.
func (g *Grant) RefreshSince(ctx context.Context, t time.Time) error {
	return g.ensure(ctx, Audience{}, func(r *record, now time.Time) bool {
		return !r.RefreshedAt.Before(t) && !r.RefreshedAt.After(now.Add(skew))
	})
}

func (g *Grant) ensure(ctx context.Context, aud Audience, w want) error {
	rec, now, err := g.look(ctx)
	if err != nil {
		return err
	}
	if w(rec, now) {
		return nil
	}
	began := time.Now()
	rec, err = g.keeper.ensure(ctx, g, aud, w, g.keeper.cfg.WaitBudget)
	g.keeper.tellWaited(ctx, g.owner, began, err)
	if err != nil {
		return err
	}
	g.adopt(rec)
	return nil
}

// Snapshot returns what is stored, without refreshing anything.
func (g *Grant) Snapshot(ctx context.Context) (Snapshot, error) {
	rec, now, err := g.look(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	a := rec.Access[""]
	return Snapshot{
		AccessToken: providers.NewSecret(a.Token),
		ExpiresAt:   a.ExpiresAt,
		Phase:       a.phase(now),
		IDToken:     providers.NewSecret(rec.IDToken),

		AccessTokenSecret:   providers.NewSecret(rec.AccessSecret),
		AuthenticationToken: providers.NewSecret(rec.AuthToken),

		RefreshToken:     providers.NewSecret(rec.RefreshToken),
		RefreshExpiresAt: rec.RefreshExpiresAt,
		Scope:            rec.Scope,
		Dead:             rec.Dead,
		RefreshedAt:      rec.RefreshedAt,
	}, nil
}

// Share makes other the same grant as g, as g knows it now.
func (g *Grant) Share(other *Grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	other.keeper, other.key, other.owner = g.keeper, g.key, g.owner
	other.entry, other.loadedAt, other.rec = g.entry, g.loadedAt, g.rec
}

// look returns the record as last loaded, and the store's time now.
func (g *Grant) look(ctx context.Context) (*record, time.Time, error) {
	if g.keeper == nil {
		return nil, time.Time{}, ErrNoRefreshToken // a Session made by hand, in a test of a handler
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	age := time.Since(g.loadedAt)
	if g.rec == nil {
		g.rec = g.keeper.decode(g.key, g.entry)
	}
	if age > reloadAfter {
		rec, entry, err := g.keeper.load(ctx, g.key)
		switch {
		case err == nil:
			g.rec, g.entry, g.loadedAt, age = rec, entry, time.Now(), 0
		case age > reloadLast:
			return nil, time.Time{}, storeError(err)
		}
	}
	if g.rec == nil {
		return nil, time.Time{}, ErrSessionEnded
	}
	now := g.entry.Now.Add(age)
	if u := g.keeper.escrow.after(g.key, g.rec); u != nil {
		return u.rec, now, nil
	}
	return g.rec, now, nil
}

// adopt takes over what a refresh brought.
func (g *Grant) adopt(rec *record) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rec, g.entry.Now, g.loadedAt = rec, g.keeper.clock.now(), time.Now()
}

// Format writes whose grant it is, whatever the verb, because a dump of the
// fields would hold tokens (docs/threats.md LEA5).
func (g *Grant) Format(f fmt.State, _ rune) {
	io.WriteString(f, "grant(of session "+g.owner.SessionID+")")
}
