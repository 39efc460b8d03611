package providertest

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
)

// codeFlow is the authorization code grant of providers that speak OAuth 2
// without OpenID Connect. The lock of the [Social] around it guards it.
type codeFlow struct {
	social   *Social
	clientID string
	secret   string
	codes    map[string]*socialCode
	denial   url.Values // the parameters that say no
}

type socialCode struct {
	user        string
	scopes      []string
	redirectURI string
	challenge   string
	used        bool
}

// read is Social.read.
func (f *codeFlow) read(q url.Values) (*consent, string) {
	redirectURI, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case q.Get("client_id") != f.clientID:
		return nil, "No application has this client_id."
	case err != nil || !redirectURI.IsAbs():
		return nil, "redirect_uri is not a URL."
	case q.Get("response_type") != "code":
		return nil, "response_type must be code."
	case q.Get("code_challenge") != "" && q.Get("code_challenge_method") != "S256":
		return nil, "code_challenge_method must be S256."
	}
	f.social.secret(q.Get("state"))
	scopes := strings.FieldsFunc(q.Get("scope"), func(r rune) bool { return r == ' ' || r == ',' })
	respond := func(params url.Values) url.Values {
		if q.Has("state") {
			params.Set("state", q.Get("state"))
		}
		return params
	}
	return &consent{
		client: f.clientID, scopes: scopes, redirectURI: q.Get("redirect_uri"),
		deny: func() url.Values {
			params := url.Values{}
			for name := range f.denial {
				params.Set(name, f.denial.Get(name))
			}
			return respond(params)
		},
		grant: func(user string) url.Values {
			value := f.social.secret("code_" + rand.Text())
			f.social.mu.Lock()
			defer f.social.mu.Unlock()
			f.codes[value] = &socialCode{
				user: user, scopes: slices.Clone(scopes), redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge"),
			}
			return respond(url.Values{"code": {value}})
		},
	}, ""
}

// redeem spends the code of a token request, or says what is wrong with it: the
// code, or the redirect URI. The caller holds the lock.
func (f *codeFlow) redeem(form url.Values) (c *socialCode, known, rightURI bool) {
	c = f.codes[form.Get("code")]
	if c == nil || c.used || !(&code{challenge: c.challenge}).proves(form.Get("code_verifier")) {
		return nil, false, false
	}
	if form.Get("redirect_uri") != c.redirectURI {
		return nil, true, false
	}
	c.used = true
	return c, true, true
}

// authenticated reports whether the client has shown its secret.
func (f *codeFlow) authenticated(form url.Values) bool {
	return form.Get("client_id") == f.clientID && form.Get("client_secret") == f.secret
}
