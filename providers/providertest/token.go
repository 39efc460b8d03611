package providertest

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantPasswd  = "password"

	authBasic = "client_secret_basic"
	authPost  = "client_secret_post"
	authNone  = "none"
)

// token serves the token endpoint (RFC 6749 section 3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	client, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	now := time.Now()
	var a *issued
	var fail *failure
	s.mu.Lock()
	s.sweep(now)
	grantType := r.PostForm.Get("grant_type")
	switch grantType {
	case grantCode:
		s.secrets.add(r.PostForm.Get("code_verifier"))
		a, fail = s.exchange(client, r.PostForm, now)
	case grantRefresh:
		a, fail = s.renew(client, r.PostForm, now)
	case grantPasswd:
		a, fail = s.byPassword(client, r.PostForm, now)
	default:
		fail = &failure{"unsupported_grant_type", "grant_type must be authorization_code or refresh_token"}
	}
	s.mu.Unlock()
	if fail != nil {
		oauthError(w, http.StatusBadRequest, fail.code, fail.description)
		return
	}
	s.writeTokens(w, grantType, a, now)
}

// exchange trades a code for tokens, once. The caller holds s.mu.
func (s *Server) exchange(client Registration, form url.Values, now time.Time) (*issued, *failure) {
	c := s.codes[form.Get("code")]
	switch {
	case c == nil || c.grant.client != client.ID:
		return nil, &failure{"invalid_grant", "the code is unknown"}
	case c.used:
		// Somebody has this code who should not: nobody keeps what it gave
		// (RFC 6749 section 4.1.2).
		s.stats.CodesReused++
		s.revokeFamily(c.grant, false)
		return nil, &failure{"invalid_grant", "the code was used before"}
	case now.After(c.expires):
		return nil, &failure{"invalid_grant", "the code has expired"}
	case form.Get("redirect_uri") != c.redirectURI:
		return nil, &failure{"invalid_grant", "redirect_uri is not that of the authorization request"}
	case !c.proves(form.Get("code_verifier")):
		return nil, &failure{"invalid_grant", "code_verifier does not fit the code_challenge"}
	}
	audience, fail := s.audience(c.grant, form)
	if fail != nil {
		return nil, fail
	}
	c.used = true
	a := s.issue(c.grant, c.grant.scopes, audience, now)
	if s.refreshable(c.grant) {
		a.refresh = s.mintRefresh(c.grant, now)
	}
	return a, nil
}

// proves reports whether verifier belongs to the code's challenge (RFC 7636
// section 4.6). A verifier without a challenge is an attack, too (RFC 9700
// section 4.8.2).
func (c *code) proves(verifier string) bool {
	if c.challenge == "" {
		return verifier == ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return b64(sum[:]) == c.challenge
}

// issue makes an answer without a refresh token. The caller holds s.mu.
func (s *Server) issue(g *grant, scopes []string, audience string, now time.Time) *issued {
	user, _ := s.person(g.user)
	return &issued{
		grant: g, user: user, access: s.mintAccess(g, scopes, audience, now),
		idToken: slices.Contains(g.scopes, "openid"),
	}
}

// audience is the one resource that the access token is for (RFC 8707).
func (s *Server) audience(g *grant, form url.Values) (string, *failure) {
	asked := form["resource"]
	if fail := s.checkResources(asked); fail != nil {
		return "", fail
	}
	switch {
	case len(asked) > 1:
		return "", &failure{"invalid_target", "one access token is for one resource"}
	case len(asked) == 1:
		return asked[0], nil
	case len(g.resources) == 1:
		return g.resources[0], nil
	}
	return "", nil
}

// writeTokens writes the answer (RFC 6749 section 5.1).
func (s *Server) writeTokens(w http.ResponseWriter, grantType string, a *issued, now time.Time) {
	answer := map[string]any{
		"access_token": a.access.value,
		"token_type":   "Bearer",
		"expires_in":   int64(a.access.expires.Sub(now) / time.Second),
		"scope":        strings.Join(a.access.scopes, " "),
	}
	if a.refresh != nil {
		answer["refresh_token"] = a.refresh.value
		if s.cfg.TellRefreshLifetime {
			answer["refresh_expires_in"] = int64(a.refresh.expires.Sub(now) / time.Second)
		}
	}
	if a.idToken {
		idToken := s.idToken(grantType, a, now)
		answer["id_token"] = idToken
		s.mu.Lock()
		s.secrets.add(idToken)
		s.mu.Unlock()
	}
	if mutate := s.mutation().TokenResponse; mutate != nil {
		mutate(grantType, answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

// authenticate reads the form and finds out which client sent it (RFC 6749
// section 2.3). It answers by itself where it cannot.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (Registration, bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		oauthError(w, http.StatusMethodNotAllowed, "invalid_request", "this endpoint takes POST")
		return Registration{}, false
	}
	if err := r.ParseForm(); err != nil {
		oauthError(w, http.StatusBadRequest, "invalid_request", "the body is not a form")
		return Registration{}, false
	}
	for name, values := range r.PostForm {
		if len(values) > 1 && name != "resource" {
			oauthError(w, http.StatusBadRequest, "invalid_request", name+" is there more than once")
			return Registration{}, false
		}
	}
	method, id, secret := authNone, r.PostForm.Get("client_id"), ""
	user, password, basic := r.BasicAuth()
	if basic {
		method = authBasic
		id, _ = url.QueryUnescape(user)
		secret, _ = url.QueryUnescape(password)
	}
	if r.PostForm.Has("client_secret") {
		if basic {
			oauthError(w, http.StatusBadRequest, "invalid_request", "the client authenticates twice")
			return Registration{}, false
		}
		method, secret = authPost, r.PostForm.Get("client_secret")
	}
	s.mu.Lock()
	client, known := s.clients[id]
	s.mu.Unlock()
	if !known || !client.knows(secret, time.Now()) ||
		client.AuthMethod != "" && client.AuthMethod != method {
		if basic {
			w.Header().Set("WWW-Authenticate", `Basic realm="token endpoint"`)
		}
		oauthError(w, http.StatusUnauthorized, "invalid_client", "unknown client, wrong secret, or not the registered way to authenticate")
		return Registration{}, false
	}
	return client, true
}

// authMethods are those that the registered clients may use.
func (s *Server) authMethods() []string {
	methods := []string{}
	for _, c := range s.cfg.Clients {
		switch {
		case c.AuthMethod != "":
			methods = append(methods, c.AuthMethod)
		case c.SecretKey != nil:
			methods = append(methods, authPost)
		case c.Secret == "":
			methods = append(methods, authNone)
		default:
			methods = append(methods, authBasic, authPost)
		}
	}
	slices.Sort(methods)
	return slices.Compact(methods)
}
