package session

import (
	"context"
	"errors"

	"github.com/goeasyauth/easyauth/session/grant"
)

// Tokens returns the session whose tokens a job may use that works for a user
// while they are away: of the user's sessions that live, the one with the latest
// sign-in for which an access token can be had now. The job asks the session for
// its Token or Client; [Manager.Open] finds the session of a known id instead.
//
// The session is used as it is. A job does not count as its user being there and
// renews nothing but tokens, so it ends with the session: Token then answers
// grant.ErrSessionEnded, and Done is closed. Work that must outlive the user's
// sessions needs a consent and a credential of its own.
//
// Errors: ErrNone where the user has no session, those of Sessions, and where
// there is one without a token those of Session.Token, one that is worth trying
// again before one that is not.
func (m *Manager) Tokens(ctx context.Context, user User) (*Session, error) {
	sessions, err := m.Sessions(ctx, user)
	if err != nil {
		return nil, err
	}
	cause := errUnknown
	for i, s := range sessions {
		_, err := s.Token(ctx)
		if err == nil {
			return s, nil
		}
		if i == 0 || final(cause) && !final(err) {
			cause = err
		}
	}
	return nil, cause
}

// final reports whether only the user can bring this login's tokens back.
func final(err error) bool {
	return errors.Is(err, grant.ErrReauthRequired) || errors.Is(err, grant.ErrNoRefreshToken) ||
		errors.Is(err, grant.ErrUnsupported) || errors.Is(err, grant.ErrSessionEnded)
}
