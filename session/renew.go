package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// Renew renews a session in its grace period through the provider: no refresh,
// no renewal. The result is Active, with the same id and cookie value.
//
// Errors: ErrNone, wrapping the grant's reason, when the session is over;
// ErrUnavailable, wrapping it too, when that cannot be decided now.
func (m *Manager) Renew(ctx context.Context, s *Session) (*Session, error) {
	err := s.grant.RefreshSince(ctx, s.ExpiresAt)
	switch {
	case err == nil:
		return m.extend(ctx, s)
	case errors.Is(err, grant.ErrReauthRequired), errors.Is(err, grant.ErrNoRefreshToken),
		errors.Is(err, grant.ErrUnsupported), errors.Is(err, grant.ErrSessionEnded):
		if _, notEnded := m.endRefused(ctx, s, err); notEnded != nil {
			// Nobody is told to sign in whose session goes on.
			return nil, fmt.Errorf("%w: refused session not ended: %w", ErrUnavailable, notEnded)
		}
		return nil, fmt.Errorf("%w: not renewed: %w", ErrNone, err)
	}
	return nil, fmt.Errorf("%w: not renewed: %w", ErrUnavailable, err)
}

// Refresh renews the provider's tokens now (at most once per five seconds while
// they are fresh) and, with them, the session. Errors: those of
// [grant.Grant.Token]; ErrNone when the session ended meanwhile; ErrUnavailable.
func (m *Manager) Refresh(ctx context.Context, s *Session) (*Session, error) {
	if err := s.grant.Refresh(ctx); err != nil {
		if s.state == Grace || m.endOnDead { // the session itself: a token that ran out says nothing about it
			m.endRefused(ctx, s, err)
		}
		return nil, err
	}
	return m.extend(ctx, s)
}

// KeepFresh brings the access token of s up to date as far as its phase asks
// for: behind the request, or before it within the wait budget. A token that
// cannot be renewed is not an error here; the error is ErrNone, when the session
// ended by it.
func (m *Manager) KeepFresh(ctx context.Context, s *Session) error {
	if s.carrier == Bearer {
		return nil
	}
	err := s.grant.KeepFresh(ctx)
	ended := errors.Is(err, grant.ErrSessionEnded)
	if !ended && m.endOnDead {
		ended, _ = m.endRefused(ctx, s, err)
	}
	if ended {
		return fmt.Errorf("%w: %w", ErrNone, err)
	}
	return nil
}

// Touch notes that the user is there, for the idle timeout. It writes at most
// once a minute, and never without an idle timeout. A store that fails costs
// the user a minute of idle time.
func (m *Manager) Touch(ctx context.Context, s *Session) {
	if m.lifetimes.idle <= 0 || s.now.Sub(s.SeenAt) < m.lifetimes.touchEvery() {
		return
	}
	_, _, err := m.update(ctx, s.ID, func(r *record, now time.Time) bool {
		r.SeenAt = now
		return true
	})
	if err != nil && !errors.Is(err, ErrNone) {
		m.log.WarnContext(ctx, "idle time not noted", "session", s.ID, "cause", err)
	}
}

// extend gives the session another life, counted from now.
func (m *Manager) extend(ctx context.Context, s *Session) (*Session, error) {
	ctx = context.WithoutCancel(ctx)
	var token time.Time
	if t, err := s.grant.Snapshot(ctx); err == nil {
		token = t.ExpiresAt
	}
	rec, now, err := m.update(ctx, s.ID, func(r *record, now time.Time) bool {
		r.ExpiresAt, r.SeenAt = m.lifetimes.renewed(r, now, token), now
		return true
	})
	if err != nil {
		return nil, err
	}
	next := m.view(s.ID, rec, now)
	next.cookie, next.carrier, next.ReauthAt = s.cookie, s.carrier, s.grant.ReauthAt(ctx)
	s.grant.Share(&next.grant)
	return next, nil
}

// update changes the stored record by compare-and-swap; change works on a copy
// and reports whether there is anything to store. Errors: ErrNone when the
// session is gone, so that nothing is ever written back to life; ErrUnavailable.
func (m *Manager) update(ctx context.Context, id string, change func(*record, time.Time) bool) (*record, time.Time, error) {
	for {
		rows, err := m.rows(ctx, []string{sessionKey(id), grantKey(id)})
		if err != nil {
			return nil, time.Time{}, err
		}
		now := rows[0].Now
		scsCtx, rec := m.cookies.open(ctx, id, rows[0])
		if rec == nil || gone(rows[1]) {
			return nil, time.Time{}, errUnknown
		}
		rec.user = m.describe(rec)
		next := *rec
		if !change(&next, now) {
			return rec, now, nil
		}
		next.user = m.describe(&next)
		err = m.commit(scsCtx, &next, m.lifetimes.graceEnd(&next))
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		return &next, now, err
	}
}

// identified takes over the claims of a refreshed ID token (docs/threats.md SES8).
// The session is written only if they say something new.
func (m *Manager) identified(ctx context.Context, o grant.Owner, id providers.Identity) {
	_, _, err := m.update(ctx, o.SessionID, func(r *record, _ time.Time) bool {
		// A refreshed ID token may leave the sid out (OpenID Connect Core 12.2);
		// the provider will name the session by the last one it told.
		sid := cmp.Or(id.Claims.String("sid"), r.ProviderSession)
		if sameClaims(r.Claims, id.Claims) && sid == r.ProviderSession {
			return false
		}
		r.Claims, r.ProviderSession = id.Claims, sid
		return true
	})
	if err != nil && !errors.Is(err, ErrNone) {
		m.log.WarnContext(ctx, "claims of a refreshed ID token not stored", "session", o.SessionID, "cause", err)
	}
}

// perToken are the claims that differ in every ID token and say nothing about
// the user.
var perToken = map[string]bool{"iat": true, "exp": true, "nbf": true, "jti": true, "nonce": true, "at_hash": true,
	"c_hash": true, "uti": true, "aio": true, "rh": true, "sid": true, "auth_time": true}

func sameClaims(a, b providers.Claims) bool {
	count := func(c providers.Claims) (n int) {
		for name := range c.All() {
			if !perToken[name] {
				n++
			}
		}
		return n
	}
	if count(a) != count(b) {
		return false
	}
	for name, value := range a.All() {
		if !perToken[name] && string(value) != string(b.Raw(name)) {
			return false
		}
	}
	return true
}
