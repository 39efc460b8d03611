package providertest

import (
	"crypto/subtle"
	"net/url"
	"strings"
	"time"
)

// byPassword trades a user's name and password for tokens. The caller holds s.mu.
func (s *Server) byPassword(client Registration, form url.Values, now time.Time) (*issued, *failure) {
	s.secrets.add(form.Get("password"))
	user, known := s.person(form.Get("username"))
	switch {
	case !s.cfg.PasswordGrant:
		return nil, &failure{"unsupported_grant_type", "passwords are not taken: set Config.PasswordGrant"}
	case !known || subtle.ConstantTimeCompare([]byte(user.Password), []byte(form.Get("password"))) != 1:
		return nil, &failure{"invalid_grant", "the user name or the password is wrong"}
	}
	g := s.nativeGrant(user.Name, client.ID, strings.Fields(form.Get("scope")), now)
	a := s.issue(g, g.scopes, "", now)
	if s.refreshable(g) {
		a.refresh = s.mintRefresh(g, now)
	}
	return a, nil
}
