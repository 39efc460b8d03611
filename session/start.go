package session

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
)

// userInfoTimeout bounds the userinfo call of a sign-in.
const userInfoTimeout = 5 * time.Second

// Start begins a session for a completed login: stores the tokens, reads
// userinfo, stores the session, ends the one that the browser had before, and
// sets the cookie, always with a new value (docs/threats.md SES1, SES2).
//
// replaces is the id of the session that the browser had when the sign-in began,
// empty for none: a provider's answer that arrives as a cross-site POST does not
// bring the cookie along, and neither does any where the cookie is Strict.
//
// Errors: *providers.Error of Kind Mismatch when userinfo is about somebody
// else, of Kind Invalid for an identity without a subject; otherwise
// ErrUnavailable. On an error no session and no tokens remain.
func (m *Manager) Start(w http.ResponseWriter, r *http.Request, login *providers.Login, replaces string) (*Session, error) {
	if login.Identity.Subject == "" || login.Identity.Issuer == "" {
		// One id for all users of a provider (CVE-2026-42560).
		return nil, &providers.Error{Provider: login.Provider, Op: "verify", Kind: providers.Invalid,
			Err: errors.New("identity without issuer or subject")}
	}
	before := m.before(r, replaces)

	// The code is spent: a browser that goes away does not take the login along.
	ctx := context.WithoutCancel(r.Context())
	scsCtx, token, err := m.cookies.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	id, _ := idOf(token)
	now := m.keeper.Now()
	rec := &record{
		Provider:        login.Provider,
		Issuer:          login.Identity.Issuer,
		Subject:         login.Identity.Subject,
		Claims:          login.Identity.Claims,
		ProviderSession: login.Identity.Claims.String("sid"),
		CreatedAt:       now,
		AuthTime:        login.AuthTime,
		SeenAt:          now,
	}
	if rec.AuthTime.IsZero() {
		rec.AuthTime = now
	}
	rec.ExpiresAt = m.lifetimes.expiry(rec, now)
	until := m.lifetimes.graceEnd(rec)

	// Tokens first: from here on there is a record that can refresh and revoke.
	if err := m.keeper.Create(ctx, grantKey(id), login.Provider, login.Tokens, until.Add(time.Hour)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if rec.UserInfo, err = m.userInfo(ctx, login); err == nil {
		err = m.commit(scsCtx, rec, until)
	}
	if err != nil {
		if endErr := m.keeper.End(ctx, grantKey(id), login.Provider); endErr != nil {
			m.log.ErrorContext(ctx, "tokens of a refused sign-in not deleted", "session", id, "cause", endErr)
		}
		return nil, err
	}

	for _, before := range before {
		if _, err := m.end(ctx, before.event(ReasonReplaced)); err != nil {
			m.log.ErrorContext(ctx, "session not ended at the next sign-in", "session", before.ID, "cause", err)
		}
	}
	rec.user = rec.describe()
	s := m.view(id, rec, now)
	s.cookie = token
	m.cookies.writeCookie(w, token, until)
	e := s.event("")
	e.ExpiresAt = s.ExpiresAt
	if sent := login.Tokens.SentAt; !sent.IsZero() {
		e.Took = time.Since(sent)
	}
	m.log.InfoContext(ctx, "signed in", "provider", rec.Provider, "session", id, "took", e.Took)
	m.tell(ctx, m.hooks.Started, e)
	return s, nil
}

// before returns the sessions that end with a sign-in in this browser: the one
// of its cookie, and the one that it had when the sign-in began.
func (m *Manager) before(r *http.Request, replaces string) (sessions []*Session) {
	s, err := m.Load(r)
	if err == nil {
		sessions = append(sessions, s)
	}
	if replaces == "" || err == nil && s.ID == replaces {
		return sessions
	}
	if s, err = m.load(r.Context(), replaces, sessionKey(replaces)); err == nil {
		sessions = append(sessions, s)
	}
	return sessions
}

// userInfo returns the claims that only the userinfo endpoint tells. A provider
// that cannot be asked costs the user some claims and not the sign-in.
func (m *Manager) userInfo(ctx context.Context, login *providers.Login) (providers.Claims, error) {
	reader, ok := m.providers[login.Provider].(providers.UserInfoReader)
	if !ok || login.Tokens.AccessToken.IsZero() {
		return providers.Claims{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, userInfoTimeout)
	defer cancel()
	claims, err := reader.UserInfo(ctx, login.Tokens.AccessToken, login.Identity.Subject)
	var pe *providers.Error
	if errors.As(err, &pe) && pe.Kind == providers.Mismatch {
		return providers.Claims{}, err
	}
	if err != nil {
		m.log.WarnContext(ctx, "userinfo not read", "provider", login.Provider, "cause", err)
		return providers.Claims{}, nil
	}
	return claims, nil
}

// commit stores a record through scs; a store that fails is an ErrUnavailable,
// a conflict is told as such.
func (m *Manager) commit(scsCtx context.Context, rec *record, until time.Time) error {
	ctx, cancel := context.WithTimeout(scsCtx, grant.StoreTimeout)
	defer cancel()
	err := m.cookies.commit(ctx, rec, until)
	if err == nil || errors.Is(err, store.ErrConflict) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
