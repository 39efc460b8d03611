package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/internal/versioned"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

var (
	// ErrNone: there is no session: no cookie and no token, a malformed or doubled
	// one, an unknown, ended or expired session. The text says which.
	ErrNone = errors.New("session: none")
	// ErrNoCookie is the ErrNone of a request that brought nothing along by which
	// it could have a session.
	ErrNoCookie = fmt.Errorf("%w: no cookie", ErrNone)
	// ErrUnavailable: the store or the provider could not be asked whether
	// there is a session. Nobody is signed out for it.
	ErrUnavailable = errors.New("session: cannot be determined now")
)

// Manager starts, loads, renews and ends sessions. It is safe for concurrent
// use.
type Manager struct {
	store     store.Store
	providers map[string]providers.Provider
	lifetimes lifetimes
	cookie    string // name
	cookies   *cookieSessions
	keeper    *grant.Keeper
	signers   []signer // of session tokens, newest first; none: there are no such tokens
	bearers   []bearerProvider
	discard   bool // tokens
	decoded   *versioned.Cache[*record]
	endOnDead bool

	tokenIssuer string

	hooks Hooks
	log   *slog.Logger

	background   *background
	watches      *watches
	ready        readiness
	checkBackend func(context.Context) error // may be nil
}

// NewManager returns a Manager. It dials nothing and starts nothing.
func NewManager(c Config) (*Manager, error) {
	if c.Store == nil {
		return nil, errors.New("session: no store: set Config.Store, memstore.New() for one process")
	}
	attributes := cookieAttributes(c.InsecureCookie, c.sameSite())
	m := &Manager{
		store:     c.Store,
		providers: make(map[string]providers.Provider),
		lifetimes: c.lifetimes(),
		cookie:    attributes.Name,
		cookies:   newCookieSessions(c.Store, attributes),
		decoded:   versioned.New[*record](8192),
		endOnDead: c.EndOnRevoke,
		discard:   c.DiscardTokens,
		hooks:     c.Hooks,
		log:       c.logger(),

		background:   newBackground(),
		checkBackend: c.CheckStore,
		tokenIssuer:  c.TokenIssuer,
	}
	var err error
	if m.signers, err = newSigners(c.SigningKeys); err != nil {
		return nil, err
	}
	if len(m.signers) > 0 && !strings.HasSuffix(c.TokenIssuer, "/") {
		return nil, errors.New("session: no issuer for session tokens: set Config.TokenIssuer to the public URL, with a slash at its end")
	}
	m.watches = newWatches(m)
	for _, p := range c.Providers {
		m.providers[p.Name()] = p
	}
	if m.bearers, err = m.bearersOf(c.BearerProviders); err != nil {
		return nil, err
	}
	m.keeper = grant.NewKeeper(grant.Config{
		Store:        c.Store,
		Providers:    m.providers,
		Logger:       m.log,
		WaitBudget:   c.WaitBudget,
		MaxCalls:     c.MaxProviderCalls,
		ReauthNotice: c.ReauthNotice,
		// A refresh may be followed by a renewal of the session a little later;
		// the grant's row must not be the first to go.
		Retention:  m.lifetimes.session + m.lifetimes.grace + time.Hour,
		Refreshed:  m.refreshed,
		Failed:     m.refreshFailed,
		Waited:     m.waited,
		ReauthSoon: m.reauthSoon,
		Identified: m.identified,
		Expelled:   m.expelled,
	})
	return m, nil
}

// Provider returns the provider of this name.
func (m *Manager) Provider(name string) (p providers.Provider, ok bool) {
	p, ok = m.providers[name]
	return p, ok
}

// Close stops waiting, watching and background work, and waits for calls to
// providers that are under way. It ends no session, and closes no channel that
// Session.Done returned.
func (m *Manager) Close() error {
	m.background.close()
	m.keeper.Close()
	return nil
}

// Load returns the session of the request, Active or in its Grace (never Over):
// the one that X-ZUMO-AUTH names, or else the cookie. Where the header is there,
// it alone decides: a program that sends one must not be somebody else because
// of a cookie. It costs one store read, and none where there is nothing
// well-formed to look for. Errors: ErrNone, ErrUnavailable.
func (m *Manager) Load(r *http.Request) (*Session, error) {
	if values, ok := r.Header[tokenHeader]; ok && len(m.signers) > 0 {
		return m.loadHeader(r.Context(), values)
	}
	return m.loadCookie(r)
}

