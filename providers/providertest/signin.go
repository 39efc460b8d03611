package providertest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// loginCookie is the provider's own session. It is what makes single sign-on
// and prompt=none work.
const loginCookie = "op_login"

// answer receives what the person said on the sign-in page.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil || r.Method != http.MethodPost {
		refusePage(w, http.StatusForbidden, "This form must be sent from the provider's own page.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if r.ParseForm() != nil {
		refusePage(w, http.StatusBadRequest, "This is not a form.")
		return
	}
	params, err := url.ParseQuery(r.PostForm.Get("request"))
	if err != nil {
		refusePage(w, http.StatusBadRequest, "The form lost its request.")
		return
	}
	req, problem, fail := s.readRequest(params)
	switch {
	case req == nil:
		refusePage(w, http.StatusBadRequest, problem)
		return
	case fail != nil:
		s.respond(w, req, fail.params())
		return
	case r.PostForm.Get("action") == "deny":
		s.respond(w, req, url.Values{"error": {"access_denied"}})
		return
	}
	l := s.loginOf(r)
	if !r.PostForm.Has("user") {
		if s.mustSignIn(req, l) {
			s.ask(w, req, l, true, "")
			return
		}
		s.respond(w, req, s.newCode(req, l))
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("user"))
	if _, known := s.lookup(name); !known {
		s.ask(w, req, l, true, "Nobody of this name can sign in here.")
		return
	}
	l = s.signIn(name)
	c := s.cookie(l.id)
	c.Expires = l.expires
	http.SetCookie(w, c)
	s.respond(w, req, s.newCode(req, l))
}

// ask shows the page on which a person signs in, or consents, or both.
func (s *Server) ask(w http.ResponseWriter, req *authRequest, l *login, signIn bool, problem string) {
	page := signInPage{
		Client: req.client.ID, Action: s.endpoint("/authorize/answer"), Request: req.raw,
		Scopes: req.scopes, SignIn: signIn, Hint: req.hint, Problem: problem,
	}
	if l != nil {
		page.User = l.user
	}
	s.mu.Lock()
	for name := range s.users {
		page.Users = append(page.Users, name)
	}
	s.mu.Unlock()
	slices.Sort(page.Users)
	status := http.StatusOK
	if problem != "" {
		status = http.StatusForbidden
	}
	page.write(w, status, req.redirectURI)
}

// signIn begins a session of this person at the provider.
func (s *Server) signIn(name string) *login {
	now := time.Now()
	l := &login{id: newID() + newID(), sid: newID(), user: name, at: now, expires: now.Add(loginLifetime), consents: make(map[string]bool)}
	s.mu.Lock()
	s.sweep(now)
	s.logins[l.id] = l
	s.secrets.add(l.id)
	s.mu.Unlock()
	return l
}

// loginOf returns the session of the browser that sent r, or nil.
func (s *Server) loginOf(r *http.Request) *login {
	c, err := r.Cookie(loginCookie)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.logins[c.Value]
	if l == nil || time.Now().After(l.expires) {
		return nil
	}
	return l
}

func (s *Server) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: loginCookie, Value: value, Path: s.prefix + "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(s.cfg.Issuer, "https:"),
	}
}

// lookup finds the person of this name.
func (s *Server) lookup(name string) (User, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.person(name)
}

// person is lookup for callers that hold s.mu.
func (s *Server) person(name string) (User, bool) {
	if u, ok := s.users[name]; ok {
		return u, true
	}
	return NamedUser(name), !s.cfg.KnownUsersOnly && name != "" && len(name) <= 200
}
