package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// tokenHeader is where App Service's clients put the session token.
const tokenHeader = "X-Zumo-Auth"

// notBefore is how far the clock of who made a token may be ahead of ours.
const notBefore = time.Minute

// Reasons of an ErrNone of a request with a session token.
var (
	errBadToken      = fmt.Errorf("%w: session token of somebody else's making", ErrNone)
	errTokensDoubled = fmt.Errorf("%w: more than one token", ErrNone)
	errNoToken       = fmt.Errorf("%w: nothing to make a session token of", ErrNone)
)

// SessionToken returns a token that stands for the session, as the cookie does,
// for programs that send it in X-ZUMO-AUTH: a signed JWT (contract 3.2). It
// ends when the session does, and with it: a session that was ended has no token
// any more (docs/threats.md CDL7). It is good until ExpiresAt as that is now;
// after that /.auth/refresh takes it for the grace period, and nothing else does.
//
// Errors: ErrNone for a session that is not Active or is none of this Manager's,
// errors.ErrUnsupported where Config.SigningKeys is empty.
func (m *Manager) SessionToken(s *Session) (providers.Secret, error) {
	if len(m.signers) == 0 {
		return providers.Secret{}, fmt.Errorf("session: no signing key: set Config.SigningKeys: %w", errors.ErrUnsupported)
	}
	// A token whose end comes before its beginning is dead before it arrives.
	from, until := m.keeper.Now().Unix(), s.ExpiresAt.Unix()
	if s.manager != m || s.State() != Active || until <= from {
		return providers.Secret{}, errNoToken
	}
	token, err := m.signers[0].sign(tokenClaims{
		Subject:   s.User.SID(),
		Provider:  s.User.Provider,
		Version:   sidVersion,
		Issuer:    m.tokenIssuer,
		Audience:  m.tokenIssuer,
		ExpiresAt: until,
		NotBefore: from,
		SessionID: s.ID,
	})
	return providers.NewSecret(token), err
}

// LoadToken returns the session that a session token stands for. It costs one
// store read, and none for what is no token of ours. One whose token has run out
// is in its Grace, whatever the session itself is. Errors: ErrNone,
// ErrUnavailable.
func (m *Manager) LoadToken(ctx context.Context, token string) (*Session, error) {
	claims, ok := m.readToken(token)
	if !ok {
		return nil, errBadToken
	}
	s, err := m.load(ctx, claims.SessionID, sessionKey(claims.SessionID))
	if err != nil {
		return nil, err
	}
	ends := time.Unix(claims.ExpiresAt, 0)
	graceEnds := ends.Add(m.lifetimes.grace)
	switch {
	case claims.Provider != s.User.Provider || claims.Subject != s.User.SID(),
		time.Unix(claims.NotBefore, 0).After(s.now.Add(notBefore)):
		return nil, errBadToken
	case !s.now.Before(graceEnds):
		return nil, errOver // the session may go on, by its cookie or by a newer token
	}
	s.carrier, s.stale = Token, !s.now.Before(ends)
	s.GraceUntil = earlier(s.GraceUntil, graceEnds)
	return s, nil
}

// loadHeader returns the session of X-ZUMO-AUTH.
func (m *Manager) loadHeader(ctx context.Context, values []string) (*Session, error) {
	if len(values) != 1 {
		return nil, errTokensDoubled
	}
	return m.LoadToken(ctx, values[0])
}

// readToken returns the claims of a token that one of the keys signed, for this
// application. What it says is not yet true: the session decides.
func (m *Manager) readToken(token string) (tokenClaims, bool) {
	if len(token) > maxToken {
		return tokenClaims{}, false
	}
	for _, key := range m.signers {
		if c, ok := key.read(token); ok {
			return c, c.Version == sidVersion && c.Issuer == m.tokenIssuer && c.Audience == m.tokenIssuer &&
				c.NotBefore < c.ExpiresAt && wellFormed(c.SessionID)
		}
	}
	return tokenClaims{}, false
}
