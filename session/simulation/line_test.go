package simulation_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// line is a provider as one replica reaches it. It is to the replica what
// providers.OIDC is to a program, with the network of a bad day inside.
type line struct {
	idp *idp
	r   *replica
}

var (
	_ providers.Provider  = (*line)(nil)
	_ providers.Refresher = (*line)(nil)
	_ providers.Revoker   = (*line)(nil)
	_ providers.Verifier  = (*line)(nil)
)

// Name implements [providers.Provider].
func (l *line) Name() string { return l.idp.name }

// Begin implements [providers.Provider]. Sign-ins begin at [session.Manager.Start] here.
func (l *line) Begin(context.Context, *providers.Flow, url.Values) (string, error) {
	return "", errors.ErrUnsupported
}

// Complete implements [providers.Provider].
func (l *line) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	return nil, errors.ErrUnsupported
}

// RefreshPolicy implements [providers.Refresher].
func (l *line) RefreshPolicy() providers.RefreshPolicy { return l.idp.policy }

// call is one presentation of a refresh token.
type call struct {
	rt       *refreshToken
	by       *replica
	key      string // of the grant
	gen      uint64
	attempt  string
	audience string

	begunAt time.Duration // when its attempt was written
	sent    time.Time
	sentAt  time.Duration
	endedAt time.Duration // 0: under way

	arrived    bool           // the provider has seen it
	told       providers.Kind // what the code was told, unless delivered
	retryAfter time.Duration
	delivered  bool // the code was given tokens
	newest     string
	brought    *token
	stored     bool
	storedAt   time.Duration
}

const callLimit = 15 * time.Second

// reply is what comes back from the provider.
type reply struct {
	tokens *grantedTokens
	err    *providers.Error
}

// Refresh implements [providers.Refresher].
func (l *line) Refresh(ctx context.Context, req providers.RefreshRequest) (*providers.Tokens, error) {
	w, r := l.idp.w, l.r
	failed := func(kind providers.Kind, cause error) *providers.Error {
		return &providers.Error{Provider: l.idp.name, Op: "refresh", Kind: kind, Err: cause}
	}
	if err := r.stall(); err != nil {
		return nil, failed(providers.Unknown, err)
	}
	c, d, carrier := l.present(ctx, req)
	if c == nil {
		return nil, failed(providers.Misconfigured, errors.New("simulated: unknown token"))
	}
	w.pass("send", r, loginOf(c.key))
	if err := r.stall(); err != nil || ctx.Err() != nil {
		return nil, l.end(c, reply{err: failed(providers.NotSent, errors.Join(err, ctx.Err()))})
	}
	fate := w.weather.providerFate(w, l.idp, d)
	if fate.name != "fine" {
		w.mu.Lock()
		w.note("%s: %s: %s on the way", r.name, c.rt.fam, fate.name)
		w.sum.add("provider: " + fate.name)
		w.mu.Unlock()
	}
	answered := make(chan reply, 1)
	if fate.arrives {
		go l.carry(c, fate, carrier, answered)
	}
	var broken <-chan time.Time
	if fate.breaks > 0 {
		timer := time.NewTimer(fate.breaks)
		defer timer.Stop()
		broken = timer.C
	}
	var back reply
	select {
	case back = <-answered:
	case <-broken:
		back.err = failed(fate.kind, errLost)
		back.err.RetryAfter = fate.retryAfter
	case <-ctx.Done():
		if waited := w.at() - c.sentAt; waited < callLimit-100*time.Millisecond && !r.froze(c.sentAt) {
			w.mu.Lock()
			w.breach("I10", "%s cuts off a refresh of %s after %v", r.name, c.rt.fam, waited)
			w.mu.Unlock()
		}
		back.err = failed(providers.Unknown, context.DeadlineExceeded)
	case <-r.died:
	}
	if r.stall() != nil {
		return nil, l.end(c, reply{err: failed(providers.Unknown, errDead)})
	}
	if back.err != nil && back.err.Kind == providers.Unknown && r.froze(c.sentAt) && d.chance(0.7) {
		// It was frozen, and the answer lies in the buffer of the socket.
		select {
		case back = <-answered:
		default:
		}
	}
	w.pass("answered", r, loginOf(c.key))
	if r.stall() != nil {
		return nil, l.end(c, reply{err: failed(providers.Unknown, errDead)})
	}
	if err := l.end(c, back); err != nil {
		return nil, err
	}
	return &back.tokens.Tokens, nil
}

// present looks at what is about to be sent.
func (l *line) present(ctx context.Context, req providers.RefreshRequest) (c *call, ours, carrier dice) {
	w, r := l.idp.w, l.r
	w.mu.Lock()
	defer w.mu.Unlock()
	rt := w.ledger.refresh[req.RefreshToken.Reveal()]
	if rt == nil || rt.fam.idp != l.idp {
		w.breach("I16", "%s presents to %s a token that is not its own", r.name, l.idp.name)
		return nil, ours, carrier
	}
	f := rt.fam
	c = &call{rt: rt, by: r, key: w.ledger.keyOf[rt.value], sent: time.Now(), sentAt: w.at()}
	c.audience = req.Resource + "\n" + strings.Join(req.Scopes, " ")
	if c.audience == "\n" {
		c.audience = ""
	}
	limit, ok := ctx.Deadline()
	if left := time.Until(limit); !ok || left > callLimit || left < callLimit-100*time.Millisecond && !r.froze(w.at()-time.Minute) {
		w.breach("I10", "%s presents a token of %s with %v to go", r.name, f, left)
	}
	c.judge()
	most := w.style.maxCalls
	if most == 0 {
		most = 32
	}
	if r.calling[l.idp]++; r.calling[l.idp] > most {
		w.breach("I14", "%s has %d calls under way at %s, where %d are allowed", r.name, r.calling[l.idp], l.idp.name, most)
	}
	f.calls = append(f.calls, c)
	f.open = append(f.open, c)
	rt.calls = append(rt.calls, c)
	w.sum.add("presentations")
	w.note("%s: presents %s generation %d for %q", r.name, f, c.gen, c.audience)
	return c, w.dice("call"+f.name, len(f.calls)), w.dice("carrier"+f.name, len(f.calls))
}

