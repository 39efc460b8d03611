package providertest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// authorize serves the authorization endpoint (OpenID Connect Core 3.1.2).
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.Method != http.MethodGet && r.Method != http.MethodPost || r.ParseForm() != nil {
		refusePage(w, http.StatusBadRequest, "The request is neither a GET nor a form.")
		return
	}
	params := r.URL.Query()
	if r.Method == http.MethodPost {
		params = r.PostForm
	}
	req, problem, fail := s.readRequest(params)
	switch {
	case req == nil:
		refusePage(w, http.StatusBadRequest, problem)
	case fail != nil:
		s.respond(w, req, fail.params())
	default:
		s.proceed(w, req, s.loginOf(r))
	}
}

// proceed answers a request at once where that is allowed, and else asks the
// person.
func (s *Server) proceed(w http.ResponseWriter, req *authRequest, l *login) {
	signIn := s.mustSignIn(req, l)
	consent := s.mustConsent(req, l)
	if slices.Contains(req.prompts, "none") {
		switch {
		case signIn:
			s.respond(w, req, url.Values{"error": {"login_required"}})
			return
		case consent:
			s.respond(w, req, url.Values{"error": {"consent_required"}})
			return
		}
	}
	if signIn || consent {
		s.ask(w, req, l, signIn, "")
		return
	}
	s.respond(w, req, s.newCode(req, l))
}

func (s *Server) mustSignIn(req *authRequest, l *login) bool {
	return l == nil || slices.Contains(req.prompts, "login") || slices.Contains(req.prompts, "select_account") ||
		req.maxAge == 0 || req.maxAge > 0 && time.Since(l.at) > req.maxAge
}

func (s *Server) mustConsent(req *authRequest, l *login) bool {
	if slices.Contains(req.prompts, "consent") {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.AskConsent && (l == nil || !l.consents[req.consentKey()])
}

// newCode ends a successful authorization.
func (s *Server) newCode(req *authRequest, l *login) url.Values {
	now := time.Now()
	g := &grant{
		id: newID(), client: req.client.ID, user: l.user, scopes: req.scopes, resources: req.resources,
		nonce: req.nonce, authTime: l.at, login: l,
		expires: now.Add(s.cfg.CodeLifetime + s.cfg.AccessTokenLifetime),
	}
	params := make(url.Values)
	s.mu.Lock()
	s.sweep(now)
	first := s.meet(g)
	g.once = s.cfg.RefreshOnce && req.offline && (first || slices.Contains(req.prompts, "consent"))
	s.grants[g.id] = g
	l.consents[req.consentKey()] = true
	user, _ := s.person(l.user)
	if req.code {
		params.Set("code", s.mintCode(g, req.redirectURI, req.challenge, now))
	}
	s.mu.Unlock()
	if req.idToken {
		params.Set("id_token", s.frontToken(g, user, params.Get("code"), now))
	}
	if first && s.cfg.NameOnce && req.formPost && slices.Contains(req.scopes, "name") {
		params.Set("user", string(mustJSON(user.introduced())))
	}
	return params
}

// mintCode makes an authorization code. The caller holds s.mu.
func (s *Server) mintCode(g *grant, redirectURI, challenge string, now time.Time) string {
	value := "code_" + rand.Text()
	s.codes[value] = &code{
		grant: g, redirectURI: redirectURI, challenge: challenge,
		expires: now.Add(s.cfg.CodeLifetime), forgetAt: now.Add(s.cfg.CodeLifetime + time.Hour),
	}
	s.secrets.add(value)
	return value
}

// meet reports whether this is the user's first sign-in to the client. The caller
// holds s.mu.
func (s *Server) meet(g *grant) bool {
	key := g.client + "\n" + g.user
	known := s.met[key]
	s.met[key] = true
	return !known
}

// response completes the parameters of an authorization response.
func (s *Server) response(req *authRequest, params url.Values) url.Values {
	if req.state != "" {
		params.Set("state", req.state)
	}
	params.Set("iss", s.cfg.Issuer) // RFC 9207
	if mutate := s.mutation().Callback; mutate != nil {
		mutate(params)
	}
	return params
}

// respond sends an authorization response.
func (s *Server) respond(w http.ResponseWriter, req *authRequest, params url.Values) {
	params = s.response(req, params)
	if req.formPost {
		postPage(w, req.redirectURI, params)
		return
	}
	separator := "?"
	if strings.Contains(req.redirectURI, "?") {
		separator = "&"
	}
	seeOther(w, req.redirectURI+separator+params.Encode())
}

// seeOther redirects with 303: a posted form must not be posted on (RFC 9700
// section 4.12).
func seeOther(w http.ResponseWriter, location string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

// maxForm bounds the forms that the provider reads.
const maxForm = 64 << 10

func newID() string { return rand.Text() }
