package providertest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// userinfo serves the userinfo endpoint (OpenID Connect Core 5.3).
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	t := s.bearer(w, r, "")
	if t == nil {
		return
	}
	if !slices.Contains(t.scopes, "openid") {
		w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="openid"`)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	user, _ := s.lookup(t.grant.user)
	claims := user.released(t.scopes)
	claims["sub"] = user.Subject
	if mutate := s.mutation().UserInfo; mutate != nil {
		mutate(claims)
	}
	writeJSON(w, http.StatusOK, claims)
}

// bearer returns the valid access token for audience that r carries in its
// Authorization header. Where there is none it answers 401 and returns nil.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request, audience string) *accessToken {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || value == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+s.cfg.Issuer+`"`)
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	s.mu.Lock()
	t := s.access[value]
	ok := t != nil && t.live(time.Now()) && t.audience == audience
	if !ok {
		s.stats.Rejected++
	}
	s.mu.Unlock()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="unknown, expired, revoked, or for another audience"`)
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	return t
}
