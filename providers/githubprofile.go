package providers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
)

// identify asks whose token it is.
func (p *GitHub) identify(ctx context.Context, tokens *Tokens) (Identity, *Error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ans, failure := p.grant.wire.call(ctx, p.cfg.API+"/user", tokens.AccessToken)
	if failure != nil {
		return Identity{}, failure
	}
	if ans.status != http.StatusOK {
		return Identity{}, classifyAPI(ans)
	}
	profile, err := parseProfile(ans.body)
	if err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	// The number, because a login name can be given up and taken by somebody
	// else (docs/threats.md JWT17).
	id := string(profile.Raw("id"))
	if err := checkUserID(id); err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	identity := Identity{Issuer: p.cfg.Server, Subject: id}
	identity.Claims = githubClaims(id, p.email(ctx, tokens), profile)
	return identity, nil
}

// githubClaims describes a user as App Service does: the number, the login for
// a name, the e-mail address where it may be known, and every member of the
// profile under a type of its own, in GitHub's order (contract 1.7).
func githubClaims(id, email string, profile Claims) Claims {
	var s statements
	s.text(typeIdentifier, id)
	s.text(typeName, profile.String("login"))
	s.text(typeEmail, email)
	for name, value := range profile.All() {
		s.raw("urn:github:"+name, value)
	}
	return s.claims()
}

// email is the user's primary address if GitHub has verified it and the
// application may read it, else "": nobody is kept out for want of one.
func (p *GitHub) email(ctx context.Context, tokens *Tokens) string {
	reads := func(scope string) bool { return scope == "user:email" || scope == "user" }
	if !slices.ContainsFunc(strings.Fields(tokens.Scope), reads) && !slices.ContainsFunc(p.cfg.Scopes, reads) {
		return ""
	}
	ans, failure := p.grant.wire.call(ctx, p.cfg.API+"/user/emails", tokens.AccessToken)
	if failure != nil || ans.status != http.StatusOK {
		return ""
	}
	var list []struct {
		Email             string
		Primary, Verified bool
	}
	if json.Unmarshal(ans.body, &list) != nil {
		return ""
	}
	for _, address := range list {
		if address.Primary && address.Verified && strings.Count(address.Email, "@") == 1 && len(address.Email) <= 254 {
			return address.Email
		}
	}
	return ""
}

// classifyAPI says what the refusal of an API means that was asked on behalf of
// a user with a token just issued.
func classifyAPI(ans answer) *Error {
	wait, told := retryAfter(ans.header)
	e := &Error{Status: ans.status, RetryAfter: wait}
	switch {
	case ans.status == http.StatusTooManyRequests,
		ans.status == http.StatusForbidden && (told || ans.header.Get("X-RateLimit-Remaining") == "0"),
		ans.status == http.StatusServiceUnavailable && told:
		e.Kind = Busy
	case ans.status >= 500:
		e.Kind = Gateway
	case ans.status == http.StatusUnauthorized:
		e.Kind, e.Err = Invalid, errors.New("the access token is not accepted")
	default:
		e.Kind = Misconfigured
	}
	return e
}
