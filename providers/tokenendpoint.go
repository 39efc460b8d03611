package providers

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Lifetimes beyond these are taken for these (docs/threats.md G17).
const (
	maxExpiresIn        = 30 * 24 * time.Hour
	maxRefreshExpiresIn = 10 * 365 * 24 * time.Hour
)

// tokenCall posts the form to the token endpoint, once: nothing is tried again
// here, because a code or a refresh token may be consumed by the first call.
// final are error codes that mean invalid_grant.
func (p *OIDC) tokenCall(ctx context.Context, meta *metadata, final []string, form url.Values) (*Tokens, *Error) {
	ans, failure := p.post(ctx, meta.endpoint.TokenURL, meta.endpoint.AuthStyle, form)
	if failure != nil {
		return nil, failure
	}
	tokens, err := parseTokens(ans)
	if err != nil {
		e := classifyAnswer(ans, final)
		if e.Kind == Unknown {
			e.Err = err
		}
		return nil, e
	}
	if p.cfg.NoRefresh {
		tokens.RefreshToken, tokens.RefreshExpiresIn = Secret{}, 0
	}
	if p.cfg.Quirks.AuthenticationToken {
		tokens.AuthenticationToken = tokens.IDToken
	}
	return tokens, nil
}

// post sends the form with the client's credentials (RFC 6749 section 2.3.1).
func (p *OIDC) post(ctx context.Context, address string, style oauth2.AuthStyle, form url.Values) (answer, *Error) {
	id := p.cfg.ClientID
	secret, err := p.cfg.clientSecret()
	if err != nil {
		return answer{}, &Error{Kind: Misconfigured, Err: errors.New("the client secret cannot be made")}
	}
	if style == oauth2.AuthStyleInParams {
		form = maps.Clone(form)
		form.Set("client_id", id)
		form.Set("client_secret", secret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, &Error{Kind: Misconfigured, Err: errors.New("the endpoint's address is unusable")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if style == oauth2.AuthStyleInHeader {
		req.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret.Reveal()))
	}
	ans, err := p.wire.do(req)
	if err != nil {
		return answer{}, classifyCall(err)
	}
	return ans, nil
}

// parseTokens reads a successful answer (RFC 6749 section 5.1). Members of the
// wrong type are as good as missing; an unknown lifetime is 0 and not "for ever".
func parseTokens(ans answer) (*Tokens, error) {
	if ans.status < 200 || ans.status > 299 {
		return nil, errUnreadable
	}
	object, err := ParseClaims(ans.body)
	if err != nil || object.Has("error") {
		return nil, errUnreadable
	}
	switch access := object.String("access_token"); {
	case access == "":
		return nil, errors.New("answer has no access token")
	case strings.ContainsFunc(access, func(r rune) bool { return r < 0x20 || r > 0x7e }):
		return nil, errors.New("access token has characters that no header can carry") // RFC 6749 appendix A.12
	case !strings.EqualFold(object.String("token_type"), "Bearer"):
		return nil, errTokenType
	}
	return &Tokens{
		AccessToken:  NewSecret(object.String("access_token")),
		RefreshToken: NewSecret(object.String("refresh_token")),
		IDToken:      NewSecret(object.String("id_token")),
		Scope:        object.String("scope"),

		SentAt:    ans.sentAt,
		ExpiresIn: seconds(object, "expires_in", maxExpiresIn),
		RefreshIn: seconds(object, "refresh_in", maxExpiresIn),
		RefreshExpiresIn: max(
			seconds(object, "refresh_expires_in", maxRefreshExpiresIn),
			seconds(object, "refresh_token_expires_in", maxRefreshExpiresIn)),
	}, nil
}

// errTokenType: a token of another type must not be used (RFC 6749 section 7.1).
var errTokenType = errors.New("access token is not a bearer token")

// seconds reads a lifetime that providers send as a number, a string or a
// float; 0 where it is none, or not above zero.
func seconds(object Claims, name string, limit time.Duration) time.Duration {
	var n json.Number
	if object.Decode(name, &n) != nil {
		return 0
	}
	f, _ := n.Float64() // out of range is infinite, and clamped like everything
	return time.Duration(max(0, min(f, limit.Seconds())) * float64(time.Second))
}
