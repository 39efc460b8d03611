package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

var (
	// ErrBearer is the ErrNone of an access token that no provider knows as one
	// for this application (RFC 6750 section 3.1, invalid_token).
	ErrBearer = fmt.Errorf("%w: access token refused", ErrNone)
	// ErrForbidden is the ErrNone of somebody who is known and may not come in:
	// signing in would not help them.
	ErrForbidden = fmt.Errorf("%w: not allowed", ErrNone)
)

// maxBearer is the longest access token that a provider is asked about.
const maxBearer = 16 << 10

// Vouched returns a session for one request: of a user for whom the provider
// vouches by an access token that the client brought along. Nothing of it is
// stored, it has no tokens, no id and no Done, and it ends where the access
// token does.
func (m *Manager) Vouched(provider string, id providers.Identity, until time.Time) *Session {
	now := m.keeper.Now()
	rec := &record{Provider: provider, Issuer: id.Issuer, Subject: id.Subject, Claims: id.Claims}
	// That somebody has a token does not say that they proved a moment ago who they are.
	proved, _ := id.Claims.Time("auth_time")
	return &Session{User: m.describe(rec), CreatedAt: now, AuthTime: proved, ExpiresAt: until, GraceUntil: until, SeenAt: now, now: now, carrier: Bearer}
}

// bearer returns the token of Authorization: Bearer (RFC 6750 section 2.1). ok
// is false where the request has no such header.
func bearer(h http.Header) (token string, ok bool) {
	for _, value := range h["Authorization"] {
		scheme, rest, _ := strings.Cut(value, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if ok || len(h["Authorization"]) > 1 {
			return "", true // two are none
		}
		token, ok = strings.TrimLeft(rest, " "), true
	}
	return token, ok
}

// loadBearer asks the providers, in their order, until one knows the token: each
// refuses what another issuer has signed. One that cannot tell, because its keys
// cannot be fetched, is no reason not to ask the next.
func (m *Manager) loadBearer(ctx context.Context, token string) (*Session, error) {
	if token == "" || len(token) > maxBearer {
		return nil, ErrBearer
	}
	verdict := ErrBearer
	for _, p := range m.bearers {
		id, until, err := p.VerifyBearer(ctx, providers.NewSecret(token))
		if err == nil {
			if id.Issuer == "" || id.Subject == "" {
				return nil, ErrBearer // it would be one user for all
			}
			return m.Vouched(p.Name(), id, until), nil
		}
		kind := providers.Unknown
		if pe, ok := errors.AsType[*providers.Error](err); ok {
			kind = pe.Kind
		}
		switch kind {
		case providers.Invalid, providers.Mismatch, providers.Denied:
		case providers.NotAllowed:
			return nil, fmt.Errorf("%w: %w", ErrForbidden, err)
		default:
			verdict = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return nil, verdict
}

// bearerProvider is a provider whose access tokens may be sent to us.
type bearerProvider interface {
	providers.Provider
	providers.BearerVerifier
}

// bearersOf returns the providers of these names.
func (m *Manager) bearersOf(names []string) (list []bearerProvider, err error) {
	for _, name := range names {
		p, ok := m.providers[name].(bearerProvider)
		if !ok {
			err = errors.Join(err, fmt.Errorf("session: BearerProviders: %q is no provider whose access tokens can be verified", name))
			continue
		}
		list = append(list, p)
	}
	return list, err
}
