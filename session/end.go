package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/goeasyauth/easyauth/session/grant"
)

// End ends the session in every process: its records are deleted, so that
// nothing can write them back, and its refresh token is revoked at the provider
// where the provider can. ErrUnavailable: nothing was ended (docs/threats.md SES5).
func (m *Manager) End(ctx context.Context, s *Session) error { return m.end(ctx, s, "logout") }

func (m *Manager) end(ctx context.Context, s *Session, reason string) error {
	ctx = context.WithoutCancel(ctx)
	// The grant goes first: a session without its grant is no session, so this
	// one deletion decides.
	if err := m.keeper.End(ctx, grantKey(s.ID), s.User.Provider); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	m.forget(ctx, s.ID)
	m.ended(ctx, Event{SessionID: s.ID, Provider: s.User.Provider, UserID: s.User.ID, Reason: reason})
	return nil
}

// forget deletes what is left of a session whose grant is gone.
func (m *Manager) forget(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, grant.StoreTimeout)
	defer cancel()
	if err := m.store.Delete(ctx, sessionKey(id)); err != nil {
		m.log.WarnContext(ctx, "row of an ended session left to expire", "session", id, "cause", err)
	}
}

// endRefused ends a session whose renewal the provider refused for good. A
// refusal that a late answer could still put right leaves it to its expiry.
func (m *Manager) endRefused(ctx context.Context, s *Session, cause error) {
	var reauth *grant.ReauthError
	if !errors.As(cause, &reauth) || reauth.Reason == "in_doubt" {
		return
	}
	if err := m.end(ctx, s, reauth.Reason); err != nil {
		m.log.WarnContext(ctx, "refused session not ended", "session", s.ID, "cause", err)
	}
}

// expelled ends a session whose refresh returned somebody else's identity.
func (m *Manager) expelled(ctx context.Context, o grant.Owner) {
	m.forget(ctx, o.SessionID)
	m.ended(ctx, Event{SessionID: o.SessionID, Provider: o.Provider, UserID: o.Identity.Subject, Reason: "identity_mismatch"})
}

func (m *Manager) ended(ctx context.Context, e Event) {
	m.log.InfoContext(ctx, "session ended", "provider", e.Provider, "session", e.SessionID, "reason", e.Reason)
	m.tell(ctx, m.hooks.Ended, e)
}
