package grant_test

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// op is a provider whose token endpoint does what a test says. It keeps what
// every provider keeps: which refresh tokens live, and which were presented.
type op struct {
	policy providers.RefreshPolicy
	client string        // whose tokens these are
	life   time.Duration // of access tokens
	takes  time.Duration // of every answer

	mu        sync.Mutex
	live      map[string]bool      // refresh tokens
	graced    map[string]time.Time // consumed ones that may be replayed until then
	presented map[string]int
	calls     int
	revoked   []string
	unrevoked int         // how many revocations fail first
	times     []time.Time // of the calls
	answers   []answer    // for the next calls; afterwards every call succeeds
	audiences []string
	identity  error // what VerifyRefreshed says
	idToken   bool
	outage    func() answer // nil: none; else asked before answers
	inside    int           // calls under way
	most      int           // of them at once
	order     []string      // refresh tokens as they were presented
	keeps     bool          // returns no new refresh token, and the old one stays
	silent    bool          // and does not repeat the old one either
	verifying func()        // called by VerifyRefreshed
	revoking  time.Duration // a revocation takes
	errands   int           // revocations under way
	errandsAt int           // most of them at once
}

// answer overrides what one call does.
type answer struct {
	kind       providers.Kind // with fail
	fail       bool
	rotates    bool // the provider consumed the token although the caller gets an error
	retryAfter time.Duration
	takes      time.Duration
	refreshIn  time.Duration
}

func newOP(policy providers.RefreshPolicy) *op {
	return &op{policy: policy, life: time.Hour, live: map[string]bool{"rt0": true}, presented: map[string]int{}, graced: map[string]time.Time{}}
}

func (o *op) Name() string { return "op" }
func (o *op) Begin(context.Context, *providers.Flow, url.Values) (string, error) {
	panic("not part of these tests")
}
func (o *op) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	panic("not part of these tests")
}
func (o *op) RefreshPolicy() providers.RefreshPolicy { return o.policy }

func (o *op) Refresh(ctx context.Context, req providers.RefreshRequest) (*providers.Tokens, error) {
	sent := time.Now()
	o.mu.Lock()
	o.calls++
	o.times = append(o.times, sent)
	n := o.calls
	o.inside++
	o.most = max(o.most, o.inside)
	defer func() {
		o.mu.Lock()
		o.inside--
		o.mu.Unlock()
	}()
	var a answer
	if o.outage != nil {
		a = o.outage()
	}
	if !a.fail && len(o.answers) > 0 {
		a, o.answers = o.answers[0], o.answers[1:]
	}
	rt := req.RefreshToken.Reveal()
	o.presented[rt]++
	o.order = append(o.order, rt)
	known := o.live[rt] || time.Now().Before(o.graced[rt])
	next := fmt.Sprintf("rt%d", n)
	if o.keeps || o.policy.Class == providers.Reusable {
		next = rt
	}
	if known && (!a.fail || a.rotates) && next != rt {
		if o.live[rt] && o.policy.Class == providers.Graced {
			o.graced[rt] = time.Now().Add(o.policy.Window)
		}
		delete(o.live, rt)
		o.live[next] = true
	}
	o.audiences = append(o.audiences, req.Resource)
	o.mu.Unlock()

	select {
	case <-time.After(max(o.takes, a.takes)):
	case <-ctx.Done():
		return nil, &providers.Error{Provider: "op", Op: "refresh", Kind: providers.Unknown, Err: ctx.Err()}
	}
	switch {
	case a.fail:
		return nil, &providers.Error{Provider: "op", Op: "refresh", Kind: a.kind, RetryAfter: a.retryAfter}
	case !known:
		return nil, &providers.Error{Provider: "op", Op: "refresh", Kind: providers.Revoked, Code: "invalid_grant"}
	}
	t := &providers.Tokens{
		AccessToken:  providers.NewSecret(fmt.Sprintf("at%d%s", n, req.Resource)),
		RefreshToken: providers.NewSecret(next),
		SentAt:       sent, ExpiresIn: o.life, RefreshIn: a.refreshIn,
	}
	if o.silent {
		t.RefreshToken = providers.Secret{}
	}
	if o.idToken {
		t.IDToken = providers.NewSecret(fmt.Sprintf("id%d", n))
	}
	return t, nil
}

func (o *op) Revoke(_ context.Context, rt providers.Secret) error {
	o.mu.Lock()
	o.errands++
	o.errandsAt = max(o.errandsAt, o.errands)
	o.mu.Unlock()
	time.Sleep(o.revoking)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.errands--
	if o.unrevoked > 0 {
		o.unrevoked--
		return &providers.Error{Provider: "op", Op: "revoke", Kind: providers.Busy}
	}
	delete(o.live, rt.Reveal())
	o.revoked = append(o.revoked, rt.Reveal())
	return nil
}

