package providers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"
)

// maxParams bounds what a caller can have sent along, name and value together,
// so that the authorization URL stays one that servers accept.
const maxParams = 4096

var paramPattern = regexp.MustCompile(`^[A-Za-z0-9_.:\[\]-]{1,64}$`)

// ownedParams are the parameters that the attempt itself sets, and those of the
// login route that are not meant for the provider (docs/threats.md LOG4, RED13).
var ownedParams = []string{
	"response_type", "response_mode", "client_id", "redirect_uri", "state", "nonce",
	"code_challenge", "code_challenge_method", "request", "request_uri",
	"post_login_redirect_uri", "post_login_redirect_url", "session_mode",
	"completion_type", "completion_origin", "sso_end_uri",
}

// ownedParam reports whether a provider may read the name as one of
// ownedParams. Some fold case; some turn dots, spaces and brackets into
// underscores.
func ownedParam(name string) bool {
	folded := strings.Map(func(r rune) rune {
		switch r {
		case '.', ' ', '-', '[', ']':
			return '_'
		}
		return r
	}, strings.ToLower(name))
	return slices.Contains(ownedParams, strings.Trim(folded, "_"))
}

// Begin returns the URL of the authorization request (OpenID Connect Core
// 3.1.2.1) with PKCE S256, state and nonce of f, whatever the provider says it
// supports (docs/threats.md LOG6). A caller's parameter with an empty value leaves
// the configured one out; "openid" is added to a caller's scope. The caller's
// parameters must not repeat, resource excepted, and are limited to 4 KiB.
func (p *OIDC) Begin(ctx context.Context, f *Flow, params url.Values) (string, error) {
	query, err := p.request(params)
	if err != nil {
		return "", p.refused("begin", Invalid, err)
	}
	maxAge, err := parseMaxAge(query)
	if err != nil {
		return "", p.refused("begin", Invalid, err)
	}
	meta, failure := p.metadata(ctx, "begin")
	if failure != nil {
		return "", failure
	}
	u, err := url.Parse(meta.endpoint.AuthURL)
	if err != nil {
		return "", p.refused("begin", Misconfigured, errors.New("the authorization_endpoint is unusable"))
	}
	// Nothing of a front channel with tokens may stand in a URL.
	f.MaxAge, f.FormPost = maxAge, p.cfg.FormPost || p.cfg.ResponseType.front()
	// The endpoint may have a query of its own (RFC 6749 section 3.1); what the
	// attempt sets comes last and wins over everything.
	q := u.Query()
	maps.Copy(q, query)
	q.Set("response_type", p.cfg.ResponseType.String())
	q.Set("client_id", p.cfg.ClientID)
	q.Set("redirect_uri", f.RedirectURI)
	q.Set("state", f.State())
	q.Set("nonce", f.Nonce())
	if p.cfg.ResponseType != InsecureIDTokenOnly {
		q.Set("code_challenge", oauth2.S256ChallengeFromVerifier(f.Verifier()))
		q.Set("code_challenge_method", "S256")
	}
	if f.FormPost {
		q.Set("response_mode", "form_post")
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// request merges the configured parameters with the caller's.
func (p *OIDC) request(params url.Values) (url.Values, error) {
	query := url.Values{"scope": {strings.Join(p.cfg.Scopes, " ")}}
	maps.Copy(query, p.cfg.AuthParams)
	if err := override(query, params, "resource"); err != nil {
		return nil, err
	}
	if params.Has("scope") {
		query.Set("scope", strings.Join(withOpenID(strings.Fields(query.Get("scope"))), " "))
	}
	prompted := params.Has("prompt") || p.cfg.AuthParams.Has("prompt")
	if asksOffline(query) && !prompted && !p.cfg.Quirks.OfflineWithoutConsent {
		query.Set("prompt", "consent")
	}
	maps.DeleteFunc(query, func(_ string, values []string) bool {
		return len(values) == 1 && values[0] == ""
	})
	return query, nil
}

// override puts a caller's parameters over those of query. One with an empty
// value takes the configured one away; those that the attempt sets are not the
// caller's to give.
func override(query, params url.Values, repeatable ...string) error {
	total := 0
	for name, values := range params {
		switch {
		case ownedParam(name):
			continue
		case !paramPattern.MatchString(name):
			return errors.New("a parameter's name is malformed")
		case len(values) != 1 && !slices.Contains(repeatable, name):
			return fmt.Errorf("parameter %q repeats", name)
		}
		for _, v := range values {
			if total += len(name) + len(v); total > maxParams {
				return errors.New("the parameters are too long")
			}
		}
		if query[name] = values; len(values) == 1 && values[0] == "" {
			delete(query, name)
		}
	}
	return nil
}

func asksOffline(query url.Values) bool {
	return slices.Contains(strings.Fields(query.Get("scope")), "offline_access")
}

// parseMaxAge returns the max_age that the request asks for, nil for none.
func parseMaxAge(query url.Values) (*int64, error) {
	v := query.Get("max_age")
	if v == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseUint(v, 10, 31)
	if err != nil {
		return nil, errors.New("max_age is not a number of seconds")
	}
	age := int64(seconds)
	return &age, nil
}
