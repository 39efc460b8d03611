package providertest

import (
	"errors"
	"fmt"
	"net/url"
)

// Authorize answers an authorization request as if user had signed in and
// agreed to everything, and returns the parameters of the response: what a test
// needs that is about what comes after. A Browser walks the same way with
// pages, cookies and redirects.
//
// The error is that of a request that the provider would show the person a
// refusal for; an OAuth error is a response.
func (s *Server) Authorize(authURL, user string) (url.Values, error) {
	u, err := url.Parse(authURL)
	if err != nil {
		return nil, fmt.Errorf("providertest: authorization URL refused: %w", err)
	}
	req, problem, fail := s.readRequest(u.Query())
	switch {
	case req == nil:
		return nil, errors.New("providertest: authorization request refused: " + problem)
	case fail != nil:
		return s.response(req, fail.params()), nil
	}
	if _, known := s.lookup(user); !known {
		return nil, fmt.Errorf("providertest: sign-in refused: nobody is called %q", user)
	}
	return s.response(req, s.newCode(req, s.signIn(user))), nil
}
