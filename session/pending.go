package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/store"
)

// pendingMargin is how much longer than it can be claimed the row of a pending
// session is kept, for whoever clears it away.
const pendingMargin = time.Minute

// errClaimed is of a session that is not pending, or not any more.
var errClaimed = fmt.Errorf("%w: claimed before, or too late", ErrNone)

// StartPending stores a completed login whose client has yet to prove that it is
// the one that asked, and returns the id of the session that begins when it has:
// see Claim. Until then there is no session: nothing opens it or lists it, though
// what ends the user's sessions ends it as well. One that nobody claims within
// wait ends by itself, whatever becomes of this process.
//
// Errors: those of Start.
func (m *Manager) StartPending(ctx context.Context, login *providers.Login, wait time.Duration) (id string, err error) {
	if err := named(login); err != nil {
		return "", err
	}
	ctx = context.WithoutCancel(ctx)
	rec := m.newRecord(login, m.keeper.Now())
	rec.PendingUntil = rec.CreatedAt.Add(wait)
	if id, _, err = m.keep(ctx, login, rec, rec.PendingUntil.Add(pendingMargin)); err != nil {
		return "", err
	}
	// The rows expire without us. What only a living process can do is revoke.
	m.background.spawn(func(closing context.Context) {
		late := time.NewTimer(wait + time.Second)
		defer late.Stop()
		select {
		case <-closing.Done():
			return
		case <-late.C:
		}
		if err := m.Disclaim(ctx, id); err != nil {
			m.log.WarnContext(ctx, "session without a client left to expire", "session", id, "cause", err)
		}
	})
	return id, nil
}

// Claim begins a pending session, without a cookie as by StartToken, for the first
// who calls it in time, in whatever process. Errors: ErrNone; ErrUnavailable,
// after which it can be tried again.
func (m *Manager) Claim(ctx context.Context, id string) (*Session, error) {
	ctx = context.WithoutCancel(ctx)
	first, mark := false, rand.Text()
	rec, now, err := m.update(ctx, id, func(r *record, now time.Time) bool {
		first = !r.PendingUntil.IsZero() && !now.After(r.PendingUntil)
		r.PendingUntil, r.Claim = time.Time{}, mark
		return first
	})
	if errors.Is(err, ErrUnavailable) { // only the answer may be lost
		if rows, again := m.rows(ctx, []string{sessionKey(id)}); again == nil {
			if stored := m.decode(id, rows[0]); stored != nil && stored.Claim == mark {
				rec, now, err = stored, rows[0].Now, nil
			}
		}
	}
	switch {
	case err != nil:
		return nil, err
	case !first:
		return nil, errClaimed
	}
	s := m.view(id, rec, now)
	s.carrier = Token
	m.began(ctx, s, 0)
	return s, nil
}

// Disclaim ends a session that is pending, and no other: its client turned out to
// be somebody else, or never came. Nobody hears of it, as nobody was signed in.
// The error is ErrUnavailable: it is still pending.
func (m *Manager) Disclaim(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	key := sessionKey(id)
	rows, err := m.rows(ctx, []string{key})
	if err != nil {
		return err
	}
	rec := m.decode(id, rows[0])
	if rec == nil || rec.PendingUntil.IsZero() {
		return nil
	}
	// The row is what Claim competes for, so it goes first.
	err = m.write(ctx, key, store.Entry{Value: removed, Version: rows[0].Version, ExpiresAt: rows[0].Now.Add(time.Minute)})
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	if err != nil {
		return err
	}
	m.decoded.Delete(id)
	if err := m.keeper.End(ctx, grantKey(id), rec.Provider); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return m.drop(ctx, key)
}
