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
	if err := named(login); err != nil {
		return nil, err
	}
	s, err := m.start(r.Context(), login, m.before(r, replaces))
	if err != nil {
		return nil, err
	}
	s.carrier = Cookie
	m.cookies.writeCookie(w, s.cookie, s.GraceUntil)
	return s, nil
}

// StartToken begins a session for a completed login as Start does, without a
// cookie: whoever asked gets the SessionToken. It ends no other session, because
// a program says of none that it is its own.
func (m *Manager) StartToken(ctx context.Context, login *providers.Login) (*Session, error) {
	if err := named(login); err != nil {
		return nil, err
	}
	s, err := m.start(ctx, login, nil)
	if err != nil {
		return nil, err
	}
	s.cookie, s.carrier = "", Token // nobody ever hears of the cookie's value
	return s, nil
}

// named refuses a login of nobody in particular: it would be one id for all
// users of a provider (CVE-2026-42560).
func named(login *providers.Login) error {
	if login.Identity.Subject != "" && login.Identity.Issuer != "" {
		return nil
	}
	return &providers.Error{Provider: login.Provider, Op: "verify", Kind: providers.Invalid,
		Err: errors.New("identity without issuer or subject")}
}

// start begins a session in place of those that were before.
func (m *Manager) start(ctx context.Context, login *providers.Login, before []*Session) (*Session, error) {
	// The code is spent: a browser that goes away does not take the login along.
	ctx = context.WithoutCancel(ctx)
	rec := m.newRecord(login, m.keeper.Now())
	id, token, err := m.keep(ctx, login, rec, m.lifetimes.graceEnd(rec))
	if err != nil {
		return nil, err
	}
	for _, old := range before {
		if err := m.replace(ctx, old, id, rec); err != nil {
			m.log.ErrorContext(ctx, "session not ended at the next sign-in", "session", old.ID, "cause", err)
		}
	}
	s := m.view(id, rec, rec.CreatedAt)
	s.cookie = token
	var took time.Duration
	if sent := login.Tokens.SentAt; !sent.IsZero() {
		took = time.Since(sent)
	}
	m.began(ctx, s, took)
	return s, nil
}

// keep stores the tokens of a login and its session, which rests in the store
// until then, and returns the id and the cookie value. On an error nothing remains.
func (m *Manager) keep(ctx context.Context, login *providers.Login, rec *record, until time.Time) (id, token string, err error) {
	scsCtx, token, err := m.cookies.begin(ctx)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	id, _ = idOf(token)

	// Tokens first: from here on there is a record that can refresh and revoke.
	tokens := login.Tokens
	if m.discard {
		tokens = providers.Tokens{SentAt: tokens.SentAt}
	}
	if err := m.keeper.Create(ctx, grantKey(id), login.Provider, tokens, m.lifetimes.graceEnd(rec).Add(time.Hour)); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if rec.UserInfo, err = m.userInfo(ctx, login); err == nil {
		err = m.commit(scsCtx, rec, until)
	}
	if err != nil {
		if endErr := m.keeper.End(ctx, grantKey(id), login.Provider); endErr != nil {
			m.log.ErrorContext(ctx, "tokens of a refused sign-in not deleted", "session", id, "cause", endErr)
		}
		return "", "", err
	}
	rec.user = m.describe(rec)
	return id, token, nil
}

// began tells that somebody signed in.
func (m *Manager) began(ctx context.Context, s *Session, took time.Duration) {
	e := s.event("")
	e.ExpiresAt, e.Took = s.ExpiresAt, took
	m.log.InfoContext(ctx, "signed in", "provider", e.Provider, "session", e.SessionID, "took", took)
	m.tell(ctx, m.hooks.Started, e)
}

// newRecord is the record of a session that begins at now.
func (m *Manager) newRecord(login *providers.Login, now time.Time) *record {
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
	idToken, _ := login.Identity.Claims.Time("exp")
	accessToken := time.Time{}
	if t := login.Tokens; t.ExpiresIn > 0 {
		accessToken = now.Add(t.ExpiresIn)
	}
	rec.ExpiresAt = m.lifetimes.first(rec, now, idToken, accessToken)
	return rec
}

// replace ends a session in favour of the one that has just begun in the same
// browser. If both are of one user at one provider, and the new one came without
// a refresh token, it goes on with the old one's: Google gives one at the first
// consent and none after that (contract 1.8).
func (m *Manager) replace(ctx context.Context, old *Session, id string, rec *record) error {
	e := old.event(ReasonReplaced)
	if u := old.User; m.discard || u.Provider != rec.Provider || u.Issuer != rec.Issuer || u.ID != rec.Subject {
		_, err := m.end(ctx, e)
		return err
	}
	if err := m.keeper.Succeed(ctx, grantKey(old.ID), grantKey(id), rec.Provider); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	m.ended(ctx, e)
	return nil
}

// before returns the sessions that end with a sign-in in this browser: the one
// of its cookie, and the one that it had when the sign-in began.
func (m *Manager) before(r *http.Request, replaces string) (sessions []*Session) {
	s, err := m.loadCookie(r)
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
