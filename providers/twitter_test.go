package providers_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// newTwitter makes a provider named "op", and the X that it talks to.
func newTwitter(t testing.TB) (*social, *providertest.Twitter, *providers.Twitter) {
	t.Helper()
	op := providertest.NewTwitter(providertest.TwitterConfig{})
	p, err := providers.NewTwitter(providers.TwitterConfig{
		Name: "op", ConsumerKey: providertest.ClientID, ConsumerSecret: providers.NewSecret(providertest.ClientSecret),
		API: op.URL(), AuthParams: url.Values{"lang": {"de"}}, HTTPClient: op.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &social{name: "twitter", Provider: p, Social: op.Social}, op, p
}

// TestDOS1AttemptsAtTwitterCostItOneCallEach: beginning one is a call, which
// anybody can cause, so that no more than so many are under way while X is slow.
func TestDOS1AttemptsAtTwitterCostItOneCallEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p := newTwitter(t)
		begin := func() error {
			flow := providers.NewFlow("op", callback, "/")
			_, err := p.Begin(t.Context(), &flow, nil)
			return err
		}
		heal := s.Fail(providertest.RequestTokens, providertest.Fault{Delay: time.Minute})
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if begin() == nil {
					t.Error("an attempt has begun that X never heard of")
				}
			})
		}
		all.Wait() // ten seconds
		if asked := s.Stats().Requests[providertest.RequestTokens]; asked != 32 {
			t.Errorf("X was asked %d times", asked)
		}
		heal()
		time.Sleep(time.Minute) // until X has dealt with them
		if err := begin(); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestTwitterClaims: contract 1.7 and 2.2, in its order, booleans as .NET writes them.
func TestTwitterClaims(t *testing.T) {
	s, _, _ := newTwitter(t)
	s.SetProfile("alice", `{"id":`+s.UserID("alice")+`,"id_str":"`+s.UserID("alice")+`","name":"Alice Example","screen_name":"alice_e","location":"Berlin",
		"description":"Hello / world","url":"https://t.co/x","verified":false,"time_zone":"Berlin","lang":"de","followers_count":3,
		"profile_image_url_https":"https://pbs.example/a.png"}`)
	wantClaims(t, "twitter", s.signIn(t),
		"…/nameidentifier "+s.UserID("alice"),
		"…/upn alice_e",
		"…/name Alice Example",
		"…/webpage https://t.co/x",
		"urn:twitter:description Hello / world",
		"urn:twitter:location Berlin",
		"urn:twitter:time_zone Berlin",
		"urn:twitter:lang de",
		"urn:twitter:verified False",
		"urn:twitter:profile_image_url_https https://pbs.example/a.png",
	)
}

// TestTwitterTokensNeverExpire: contract 5.
func TestTwitterTokensNeverExpire(t *testing.T) {
	s, op, _ := newTwitter(t)
	tokens := s.signIn(t).Tokens
	value, secret := op.Token("alice")
	if tokens.AccessToken.Reveal() != value || tokens.AccessTokenSecret.Reveal() != secret {
		t.Error("the tokens are not those that X gave")
	}
	if tokens.ExpiresIn != 0 || !tokens.RefreshToken.IsZero() {
		t.Errorf("tokens are %+v", tokens)
	}
}

