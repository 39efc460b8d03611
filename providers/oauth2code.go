package providers

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// codeGrant is the authorization code grant of a provider that speaks OAuth 2
// and not OpenID Connect (RFC 6749 section 4.1): with PKCE, and without an ID
// token, so that who signed in is asked for afterwards.
type codeGrant struct {
	provider     string // alias
	clientID     string
	clientSecret Secret
	scopes       []string
	params       url.Values // further ones of every authorization request
	authorizeURL string
	tokenURL     string
	longest      time.Duration // life of an access token that is believed
	classify     func(answer) *Error
	wire         wire
}

// begin returns the URL of the authorization request of one attempt. What the
// attempt sets wins over the caller's parameters, and those over the configured
// ones (docs/threats.md LOG4, LOG6).
func (g *codeGrant) begin(f *Flow, params url.Values) (string, error) {
	query := url.Values{}
	if len(g.scopes) > 0 {
		query.Set("scope", strings.Join(g.scopes, " "))
	}
	maps.Copy(query, g.params)
	if err := override(query, params); err != nil {
		return "", g.refused("begin", Invalid, err)
	}
	query.Set("response_type", "code")
	query.Set("client_id", g.clientID)
	query.Set("redirect_uri", f.RedirectURI)
	query.Set("state", f.State())
	query.Set("code_challenge", oauth2.S256ChallengeFromVerifier(f.Verifier()))
	query.Set("code_challenge_method", "S256")
	return g.authorizeURL + "?" + query.Encode(), nil
}

// exchange spends the code of an authorization response, exactly once, after
// everything about the response was checked that can be.
func (g *codeGrant) exchange(ctx context.Context, f Flow, response url.Values) (*Tokens, *Error) {
	if failure := g.checkResponse(f, response); failure != nil {
		return nil, failure
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	tokens, failure := g.token(ctx, "exchange", url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {response.Get("code")},
		"redirect_uri":  {f.RedirectURI},
		"code_verifier": {f.Verifier()},
	})
	if failure != nil && failure.Kind == Unknown && failure.Status != 0 && !errors.Is(failure, errUnreadable) {
		failure.Kind = Invalid // the answer is there and lacks something: nothing is in doubt
	}
	return tokens, failure
}

func (g *codeGrant) checkResponse(f Flow, response url.Values) *Error {
	if err := checkAttempt(f, g.provider, response, time.Now()); err != nil {
		return g.refused("exchange", Invalid, err)
	}
	switch code := response.Get("error"); {
	case code != "":
		return classifyResponse(code, f.Silent).in(g.provider, "exchange")
	case response.Get("code") == "":
		return g.refused("exchange", Invalid, errors.New("the response has no code"))
	}
	return nil
}

// token posts the form and the client's credentials to the token endpoint,
// once. An ID token in the answer is dropped: nobody verifies it, so nobody may
// come to rely on it.
func (g *codeGrant) token(ctx context.Context, op string, form url.Values) (*Tokens, *Error) {
	form.Set("client_id", g.clientID)
	form.Set("client_secret", g.clientSecret.Reveal())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.tokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, g.refused(op, Misconfigured, errUnusable)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	ans, err := g.wire.do(req)
	if err != nil {
		return nil, classifyCall(err).in(g.provider, op)
	}
	tokens, err := parseTokens(ans)
	if err != nil {
		e := g.classify(ans)
		if e.Kind == Unknown {
			e.Err = err
		}
		return nil, e.in(g.provider, op)
	}
	object, err := ParseClaims(ans.body)
	if err == nil {
		tokens.ExpiresIn = seconds(object, "expires_in", g.longest)
	}
	tokens.IDToken = Secret{}
	return tokens, nil
}

// refused is an error of this provider.
func (g *codeGrant) refused(op string, kind Kind, cause error) *Error {
	return &Error{Provider: g.provider, Op: op, Kind: kind, Err: cause}
}

var errUnusable = errors.New("the endpoint's address is unusable")
