package grant

import (
	"context"
	"io"
	"net/http"
	"strings"

	"golang.org/x/oauth2"
)

// Client returns an HTTP client that calls an API as the user: it attaches an
// access token of the audience, renews it when it is due, and, when the API
// answers 401 all the same, renews it once more and sends the request again,
// provided that the request has no body or one that can be read twice
// (Request.GetBody).
//
// The token goes to the hosts that the caller names in its requests, and not to
// another host that one of them redirects to (docs/threats.md LEA8). Each request's own
// context bounds the wait for a token. ctx may carry, under oauth2.HTTPClient,
// the client whose transport and timeout are to be used; nothing else of it is
// kept.
func (g *Grant) Client(ctx context.Context, aud Audience) *http.Client {
	c := &http.Client{}
	if base, ok := ctx.Value(oauth2.HTTPClient).(*http.Client); ok && base != nil {
		*c = *base
	}
	base := c.Transport
	if base == nil {
		base = http.DefaultTransport
	}
	c.Transport = &transport{grant: g, audience: aud, base: base}
	return c
}

type transport struct {
	grant    *Grant
	audience Audience
	base     http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if leftHome(req) {
		return t.base.RoundTrip(req)
	}
	ctx := req.Context()
	a, err := t.grant.access(ctx, t.audience)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := t.base.RoundTrip(authorized(req, a.Token))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !worthRetry(req, resp) {
		return resp, err
	}
	if t.grant.renew(ctx, t.audience, a.Token) != nil {
		return resp, nil // the API's own answer says it best
	}
	again, err := t.grant.access(ctx, t.audience)
	if err != nil || again.Token == a.Token {
		return resp, nil
	}
	second := authorized(req, again.Token)
	if req.GetBody != nil {
		if second.Body, err = req.GetBody(); err != nil {
			return resp, nil
		}
	}
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	resp.Body.Close()
	return t.base.RoundTrip(second)
}

func authorized(req *http.Request, token string) *http.Request {
	r := req.Clone(req.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// leftHome reports whether req follows a redirect to another host than the one
// the caller asked for.
func leftHome(req *http.Request) bool {
	first := req
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return first.URL.Host != req.URL.Host || first.URL.Scheme != req.URL.Scheme
}

// worthRetry reports whether another token could change the answer, and whether
// the request can be sent again.
func worthRetry(req *http.Request, resp *http.Response) bool {
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		return false
	}
	for _, challenge := range resp.Header.Values("WWW-Authenticate") {
		c := strings.ToLower(challenge)
		if strings.Contains(c, "insufficient_scope") || strings.Contains(c, "use_dpop_nonce") {
			return false
		}
	}
	return true
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
