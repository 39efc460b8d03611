package providertest

import (
	"crypto/rand"
	"slices"
	"time"
)

// grant is one sign-in of one user to one client: the family that all of its
// tokens descend from.
type grant struct {
	id        string
	client    string
	user      string // name
	scopes    []string
	resources []string
	nonce     string
	authTime  time.Time
	login     *login // the provider's own session it came from
	expires   time.Time
	revoked   bool
	refreshed bool // it has refresh tokens
	once      bool // it gets one by Config.RefreshOnce
}

// code is an authorization code.
type code struct {
	grant       *grant
	redirectURI string
	challenge   string
	expires     time.Time
	forgetAt    time.Time // later than expires: a code used twice must be known as such
	used        bool
}

type refreshToken struct {
	value      string
	grant      *grant
	expires    time.Time
	firstUse   time.Time       // zero: not used yet
	answer     *issued         // what its first use returned
	successors []*refreshToken // what all its uses returned
}

type accessToken struct {
	value    string
	grant    *grant
	scopes   []string
	audience string // empty: the provider's own userinfo endpoint
	expires  time.Time
	dead     bool
}

// issued is one answer of the token endpoint, before it is written.
type issued struct {
	grant   *grant
	user    User
	access  *accessToken
	refresh *refreshToken // nil: none
	idToken bool
}

// live reports whether the grant may still be used.
func (g *grant) live(now time.Time) bool { return !g.revoked && now.Before(g.expires) }

func (t *accessToken) live(now time.Time) bool {
	return !t.dead && now.Before(t.expires) && t.grant.live(now)
}

// mintAccess makes an access token. The caller holds s.mu.
func (s *Server) mintAccess(g *grant, scopes []string, audience string, now time.Time) *accessToken {
	t := &accessToken{grant: g, scopes: scopes, audience: audience, expires: now.Add(s.cfg.AccessTokenLifetime)}
	if s.cfg.AccessTokens == Opaque {
		t.value = "at_" + rand.Text()
	} else {
		t.value = s.accessDraft(t, now).token(s.keys.current())
	}
	s.access[t.value] = t
	s.secrets.add(t.value)
	return t
}

// mintRefresh makes a refresh token. The caller holds s.mu.
func (s *Server) mintRefresh(g *grant, now time.Time) *refreshToken {
	t := &refreshToken{value: "rt_" + rand.Text() + rand.Text(), grant: g, expires: now.Add(s.cfg.RefreshTokenLifetime)}
	g.refreshed = true
	if t.expires.After(g.expires) {
		g.expires = t.expires
	}
	s.state.refresh[t.value] = t
	s.secrets.add(t.value)
	return t
}

// revokeFamily ends a grant, and with wide all grants of that user to that
// client. The caller holds s.mu.
func (s *Server) revokeFamily(g *grant, wide bool) {
	g.revoked = true
	if !wide {
		return
	}
	for _, other := range s.grants {
		if other.client == g.client && other.user == g.user {
			other.revoked = true
		}
	}
}

// refreshable reports whether a sign-in brings a refresh token.
func (s *Server) refreshable(g *grant) bool {
	return s.cfg.AlwaysRefresh || g.once || !s.cfg.RefreshOnce && g.offline()
}

// offline reports whether the grant outlives the sign-in at the provider.
func (g *grant) offline() bool { return slices.Contains(g.scopes, "offline_access") }
