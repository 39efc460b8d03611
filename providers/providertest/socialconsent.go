package providertest

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Authorize answers an authorization request as if user had signed in and
// agreed, and returns the parameters of the callback, those of the callback's
// own address included. A [Browser] walks the same way with pages and redirects.
func (s *Social) Authorize(authURL, user string) (url.Values, error) {
	return s.respond(authURL, func(c *consent) url.Values { return c.grant(user) })
}

// Deny is Authorize for a user who does not agree.
func (s *Social) Deny(authURL string) (url.Values, error) {
	return s.respond(authURL, func(c *consent) url.Values { return c.deny() })
}

func (s *Social) respond(authURL string, say func(*consent) url.Values) (url.Values, error) {
	u, err := url.Parse(authURL)
	if err != nil {
		return nil, fmt.Errorf("providertest: authorization URL refused: %w", err)
	}
	c, problem := s.read(u.Query())
	if problem != "" {
		return nil, errors.New("providertest: authorization request refused: " + problem)
	}
	back, err := url.Parse(c.back(say(c)))
	if err != nil {
		return nil, fmt.Errorf("providertest: callback refused: %w", err)
	}
	return back.Query(), nil
}

// authorize shows the page on which a person signs in. It always asks: these
// providers have no session of their own here.
func (s *Social) authorize(w http.ResponseWriter, r *http.Request) {
	c, problem := s.read(r.Form)
	if problem != "" {
		refusePage(w, http.StatusBadRequest, problem)
		return
	}
	signInPage{
		Client: c.client, Action: s.url + "/authorize/answer", Request: r.Form.Encode(), Scopes: c.scopes, SignIn: true,
	}.write(w, http.StatusOK, c.redirectURI)
}

// answer receives what the person said on that page.
func (s *Social) answer(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		refusePage(w, http.StatusForbidden, "This form must be sent from the provider's own page.")
		return
	}
	params, err := url.ParseQuery(r.PostForm.Get("request"))
	if err != nil {
		refusePage(w, http.StatusBadRequest, "The form lost its request.")
		return
	}
	c, problem := s.read(params)
	if problem != "" {
		refusePage(w, http.StatusBadRequest, problem)
		return
	}
	user := strings.TrimSpace(r.PostForm.Get("user"))
	if r.PostForm.Get("action") == "deny" || user == "" {
		seeOther(w, c.back(c.deny()))
		return
	}
	seeOther(w, c.back(c.grant(user)))
}

// back is the callback's address with the response.
func (c *consent) back(response url.Values) string {
	if strings.Contains(c.redirectURI, "?") {
		return c.redirectURI + "&" + response.Encode()
	}
	return c.redirectURI + "?" + response.Encode()
}
