package providertest

// RotateKeys makes a new key sign from now on. The old keys stay published.
func (s *Server) RotateKeys() { s.keys.rotate() }

// RetireKeys unpublishes every key but the current one.
func (s *Server) RetireKeys() { s.keys.retire() }

// SetUser adds a person, or changes the one of that name: tokens that are
// issued later, and userinfo, carry the new claims.
func (s *Server) SetUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[u.Name] = u.complete()
}

// RevokeAll revokes every grant: refreshes fail with invalid_grant, and access
// tokens are refused. The sessions of browsers at the provider stay.
func (s *Server) RevokeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		g.revoked = true
	}
}

// RevokeUser is RevokeAll for the grants of one subject.
func (s *Server) RevokeUser(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		if u, _ := s.person(g.user); u.Subject == subject {
			g.revoked = true
		}
	}
}

// RejectAccessTokens makes every access token that was issued so far invalid,
// before its time. Refresh tokens stay good.
func (s *Server) RejectAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.access {
		t.dead = true
	}
}

// ForgetBrowsers ends the provider's own session in every browser, so that
// prompt=none fails with login_required. Tokens stay good.
func (s *Server) ForgetBrowsers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.logins)
}