// carry takes a request to the provider and its answer back.
func (l *line) carry(c *call, fate fate, d dice, answered chan<- reply) {
	w := l.idp.w
	time.Sleep(fate.there)
	w.mu.Lock()
	back := reply{err: fate.answer()}
	if back.err == nil || fate.works {
		tokens, err := l.idp.answer(c, d)
		if back.err == nil {
			back = reply{tokens, err}
		}
		if fate.swaps && back.tokens != nil {
			back.tokens.IDToken = idToken("somebody-else", d)
			c.rt.fam.swapped = true
		}
	}
	w.mu.Unlock()
	w.pass("processed", l.r, loginOf(c.key))
	if fate.loses {
		return
	}
	time.Sleep(fate.back)
	answered <- back
}

// end notes what the code is told.
func (l *line) end(c *call, back reply) error {
	w := l.idp.w
	w.mu.Lock()
	defer w.mu.Unlock()
	f := c.rt.fam
	f.open = slices.DeleteFunc(f.open, func(o *call) bool { return o == c })
	c.endedAt = w.at()
	l.r.calling[l.idp]--
	if back.err != nil {
		c.told, c.retryAfter = back.err.Kind, back.err.RetryAfter
		w.note("%s: is told %s about %s", l.r.name, c.told, f)
		return back.err
	}
	c.told = providers.Invalid // nothing failed
	c.delivered, c.newest, c.brought = true, back.tokens.newest, back.tokens.access
	if f.swapped {
		w.ledger.mayEnd(c.key, swapped)
	}
	w.sum.add("answers")
	return nil
}

// Revoke implements [providers.Revoker].
func (l *line) Revoke(ctx context.Context, rt providers.Secret) error {
	w, r := l.idp.w, l.r
	if err := r.stall(); err != nil {
		return &providers.Error{Kind: providers.Unknown, Err: err}
	}
	w.mu.Lock()
	t := w.ledger.refresh[rt.Reveal()]
	if t == nil || t.fam.idp != l.idp {
		w.breach("I16", "%s revokes at %s a token that is not its own", r.name, l.idp.name)
		w.mu.Unlock()
		return nil
	}
	t.revoked, t.fam.revoked = true, true
	w.sum.add("revocations")
	w.note("%s: revokes %s", r.name, t.fam)
	if key := w.ledger.keyOf[t.value]; key != "" && w.ledger.rows[key] != nil && w.ledger.logins[loginOf(key)] != nil {
		w.breach("I6", "%s revokes %s, whose grant stands in the store", r.name, t.fam)
	}
	t.asked++
	d := w.dice("revoke"+t.value, t.asked)
	w.mu.Unlock()
	fate := w.weather.providerFate(w, l.idp, d)
	r.sleep(ctx, min(fate.there, 2*time.Second))
	if fate.arrives && (fate.works || fate.answer() == nil) {
		w.mu.Lock()
		t.fam.end("revoked by us")
		w.mu.Unlock()
	}
	r.sleep(ctx, min(fate.back, 2*time.Second))
	if err := r.stall(); err != nil || ctx.Err() != nil || !fate.arrives || fate.loses {
		return &providers.Error{Provider: l.idp.name, Op: "revoke", Kind: providers.Unknown, Err: errLost}
	}
	if e := fate.answer(); e != nil {
		return e
	}
	return nil
}

// VerifyRefreshed implements [providers.Verifier].
func (l *line) VerifyRefreshed(ctx context.Context, raw providers.Secret, was providers.Identity) (providers.Identity, error) {
	w := l.idp.w
	d := w.dice("verify"+raw.Reveal(), int(l.idp.w.at()))
	_, rest, _ := strings.Cut(raw.Reveal(), "|")
	sub, version, _ := strings.Cut(rest, "|")
	w.mu.Lock()
	w.sum.add("verifications")
	w.mu.Unlock()
	if w.weather.stormy(w) && d.chance(0.1) { // keys that have to be fetched, and cannot be
		l.r.sleep(ctx, d.between(0, 7*time.Second))
		return providers.Identity{}, &providers.Error{Provider: l.idp.name, Op: "verify", Kind: providers.Unready}
	}
	l.r.sleep(ctx, d.between(0, time.Millisecond))
	if sub != was.Subject {
		w.mu.Lock()
		w.sum.add("identities that changed")
		w.ledger.expose(was.Claims.String("sid"), l.r)
		w.mu.Unlock()
		return providers.Identity{}, &providers.Error{Provider: l.idp.name, Op: "verify", Kind: providers.Mismatch}
	}
	var v int
	if err := json.Unmarshal([]byte(version), &v); err != nil {
		return providers.Identity{}, &providers.Error{Provider: l.idp.name, Op: "verify", Kind: providers.Invalid}
	}
	return identity(l.idp.name, sub, was.Claims.String("sid"), v), nil
}
