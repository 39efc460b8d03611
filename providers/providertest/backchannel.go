package providertest

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// logoutTokenLifetime and deliveryTimeout are what providers commonly allow.
const (
	logoutTokenLifetime = 2 * time.Minute
	deliveryTimeout     = 5 * time.Second
)

// ReachClients says over which network the provider reaches its clients. From
// now on, whenever a session ends at its end_session endpoint or by
// [Server.SignOut], it posts a logout token to every client that the session
// signed in to and that has a BackChannelLogoutURI. It waits for their answers
// before it gives its own, and delivers nothing twice.
func (s *Server) ReachClients(network http.RoundTripper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clientNet = network
}

// SignOut ends the sessions of one subject at the provider, in all browsers, as
// an administrator does. Each client is told once, of the subject and of no
// session in particular.
func (s *Server) SignOut(subject string) {
	s.mu.Lock()
	told := make(map[string]Registration)
	for _, l := range s.logins {
		if u, _ := s.person(l.user); u.Subject == subject {
			maps.Copy(told, s.end(l))
		}
	}
	s.mu.Unlock()
	s.tell(told, subject, "")
}

// LogoutToken makes a logout token for a client (OpenID Connect Back-Channel
// Logout 1.0, section 2.4): about a subject, about one session by its sid, or
// both; what is empty is left out. It ends nothing.
func (s *Server) LogoutToken(client, subject, sid string) string {
	now := time.Now()
	key := s.keys.current()
	claims := map[string]any{
		"iss":    s.cfg.Issuer,
		"aud":    client,
		"iat":    now.Unix(),
		"exp":    now.Add(logoutTokenLifetime).Unix(),
		"jti":    newID(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
	}
	for name, value := range map[string]string{"sub": subject, "sid": sid} {
		if value != "" {
			claims[name] = value
		}
	}
	d := &Draft{Header: map[string]any{"alg": key.algorithm, "typ": "logout+jwt", "kid": key.id}, Claims: claims}
	if mutate := s.mutation().LogoutToken; mutate != nil {
		mutate(d)
	}
	token := d.token(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets.add(token)
	return token
}

// tell posts a logout token to each of the clients.
func (s *Server) tell(clients map[string]Registration, subject, sid string) {
	s.mu.Lock()
	network := s.clientNet
	s.mu.Unlock()
	if network == nil {
		return
	}
	for id, client := range clients {
		if client.BackChannelLogoutURI == "" {
			continue
		}
		accepted := deliver(network, client.BackChannelLogoutURI, s.LogoutToken(id, subject, sid))
		s.mu.Lock()
		if accepted {
			s.stats.LogoutsTold++
		} else {
			s.stats.LogoutsLost++
		}
		s.mu.Unlock()
	}
}

// deliver reports whether the client took the token (Back-Channel Logout 2.5, 2.8).
func deliver(network http.RoundTripper, address, token string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), deliveryTimeout)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return false
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := network.RoundTrip(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusNoContent
}
