package providers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/dghubble/oauth1"
)

// requestToken is the temporary credential of one attempt (RFC 5849 section 2.1).
type requestToken struct {
	value  string // travels in URLs
	secret Secret
}

// requestToken asks for a temporary credential that leads back to callback.
func (p *Twitter) requestToken(ctx context.Context, callback string) (requestToken, *Error) {
	call := &signedCall{ctx: ctx, wire: p.wire}
	value, secret, err := p.consumer(callback, call).RequestToken()
	if failure := call.failure(err, Misconfigured); failure != nil {
		return requestToken{}, failure
	}
	token := requestToken{value, NewSecret(secret)}
	if errors.Join(checkClientToken(NewSecret(value)), checkClientToken(token.secret)) != nil {
		return requestToken{}, &Error{Kind: Unknown, Status: call.ans.status, Err: errUnreadable}
	}
	return token, nil
}

// accessToken spends the request token. user is whose token it is, where told.
func (p *Twitter) accessToken(ctx context.Context, token requestToken, verifier string) (_ *Tokens, user string, _ *Error) {
	call := &signedCall{ctx: ctx, wire: p.wire}
	value, secret, err := p.consumer("", call).AccessToken(token.value, token.secret.Reveal(), verifier)
	if failure := call.failure(err, Revoked); failure != nil {
		return nil, "", failure
	}
	tokens := &Tokens{AccessToken: NewSecret(value), AccessTokenSecret: NewSecret(secret), SentAt: call.ans.sentAt}
	if errors.Join(checkClientToken(tokens.AccessToken), checkClientToken(tokens.AccessTokenSecret)) != nil {
		return nil, "", &Error{Kind: Invalid, Status: call.ans.status, Err: errUnreadable}
	}
	form, err := url.ParseQuery(string(call.ans.body))
	if err != nil {
		return nil, "", &Error{Kind: Invalid, Status: call.ans.status, Err: errUnreadable}
	}
	return tokens, form.Get("user_id"), nil
}

// get sends a request signed with the tokens.
func (p *Twitter) get(ctx context.Context, address string, tokens *Tokens) (answer, *Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, &Error{Kind: Misconfigured, Err: errUnusable}
	}
	req.Header.Set("Accept", "application/json")
	call := &signedCall{ctx: ctx, wire: p.wire}
	signer := p.consumer("", call).Client(context.WithValue(ctx, oauth1.HTTPClient, call.client()),
		oauth1.NewToken(tokens.AccessToken.Reveal(), tokens.AccessTokenSecret.Reveal()))
	res, err := signer.Transport.RoundTrip(req)
	if err == nil {
		err = res.Body.Close()
	}
	if failure := call.failure(err, Invalid); failure != nil {
		return answer{}, failure
	}
	return call.ans, nil
}

// consumer is the application, for one call.
func (p *Twitter) consumer(callback string, call *signedCall) *oauth1.Config {
	return &oauth1.Config{
		ConsumerKey:    p.cfg.ConsumerKey,
		ConsumerSecret: p.cfg.ConsumerSecret.Reveal(),
		CallbackURL:    callback,
		Endpoint: oauth1.Endpoint{
			RequestTokenURL: p.cfg.API + "/oauth/request_token",
			AuthorizeURL:    p.cfg.API + "/oauth/authenticate",
			AccessTokenURL:  p.cfg.API + "/oauth/access_token",
		},
		HTTPClient: call.client(),
	}
}

// signedCall lets the OAuth 1.0a library sign a request and read its answer,
// and has both travel as everything does here: bounded and never redirected. It
// keeps the answer, since the library's errors quote it.
type signedCall struct {
	ctx  context.Context // of the one call
	wire wire
	ans  answer
	err  error
}

func (c *signedCall) client() *http.Client {
	return &http.Client{
		Transport:     c,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTrip sends what the library has signed.
func (c *signedCall) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.ans, c.err = c.wire.do(req.WithContext(c.ctx)); c.err != nil {
		return nil, c.err
	}
	return &http.Response{
		StatusCode: c.ans.status,
		Header:     c.ans.header,
		Body:       io.NopCloser(bytes.NewReader(c.ans.body)),
		Request:    req,
	}, nil
}

// failure says what became of the call. libraryErr says only whether the library
// could do with the answer; unauthorized is what a refusal of the credentials
// means at this point.
func (c *signedCall) failure(libraryErr error, unauthorized Kind) *Error {
	switch {
	case c.err != nil:
		return classifyCall(c.err)
	case c.ans.status == 0:
		return &Error{Kind: Misconfigured, Err: errUnusable} // it was never sent
	case c.ans.status < 200 || c.ans.status > 299:
		return classifyTwitter(c.ans, unauthorized)
	case libraryErr != nil && unauthorized == Misconfigured: // a page in front of X, before anything was spent
		return &Error{Kind: Unknown, Status: c.ans.status, Err: errUnreadable}
	case libraryErr != nil:
		return &Error{Kind: Invalid, Status: c.ans.status, Err: errUnreadable}
	}
	return nil
}