// LoadAny is Load for the application's own routes, where a client may bring an
// access token of the provider along instead (Config.BearerProviders): that
// decides over a cookie too, but not over X-ZUMO-AUTH. Errors: those of Load,
// among the ErrNone ErrBearer and ErrForbidden.
func (m *Manager) LoadAny(r *http.Request) (*Session, error) {
	if len(m.bearers) > 0 {
		token, ok := bearer(r.Header)
		if _, own := r.Header[tokenHeader]; ok && !(own && len(m.signers) > 0) {
			return m.loadBearer(r.Context(), token)
		}
	}
	return m.Load(r)
}

// loadCookie returns the session that the request's cookie names.
func (m *Manager) loadCookie(r *http.Request) (*Session, error) {
	value, n := readCookie(r.Header, m.cookie)
	switch {
	case n == 0:
		return nil, ErrNoCookie
	case n > 1:
		return nil, errDoubled
	case !wellFormed(value):
		return nil, errMalformed
	}
	id, key := idOf(value)
	s, err := m.load(r.Context(), id, key)
	if err != nil {
		return nil, err
	}
	s.cookie, s.carrier = value, Cookie
	return s, nil
}

// load returns the session of this id, whose key is given.
func (m *Manager) load(ctx context.Context, id, key string) (*Session, error) {
	ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
	defer cancel()
	grantKey := grantKey(id)
	rows, err := m.store.Load(ctx, key, grantKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return m.open(ctx, id, grantKey, rows)
}

// open returns the session that its two rows, just loaded, show.
func (m *Manager) open(ctx context.Context, id, grantKey string, rows []store.Entry) (*Session, error) {
	rec := m.decode(id, rows[0])
	if rec == nil || gone(rows[1]) || !rec.PendingUntil.IsZero() {
		return nil, errUnknown
	}
	s := m.view(id, rec, rows[0].Now)
	if s.state == Over {
		m.lapse(ctx, s.event(m.lifetimes.why(rec, s.now)))
		return nil, errOver
	}
	m.keeper.Open(&s.grant, grantKey, m.owner(id, rec), rows[1])
	s.ReauthAt = s.grant.ReauthAt(ctx)
	return s, nil
}

// Reasons of an ErrNone that cost no look at the store, or that everybody meets.
var (
	errDoubled   = fmt.Errorf("%w: more than one cookie", ErrNone)
	errMalformed = fmt.Errorf("%w: malformed cookie", ErrNone)
	errUnknown   = fmt.Errorf("%w: unknown or ended", ErrNone)
	errOver      = fmt.Errorf("%w: expired", ErrNone)
)

// CookieDoubled reports whether the request carries more than one session
// cookie (docs/threats.md COO3): such a request has no session.
func (m *Manager) CookieDoubled(r *http.Request) bool {
	_, n := readCookie(r.Header, m.cookie)
	return n > 1
}

// WriteCookie sends the session's cookie again, with its present expiry. The
// value does not change. A session that was not loaded by its cookie has none.
func (m *Manager) WriteCookie(w http.ResponseWriter, s *Session) {
	if s.cookie == "" {
		return
	}
	m.cookies.writeCookie(w, s.cookie, s.GraceUntil)
}

// ClearCookie tells the browser to drop the session cookie.
func (m *Manager) ClearCookie(w http.ResponseWriter) {
	m.cookies.writeCookie(w, "", time.Time{})
}

// decode decodes a session's row once per version, and forgets it with the row.
func (m *Manager) decode(id string, e store.Entry) *record {
	if rec, ok := m.decoded.Get(id, e.Version); ok {
		return rec
	}
	_, rec := m.cookies.open(context.Background(), id, e) // ok: the row is here; nothing is read
	if rec != nil {
		rec.user = m.describe(rec)
		m.decoded.Put(id, e.Version, rec)
	} else {
		m.decoded.Delete(id)
	}
	return rec
}

// view makes the Session of a record at now.
func (m *Manager) view(id string, rec *record, now time.Time) *Session {
	s := &Session{
		ID:         id,
		User:       rec.user,
		CreatedAt:  rec.CreatedAt,
		AuthTime:   rec.AuthTime,
		ExpiresAt:  rec.ExpiresAt,
		GraceUntil: m.lifetimes.graceEnd(rec),
		SeenAt:     rec.SeenAt,
		manager:    m,
		state:      m.lifetimes.state(rec, now),
		now:        now,
	}
	s.end.Store(m.lifetimes.end(rec).UnixNano())
	return s
}

func (m *Manager) owner(id string, rec *record) grant.Owner {
	return grant.Owner{SessionID: id, Provider: rec.Provider, Identity: rec.identity()}
}
