// Package grant keeps the tokens of one login fresh: who refreshes, who waits,
// what a failure means. It is the heart of easyauth.
//
// Read refresh.go first: it is the protocol, from a caller that wants a token to
// what becomes of each answer. What it asks on its way is told in phase.go (when
// is a token stale), attempt.go (may the refresh token be presented), gate.go (is
// it this process's turn) and commit.go with escrow.go (what is never lost).
package grant

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/internal/versioned"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

const (
	// callTimeout is the time of one call to a provider. The lease of an attempt
	// is longer, by leaseMargin.
	callTimeout = 15 * time.Second
	// StoreTimeout is the time of one store operation: whoever depends on a store
	// that hangs is told so within a second.
	StoreTimeout = 800 * time.Millisecond
	// maxCalls is the default of Config.MaxCalls (docs/threats.md DOS5).
	maxCalls = 32
)

// Config wires a Keeper.
type Config struct {
	Store     store.Store
	Providers map[string]providers.Provider
	Logger    *slog.Logger

	WaitBudget   time.Duration // how long a caller waits for a token; 0: 15 s, the time of one call to a provider
	MaxCalls     int           // refreshes of this process that may be under way at once at one provider; 0: 32
	Retention    time.Duration // how long a record is kept after each refresh
	ReauthNotice time.Duration // how long before a refresh token dies ReauthSoon is told; 0: 7 days, or a tenth of its life if that is less

	// The hooks below may be nil. They run after the commit, on the goroutine
	// that did the refresh; Waited runs on the caller's.

	Refreshed  func(context.Context, Owner, Outcome)
	Failed     func(context.Context, Owner, Outcome)
	ReauthSoon func(context.Context, Owner, Outcome)
	// Waited is told once for every caller that had to wait for a refresh, its
	// own process's or another's, whatever came of it.
	Waited func(context.Context, Owner, Outcome)
	// Identified is told the identity that a refreshed ID token brought.
	Identified func(context.Context, Owner, providers.Identity)
	// Expelled is told that a refresh returned somebody else's identity, or that
	// of a user who may not come in any more, and which of the two: the
	// grant is already gone, and the session must go too.
	Expelled func(ctx context.Context, o Owner, reason string)
}

// Keeper keeps grants. One Keeper per process and store is what makes a
// thousand requests share one refresh; further processes are told apart by the
// record itself. It is safe for concurrent use.
type Keeper struct {
	cfg     Config
	clock   *clock
	flights flights
	gates   map[string]*gate // by provider
	escrow  escrow
	decoded *versioned.Cache[*record]

	stop    chan struct{} // closed by Close: nobody waits or retries any more
	closing sync.Mutex
	closed  bool
	work    sync.WaitGroup
}

// NewKeeper returns a Keeper. It dials nothing and starts nothing.
func NewKeeper(cfg Config) *Keeper {
	cfg.WaitBudget = or(cfg.WaitBudget, callTimeout)
	cfg.Retention = or(cfg.Retention, 80*time.Hour)
	cfg.MaxCalls = or(cfg.MaxCalls, maxCalls)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{
		cfg:     cfg,
		clock:   newClock(),
		gates:   make(map[string]*gate),
		decoded: versioned.New[*record](8192),
		stop:    make(chan struct{}),
	}
	for name := range cfg.Providers {
		k.gates[name] = newGate(name, cfg.MaxCalls, k.stop, cfg.Logger)
	}
	return k
}

// Close ends waiting and background work. A call to a provider that is already
// on its way is not cut off, because its answer may be the only living refresh
// token: Close waits for it and for its commit.
func (k *Keeper) Close() {
	k.closing.Lock()
	if !k.closed {
		k.closed = true
		close(k.stop)
	}
	k.closing.Unlock()
	k.work.Wait()
}

// spawn runs f on a goroutine that Close waits for. It reports false, and does
// not run f, once the Keeper is closed.
func (k *Keeper) spawn(f func()) bool {
	k.closing.Lock()
	defer k.closing.Unlock()
	if k.closed {
		return false
	}
	k.work.Go(f)
	return true
}

// background is spawn for what must be done in any case: in a closed Keeper it
// is done here and now.
func (k *Keeper) background(f func()) {
	if !k.spawn(f) {
		f()
	}
}

// pause waits for d, or until ctx or the Keeper ends; it reports whether d passed.
func (k *Keeper) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-k.stop:
	}
	return false
}

// insist does something to the store until it succeeds. When the process ends
// it tries once more, whatever the clock says, and returns what came of that.
func (k *Keeper) insist(ctx context.Context, try func() error) error {
	for wait := 100 * time.Millisecond; k.pause(ctx, wait); wait = min(wait*2, 5*time.Second) {
		if try() == nil {
			return nil
		}
	}
	return try()
}

// load reads one record; nil means that the login ended.
func (k *Keeper) load(ctx context.Context, key string) (*record, store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	asked := time.Now()
	entries, err := k.cfg.Store.Load(ctx, key)
	if err != nil {
		return nil, store.Entry{}, err
	}
	k.clock.observe(asked, entries[0].Now)
	return k.decode(key, entries[0]), entries[0], nil
}

// save writes rec in place of the entry e was loaded as.
func (k *Keeper) save(ctx context.Context, key string, rec *record, e store.Entry) (store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	value, err := rec.encode()
	if err != nil {
		return store.Entry{}, err
	}
	e.Value = value
	asked := time.Now()
	saved, err := k.cfg.Store.Save(ctx, key, e)
	if err != nil {
		return store.Entry{}, err
	}
	k.clock.observe(asked, saved.Now)
	k.decoded.Put(key, saved.Version, rec)
	return saved, nil
}

// decode decodes an entry once per version.
func (k *Keeper) decode(key string, e store.Entry) *record {
	if rec, ok := k.decoded.Get(key, e.Version); ok {
		return rec
	}
	rec := decode(e)
	if rec != nil {
		k.decoded.Put(key, e.Version, rec)
	}
	return rec
}

// refresher returns the provider's ability to refresh, and its policy.
// client is this application at one provider, as it is configured now.
type client struct {
	refresher    providers.Refresher // nil: the provider has no refresh
	policy       providers.RefreshPolicy
	registration string // "" where the provider does not say
}

func (k *Keeper) client(provider string) (c client) {
	p := k.cfg.Providers[provider]
	if r, ok := p.(providers.Refresher); ok {
		c.refresher, c.policy = r, r.RefreshPolicy()
	}
	if r, ok := p.(providers.Registered); ok {
		c.registration = r.Registration()
	}
	return c
}

// Now is the store's time, as far as it is known between two looks.
func (k *Keeper) Now() time.Time { return k.clock.now() }

// or is a setting, or its default where it is not set.
func or[T time.Duration | int](set, fallback T) T {
	if set <= 0 {
		return fallback
	}
	return set
}
