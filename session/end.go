package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// End ends the session in every process: its records are deleted, so that
// nothing can write them back, and its refresh token is revoked at the provider
// where the provider can. ErrUnavailable: nothing was ended (docs/threats.md SES5).
func (m *Manager) End(ctx context.Context, s *Session) error {
	if s.carrier == Bearer {
		return nil // there is nothing but the request
	}
	_, err := m.end(ctx, s.event(ReasonLogout))
	return err
}

// EndSession ends the session of this id, for a list of sessions from which an
// administrator, or the user, picks one. Errors: ErrNone, ErrUnavailable.
func (m *Manager) EndSession(ctx context.Context, id string) error {
	s, err := m.Open(ctx, id)
	if err != nil {
		return err
	}
	_, err = m.end(ctx, s.event(ReasonAdministrative))
	return err
}

// end ends the session that e tells of, and reports whether this call is the
// one that did.
func (m *Manager) end(ctx context.Context, e Event) (bool, error) {
	return m.endBy(ctx, e, m.keeper.End)
}

func (m *Manager) endBy(ctx context.Context, e Event, endGrant func(ctx context.Context, key, provider string) error) (bool, error) {
	ctx = context.WithoutCancel(ctx)
	// The grant goes first: a session without its grant is no session, so this
	// one deletion decides.
	if err := endGrant(ctx, grantKey(e.SessionID), e.Provider); err != nil {
		return false, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return m.ended(ctx, e), nil
}

// ended removes what is left of a session whose grant is gone and tells that it
// is over, unless somebody else did.
func (m *Manager) ended(ctx context.Context, e Event) bool {
	first := m.remove(ctx, e.SessionID)
	m.decoded.Delete(e.SessionID)
	m.watches.end(e.SessionID)
	if first {
		m.log.InfoContext(ctx, "session ended", "provider", e.Provider, "session", e.SessionID, "reason", string(e.Reason))
		m.tell(ctx, m.hooks.Ended, e)
	}
	return first
}

// removed is the value of a row for the moment between its end and its deletion.
var removed = []byte{'-'}

// remove deletes the session's row, and reports whether this call did. Fifty
// requests, on any replica, may find the provider's refusal at the same moment:
// each tries to write over the row before it goes, and one of them succeeds.
// Where the store fails the answer is yes: rather is an end told twice than never.
func (m *Manager) remove(ctx context.Context, id string) bool {
	key := sessionKey(id)
	err := store.ErrConflict
	for errors.Is(err, store.ErrConflict) {
		var rows []store.Entry
		if rows, err = m.rows(ctx, []string{key}); err == nil {
			if rows[0].Version == 0 || bytes.Equal(rows[0].Value, removed) {
				return false
			}
			err = m.write(ctx, key, store.Entry{Value: removed, Version: rows[0].Version, ExpiresAt: rows[0].Now.Add(time.Minute)})
		}
	}
	if err == nil {
		err = m.drop(ctx, key)
	}
	if err != nil {
		m.log.WarnContext(ctx, "row of an ended session left to expire", "session", id, "cause", err)
	}
	return true
}

// lapse ends, behind the request that found it so, a session that ran out while
// its rows are still there: its refresh token is good for nothing any more.
func (m *Manager) lapse(ctx context.Context, e Event) {
	ctx = context.WithoutCancel(ctx)
	m.background.spawn(func(context.Context) {
		if _, err := m.end(ctx, e); err != nil {
			m.log.WarnContext(ctx, "session that ran out left to expire", "session", e.SessionID, "cause", err)
		}
	})
}

// endRefused ends a session whose renewal the provider refused for good, and
// reports whether it did so; the error is that of a store that did not let it. A
// refusal that a late answer could still put right leaves the session to its
// expiry.
func (m *Manager) endRefused(ctx context.Context, s *Session, cause error) (ended bool, err error) {
	reauth, ok := errors.AsType[*grant.ReauthError](cause)
	if !ok || reauth.Reason == grant.ReasonInDoubt {
		return false, nil
	}
	if _, err := m.endBy(ctx, s.event(Reason(reauth.Reason)), m.keeper.EndRefused); err != nil {
		m.log.WarnContext(ctx, "refused session not ended", "session", s.ID, "cause", err)
		return false, err
	}
	return true, nil
}

// expelled ends a session for what the ID token of a refresh said.
func (m *Manager) expelled(ctx context.Context, o grant.Owner, reason string) {
	m.ended(ctx, Event{SessionID: o.SessionID, Provider: o.Provider, UserID: o.Identity.Subject, Reason: Reason(reason)})
}
