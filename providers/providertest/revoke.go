package providertest

import "net/http"

// revoke serves token revocation (RFC 7009). A refresh token takes its whole
// grant along, an access token only itself.
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	client, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	value := r.PostForm.Get("token")
	if value == "" {
		oauthError(w, http.StatusBadRequest, "invalid_request", "token is missing")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Revocations++
	if t := s.state.refresh[value]; t != nil && t.grant.client == client.ID {
		s.revokeFamily(t.grant, false)
	}
	if t := s.access[value]; t != nil && t.grant.client == client.ID {
		t.dead = true
	}
	w.Header().Set("Cache-Control", "no-store") // 200 even for a token that nobody knows (section 2.2)
}
