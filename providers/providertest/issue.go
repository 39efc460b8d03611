package providertest

import "time"

// IssueIDToken issues an ID token to a client that has signed user in by itself,
// as a mobile application does with a provider's SDK: without a nonce, and good
// at once. change, if there is one, may make it lie.
func (s *Server) IssueIDToken(user, client string, change func(*Draft)) string {
	now := time.Now()
	s.mu.Lock()
	person, _ := s.person(user)
	g := s.nativeGrant(user, client, nativeScopes(), now)
	s.mu.Unlock()
	d := s.idDraft(g, person, now)
	if change != nil {
		change(d)
	}
	return s.kept(d.token(s.keys.current()))
}

// IssueAccessToken is IssueIDToken for an access token in the format of
// Config.AccessTokens. audience is a resource, or empty for whatever the format
// has then. An opaque one cannot be changed.
func (s *Server) IssueAccessToken(user, client, audience string, change func(*Draft)) string {
	now := time.Now()
	s.mu.Lock()
	g := s.nativeGrant(user, client, nativeScopes(), now)
	if s.cfg.AccessTokens == Opaque {
		defer s.mu.Unlock()
		return s.mintAccess(g, g.scopes, audience, now).value
	}
	t := &accessToken{grant: g, scopes: g.scopes, audience: audience, expires: now.Add(s.cfg.AccessTokenLifetime)}
	d := s.accessDraft(t, now)
	s.mu.Unlock()
	if change != nil {
		change(d)
	}
	t.value = s.kept(d.token(s.keys.current()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.access[t.value] = t
	return t.value
}

// IssueCode issues an authorization code without a code challenge, as Google's
// SDKs hand out to be passed on to the server of the same project. It is traded
// with redirectURI, which is empty there.
func (s *Server) IssueCode(user, client, redirectURI string) string {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.nativeGrant(user, client, nativeScopes(), now)
	g.once = s.cfg.RefreshOnce && s.meet(g)
	return s.mintCode(g, redirectURI, "", now)
}

func nativeScopes() []string { return []string{"openid", "profile", "email", "offline_access"} }

// nativeGrant is a sign-in that no browser of ours has seen. The caller holds
// s.mu.
func (s *Server) nativeGrant(user, client string, scopes []string, now time.Time) *grant {
	g := &grant{
		id: newID(), client: client, user: user, scopes: scopes, authTime: now,
		login:   &login{sid: newID(), user: user, at: now},
		expires: now.Add(s.cfg.CodeLifetime + s.cfg.AccessTokenLifetime),
	}
	s.grants[g.id] = g
	return g
}

// kept notes a token among the secrets.
func (s *Server) kept(token string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets.add(token)
	return token
}
