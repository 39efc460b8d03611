package providertest

import (
	"net/http"
	"net/url"
	"strings"
)

// endSession serves RP-initiated logout (OpenID Connect RP-Initiated Logout
// 1.0). It ends the provider's own session in this browser and the grants of
// that session that are not offline, and tells the clients by back channel. It
// asks nobody: a hint that does not verify, or a target that is not registered,
// is refused before anything ends.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		refusePage(w, http.StatusBadRequest, "This is not a form.")
		return
	}
	clientID := r.Form.Get("client_id")
	if raw := r.Form.Get("id_token_hint"); raw != "" {
		hint, ok := s.hint(raw)
		if !ok || clientID != "" && hint.Aud != clientID {
			refusePage(w, http.StatusBadRequest, "The id_token_hint was not issued here, or to another client.")
			return
		}
		clientID = hint.Aud
	}
	target := r.Form.Get("post_logout_redirect_uri")
	s.mu.Lock()
	client, known := s.clients[clientID]
	s.mu.Unlock()
	switch {
	case target != "" && !known:
		refusePage(w, http.StatusBadRequest, "A post_logout_redirect_uri needs an id_token_hint or a client_id.")
		return
	case target != "" && !allowed(client.PostLogoutRedirectURIs, target):
		refusePage(w, http.StatusBadRequest, "The post_logout_redirect_uri is not registered for this client.")
		return
	}
	s.endLogin(w, r)
	if target == "" {
		notePage(w, "You are signed out")
		return
	}
	if state := r.Form.Get("state"); state != "" {
		separator := "?"
		if strings.Contains(target, "?") {
			separator = "&"
		}
		target += separator + url.Values{"state": {state}}.Encode()
	}
	seeOther(w, target)
}

// endLogin ends the session of the browser that sent r.
func (s *Server) endLogin(w http.ResponseWriter, r *http.Request) {
	l := s.loginOf(r)
	if l == nil {
		return
	}
	s.mu.Lock()
	told := s.end(l)
	user, _ := s.person(l.user)
	s.mu.Unlock()
	s.tell(told, user.Subject, l.sid)
	c := s.cookie("")
	c.MaxAge = -1
	http.SetCookie(w, c)
}

// end ends a session and the grants that came of it, except offline ones, and
// returns the clients that it signed in to. The caller holds s.mu.
func (s *Server) end(l *login) (clients map[string]Registration) {
	delete(s.logins, l.id)
	for _, g := range s.grants {
		if g.login == l && !g.offline() {
			g.revoked = true
		}
	}
	clients = make(map[string]Registration)
	for consent := range l.consents {
		client, _, _ := strings.Cut(consent, "\n")
		clients[client] = s.clients[client]
	}
	return clients
}