// TestTwitterStateTravelsInTheCallback, for OAuth 1.0a has none, and the request
// token's secret travels nowhere but in the sealed attempt.
func TestTwitterStateTravelsInTheCallback(t *testing.T) {
	s, _, p := newTwitter(t)
	flow := providers.NewFlow("op", callback, "/")
	address, err := p.Begin(t.Context(), &flow, url.Values{
		"force_login": {"true"}, "screen_name": {"alice"}, "prompt": {"none"}, "oauth_token": {"mine"}, "oauth_callback": {"https://evil.example"}, "session_mode": {"token"},
	})
	if err != nil {
		t.Fatal(err)
	}
	u := parseURL(t, address)
	token, secret, _ := strings.Cut(flow.Memo, " ")
	want := url.Values{"oauth_token": {token}, "force_login": {"true"}, "screen_name": {"alice"}, "lang": {"de"}}
	if got := u.Query(); got.Encode() != want.Encode() || token == "" || token == "mine" {
		t.Errorf("parameters are %v, want %v", got, want)
	}
	if secret == "" || strings.Contains(address, secret) {
		t.Error("the request token's secret is not where it belongs")
	}
	response, err := s.Authorize(address, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if response.Get("state") != flow.State() || response.Get("oauth_token") != token {
		t.Errorf("response is %v", response)
	}
	_, err = p.Begin(t.Context(), &flow, url.Values{"lang": {"de", "en"}})
	wantError(t, err, providers.Invalid, "repeats")
}

// TestTwitterResponsesThatDoNotFit the request token of their attempt.
func TestTwitterResponsesThatDoNotFit(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*providers.Flow, url.Values)
		reason string
	}{
		{"LOG2 another attempt's request token", func(_ *providers.Flow, v url.Values) { v.Set("oauth_token", "req_another") }, "request token is not the one"},
		{"LOG2 no request token", func(_ *providers.Flow, v url.Values) { v.Del("oauth_token") }, "request token is not the one"},
		{"an attempt that never asked for one", func(f *providers.Flow, _ url.Values) { f.Memo = "" }, "has no request token"},
		{"an attempt without its secret", func(f *providers.Flow, _ url.Values) { f.Memo, _, _ = strings.Cut(f.Memo, " ") }, "has no request token"},
		{"no verifier", func(_ *providers.Flow, v url.Values) { v.Del("oauth_verifier") }, "no verifier"},
		{"a refusal of another attempt", func(_ *providers.Flow, v url.Values) {
			v.Del("oauth_token")
			v.Set("denied", "req_another")
		}, "request token is not the one"},
		{"a token and a refusal", func(_ *providers.Flow, v url.Values) { v.Set("denied", v.Get("oauth_token")) }, "both"},
		{"LOG3 two request tokens", func(_ *providers.Flow, v url.Values) { v.Add("oauth_token", "x") }, "repeats"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _, p := newTwitter(t)
			flow, response := s.respond(t)
			row.change(&flow, response)
			_, err := p.Complete(t.Context(), flow, response)
			wantError(t, err, providers.Invalid, row.reason)
			s.wantSecretless(t, err)
			if n := s.Stats().Requests[providertest.Token]; n != 0 {
				t.Error("the request token was spent")
			}
		})
	}
}

// TestTwitterVerifierOfSomebodyElse is refused by X.
func TestTwitterVerifierOfSomebodyElse(t *testing.T) {
	s, _, p := newTwitter(t)
	flow, response := s.respond(t)
	response.Set("oauth_verifier", "another")
	_, err := p.Complete(t.Context(), flow, response)
	wantError(t, err, providers.Revoked, "error 32 of the API")
	s.wantSecretless(t, err)
}

// TestTwitterAttemptsThatCannotBegin.
func TestTwitterAttemptsThatCannotBegin(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  providertest.Fault
		kind   providers.Kind
		reason string
	}{
		{"a callback that X does not know", providertest.Fault{Status: 403, Body: `{"errors":[{"code":415,"message":"Callback URL not approved"}]}`}, providers.Misconfigured, "error 415"},
		{"a clock that is wrong", providertest.Fault{Status: 401, Body: `{"errors":[{"code":135}]}`}, providers.Misconfigured, "error 135"},
		{"a rate limit", providertest.Fault{Status: 429}, providers.Busy, "429"},
		{"an outage", providertest.Fault{Status: 500}, providers.Gateway, "500"},
		{"no connection", providertest.Fault{Down: true}, providers.NotSent, ""},
		{"a lost answer", providertest.Fault{Cut: true}, providers.Unknown, "no whole answer"},
		{"a page", providertest.Fault{Body: "<html>"}, providers.Unknown, "not a token response"},
		{"a callback that was not taken", providertest.Fault{Body: "oauth_token=a&oauth_token_secret=b&oauth_callback_confirmed=false"}, providers.Unknown, "not a token response"},
		{"a token with a space in it", providertest.Fault{Body: "oauth_token=a%20c&oauth_token_secret=b&oauth_callback_confirmed=true"}, providers.Unknown, "not a token response"},
		{"R13 2 MiB", providertest.Fault{Body: "oauth_token=" + strings.Repeat("a", 2<<20)}, providers.Unknown, "too large"},
		{"G16 a redirect", providertest.Fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "302"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _, p := newTwitter(t)
			s.Fail(providertest.RequestTokens, row.fault)
			flow := providers.NewFlow("op", callback, "/")
			_, err := p.Begin(t.Context(), &flow, nil)
			wantError(t, err, row.kind, row.reason)
			s.wantSecretless(t, err)
			if flow.Memo != "" {
				t.Error("the attempt keeps something")
			}
		})
	}
}