func (o *op) Registration() string { return o.client }

func (o *op) VerifyRefreshed(context.Context, providers.Secret, providers.Identity) (providers.Identity, error) {
	if o.verifying != nil {
		o.verifying()
	}
	return providers.Identity{Issuer: "iss", Subject: "sub"}, o.identity
}

func (o *op) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls
}

// house is one or more processes that share a store and a provider.
type house struct {
	t     *testing.T
	op    *op
	store *storetest.Faulty
	rows  store.Store // as requests see it: store, or what a test puts before it
	cfg   grant.Config
	mu    sync.Mutex
	said  []string // outcomes, as the hooks were told
}

const key = "easyauth:{test}:grant"

func newHouse(t *testing.T, o *op) *house {
	h := &house{t: t, op: o, store: storetest.NewFaulty(memstore.New())}
	note := func(what string) func(context.Context, grant.Owner, grant.Outcome) {
		return func(_ context.Context, _ grant.Owner, out grant.Outcome) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.said = append(h.said, what+out.Reason)
		}
	}
	h.rows = h.store
	h.cfg = grant.Config{
		Store: h.store, Providers: map[string]providers.Provider{"op": o},
		Refreshed: note("refreshed"), Failed: note("failed:"), ReauthSoon: note("reauth soon"),
		Expelled: func(_ context.Context, _ grant.Owner, reason string) { h.said = append(h.said, "expelled:"+reason) },
	}
	return h
}

// process starts one more process.
func (h *house) process() *grant.Keeper {
	k := grant.NewKeeper(h.cfg)
	h.t.Cleanup(k.Close)
	return k
}

// crowd is many users of one house.
type crowd struct {
	*house
	keys []string
}

// newCrowd signs n users in, with tokens that expire in an hour.
func newCrowd(h *house, k *grant.Keeper, n int) *crowd {
	h.t.Helper()
	c := &crowd{house: h}
	for i := range n {
		key, rt := fmt.Sprintf("easyauth:{%d}:grant", i), fmt.Sprintf("user%d", i)
		h.op.live[rt] = true
		err := k.Create(h.t.Context(), key, "op", providers.Tokens{
			AccessToken: providers.NewSecret("at" + rt), RefreshToken: providers.NewSecret(rt),
			SentAt: time.Now(), ExpiresIn: time.Hour,
		}, time.Now().Add(1000*time.Hour))
		if err != nil {
			h.t.Fatal(err)
		}
		c.keys = append(c.keys, key)
	}
	return c
}

// token is one request of user i.
func (c *crowd) token(ctx context.Context, k *grant.Keeper, i int) (string, error) {
	entries, err := c.store.Load(ctx, c.keys[i])
	if err != nil {
		return "", err
	}
	g := new(grant.Grant)
	k.Open(g, c.keys[i], grant.Owner{SessionID: "sid", Provider: "op"}, entries[0])
	t, err := g.Token(ctx, grant.Audience{})
	if err != nil {
		return "", err
	}
	return t.AccessToken, nil
}

// login stores the tokens of a new login: at0 with an hour to live, and rt0.
func (h *house) login(k *grant.Keeper) {
	h.t.Helper()
	err := k.Create(h.t.Context(), key, "op", providers.Tokens{
		AccessToken: providers.NewSecret("at0"), RefreshToken: providers.NewSecret("rt0"),
		SentAt: time.Now(), ExpiresIn: h.op.life,
	}, time.Now().Add(1000*time.Hour))
	if err != nil {
		h.t.Fatal(err)
	}
}

// request opens the grant as a request does.
func (h *house) request(k *grant.Keeper) *grant.Grant {
	h.t.Helper()
	entries, err := h.rows.Load(h.t.Context(), key)
	if err != nil {
		h.t.Fatal(err)
	}
	g := new(grant.Grant)
	k.Open(g, key, grant.Owner{SessionID: "sid", Provider: "op"}, entries[0])
	return g
}

// token is one request that asks for the login's own token.
func (h *house) token(k *grant.Keeper) (string, error) {
	h.t.Helper()
	t, err := h.request(k).Token(h.t.Context(), grant.Audience{})
	if err != nil {
		return "", err
	}
	return t.AccessToken, nil
}

func (h *house) mustToken(k *grant.Keeper, wanted string) {
	h.t.Helper()
	if got, err := h.token(k); err != nil || got != wanted {
		h.t.Fatalf("token = %q, %v; want %q", got, err, wanted)
	}
}

var _ store.Store = (*storetest.Faulty)(nil)