// TestTwitterTokenOfAnotherUser: X says at the exchange whose token it is.
func TestTwitterTokenOfAnotherUser(t *testing.T) {
	s, _, _ := newTwitter(t)
	s.SetProfile("alice", `{"id_str":"7","screen_name":"mallory"}`)
	_, err := s.attempt(t)
	wantError(t, err, providers.Mismatch, "not that of the token's user")
}

func TestTwitterClientLogin(t *testing.T) {
	s, op, p := newTwitter(t)
	value, secret := op.Token("alice")
	login, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{
		AccessToken: providers.NewSecret(value), AccessTokenSecret: providers.NewSecret(secret), RefreshToken: providers.NewSecret("nonsense"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if login.Identity.Subject != s.UserID("alice") || login.Identity.Issuer != "https://twitter.com" || login.Provider != "op" {
		t.Errorf("login is %+v", login)
	}
	if tokens := login.Tokens; tokens.AccessToken.Reveal() != value || tokens.AccessTokenSecret.Reveal() != secret || !tokens.RefreshToken.IsZero() {
		t.Errorf("tokens are %+v", tokens)
	}
}

// TestTwitterClientTokensThatAreNotOurs: CDL1, CDL2.
func TestTwitterClientTokensThatAreNotOurs(t *testing.T) {
	ours := func(x *providertest.Twitter) (string, string) { return x.Token("alice") }
	for _, row := range []struct {
		name   string
		tokens func(*providertest.Twitter) (string, string)
		fault  providertest.Fault
		kind   providers.Kind
		reason string
	}{
		{"nothing", func(*providertest.Twitter) (string, string) { return "", "" }, providertest.Fault{}, providers.Incomplete, "both needed"},
		{"no secret", func(x *providertest.Twitter) (string, string) { v, _ := x.Token("alice"); return v, "" }, providertest.Fault{}, providers.Incomplete, "both needed"},
		{"no token", func(*providertest.Twitter) (string, string) { return "", "secret" }, providertest.Fault{}, providers.Incomplete, "both needed"},
		{"CDL1 another application's", func(x *providertest.Twitter) (string, string) { return x.ForeignToken("alice") }, providertest.Fault{}, providers.Invalid, "error 89"},
		{"another one's secret", func(x *providertest.Twitter) (string, string) { v, _ := x.Token("alice"); return v, "guess" }, providertest.Fault{}, providers.Invalid, "error 32"},
		{"one that was revoked", func(x *providertest.Twitter) (string, string) {
			v, s := x.Token("alice")
			x.RevokeUser("alice")
			return v, s
		}, providertest.Fault{}, providers.Invalid, "error 89"},
		{"CDL5 one of 5 KiB", func(*providertest.Twitter) (string, string) { return strings.Repeat("a", 5<<10), "secret" }, providertest.Fault{}, providers.Invalid, "malformed"},
		{"one with a line break", func(*providertest.Twitter) (string, string) { return "a", "b\nc" }, providertest.Fault{}, providers.Invalid, "malformed"},
		{"a suspended user's", ours, providertest.Fault{Status: 403, Body: `{"errors":[{"code":64}]}`}, providers.NotAllowed, "error 64"},
		{"an application without access", ours, providertest.Fault{Status: 403, Body: `{"errors":[{"code":453}]}`}, providers.Misconfigured, "error 453"},
		{"a clock that is wrong", ours, providertest.Fault{Status: 401, Body: `{"errors":[{"code":135}]}`}, providers.Misconfigured, "error 135"},
		{"a rate limit", ours, providertest.Fault{Status: 429}, providers.Busy, "429"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, op, p := newTwitter(t)
			s.Fail(providertest.UserInfo, row.fault)
			value, secret := row.tokens(op)
			_, err := p.LoginWithTokens(t.Context(), providers.ClientTokens{AccessToken: providers.NewSecret(value), AccessTokenSecret: providers.NewSecret(secret)})
			wantError(t, err, row.kind, row.reason)
			s.wantSecretless(t, err)
		})
	}
}

// TestTwitterSignsEveryParameter: whatever stands in a URL is part of the
// signature, characters that are escaped in two ways included.
func TestTwitterSignsEveryParameter(t *testing.T) {
	_, op, p := newTwitter(t)
	flow := providers.NewFlow("op", "https://app.example/.auth/login/op/callback?x=a+b%26c~d*(é)", "/")
	address, err := p.Begin(t.Context(), &flow, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := op.Authorize(address, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if response.Get("x") != "a b&c~d*(é)" || response.Get("state") != flow.State() {
		t.Errorf("response is %v", response)
	}
}
