package providers_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/internal/principal"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// newGitHub makes a provider named "op", and the GitHub that it talks to.
func newGitHub(t testing.TB, cfg providertest.GitHubConfig, scopes ...string) (*social, *providertest.GitHub, *providers.GitHub) {
	t.Helper()
	op := providertest.NewGitHub(cfg)
	p, err := providers.NewGitHub(providers.GitHubConfig{
		Name: "op", ClientID: providertest.ClientID, ClientSecret: providers.NewSecret(providertest.ClientSecret),
		Server: op.URL(), Scopes: scopes, HTTPClient: op.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return &social{name: "github", Provider: p, Social: op.Social}, op, p
}

// wantClaims compares what App Service's readers see of a user: each line is a
// type and its value, long types by their last part.
func wantClaims(t testing.TB, provider string, login *providers.Login, want ...string) {
	t.Helper()
	var got []string
	for _, c := range principal.New(principal.User{Provider: provider, ID: login.Identity.Subject, Claims: login.Identity.Claims}).Claims {
		typ, long := strings.CutPrefix(c.Typ, "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/")
		if long {
			typ = "…/" + typ
		}
		got = append(got, typ+" "+c.Val)
	}
	if !slices.Equal(got, want) {
		t.Errorf("claims are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestGitHubClaims: contract 1.7 and 2.1, the login for a name, and every member
// of the profile in GitHub's order.
func TestGitHubClaims(t *testing.T) {
	s, _, _ := newGitHub(t, providertest.GitHubConfig{}, "user:email")
	s.SetProfile("alice", `{"login":"octocat","id":583231,"avatar_url":"https://avatars.example/u/583231","site_admin":false,
		"name":"The Octocat","company":null,"email":"public@example.com","plan":{"name":"pro", "space":1},"teams":["a","b"],"public_repos":8}`)
	login := s.signIn(t)
	if login.Identity.Claims.Has("urn:github:company") {
		t.Error("null is kept")
	}
	wantClaims(t, "github", login,
		"…/nameidentifier 583231",
		"…/name octocat",
		"…/emailaddress alice@example.com",
		"urn:github:login octocat",
		"urn:github:id 583231",
		"urn:github:avatar_url https://avatars.example/u/583231",
		"urn:github:site_admin false",
		"urn:github:name The Octocat",
		"urn:github:email public@example.com",
		`urn:github:plan {"name":"pro","space":1}`,
		"urn:github:teams a",
		"urn:github:teams b",
		"urn:github:public_repos 8",
	)
}

// TestGitHubEmailIsThePrimaryOneAndVerified, and nobody is kept out for want of one.
func TestGitHubEmailIsThePrimaryOneAndVerified(t *testing.T) {
	const typ = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"
	for _, row := range []struct {
		name   string
		scopes []string
		fault  providertest.Fault
		want   string
		asked  int
	}{
		{"granted", []string{"read:user", "user:email"}, providertest.Fault{}, "alice@example.com", 1},
		{"granted with more", []string{"user"}, providertest.Fault{}, "alice@example.com", 1},
		{"not asked for", nil, providertest.Fault{}, "", 0},
		{"not verified", []string{"user:email"}, providertest.Fault{Body: `[{"email":"a@b.example","primary":true,"verified":false}]`}, "", 1},
		{"not primary", []string{"user:email"}, providertest.Fault{Body: `[{"email":"a@b.example","primary":false,"verified":true}]`}, "", 1},
		{"not an address", []string{"user:email"}, providertest.Fault{Body: `[{"email":"alice","primary":true,"verified":true}]`}, "", 1},
		{"not a list", []string{"user:email"}, providertest.Fault{Body: `{"email":"a@b.example","primary":true,"verified":true}`}, "", 1},
		{"refused", []string{"user:email"}, providertest.Fault{Status: 404}, "", 1},
		{"lost", []string{"user:email"}, providertest.Fault{Cut: true}, "", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _, _ := newGitHub(t, providertest.GitHubConfig{}, row.scopes...)
			s.Fail(providertest.EmailAddresses, row.fault)
			if got := s.signIn(t).Identity.Claims.String(typ); got != row.want {
				t.Errorf("address is %q, want %q", got, row.want)
			}
			if n := s.Stats().Requests[providertest.EmailAddresses]; n != row.asked {
				t.Errorf("asked %d times, want %d", n, row.asked)
			}
		})
	}
}

// TestGitHubEnterprise has its API below the server, and ghe.com beside it.
func TestGitHubEnterprise(t *testing.T) {
	for server, want := range map[string]string{
		"":                         "https://api.github.com/user",
		"https://git.example":      "https://git.example/api/v3/user",
		"https://octocorp.ghe.com": "https://api.octocorp.ghe.com/user",
	} {
		var asked []string
		cfg := providers.GitHubConfig{Name: "op", ClientID: "app", ClientSecret: providers.NewSecret("secret"), Server: server}
		if strings.HasSuffix(server, ".ghe.com") {
			cfg.API = "https://api.octocorp.ghe.com/"
		}
		cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.String())
			body := `{"access_token":"a","token_type":"bearer","scope":"","id":7,"login":"a"}`
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: readCloser{strings.NewReader(body)}, Request: r}, nil
		})}
		p := must(providers.NewGitHub(cfg))
		flow := providers.NewFlow("op", callback, "/")
		login, err := p.Complete(t.Context(), flow, map[string][]string{"state": {flow.State()}, "code": {"c"}})
		if err != nil || login.Identity.Subject != "7" {
			t.Fatal(login, err)
		}
		if len(asked) != 2 || asked[1] != want {
			t.Errorf("asked %v, want %s", asked, want)
		}
	}
}

// TestGitHubOAuthAppHasNothingToRefresh: contract 5, no expiry and 400 at a refresh.
func TestGitHubOAuthAppHasNothingToRefresh(t *testing.T) {
	s, _, p := newGitHub(t, providertest.GitHubConfig{}, "read:user", "user:email")
	tokens := s.signIn(t).Tokens
	if tokens.ExpiresIn != 0 || !tokens.RefreshToken.IsZero() || tokens.RefreshExpiresIn != 0 {
		t.Errorf("tokens are %+v", tokens)
	}
	if tokens.Scope != "read:user user:email" {
		t.Errorf("scope is %q", tokens.Scope)
	}
	_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: tokens.RefreshToken})
	wantError(t, err, providers.NotSent, "no refresh token")
	if n := s.Stats().Refreshes; n != 0 {
		t.Errorf("%d refreshes were sent", n)
	}
}

// TestGitHubAppRefreshesForSixMonths: 8 hours, a refresh token that works once,
// and the old access token dies with it.
func TestGitHubAppRefreshesForSixMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, p := newGitHub(t, providertest.GitHubConfig{Expiring: true})
		first := s.signIn(t).Tokens
		if first.ExpiresIn != 8*time.Hour || first.RefreshExpiresIn != 184*24*time.Hour {
			t.Errorf("tokens live %v and %v", first.ExpiresIn, first.RefreshExpiresIn)
		}
		if policy := p.RefreshPolicy(); policy.Class != providers.Strict || policy.Wide || policy.Lifetime != 183*24*time.Hour || !policy.Sliding {
			t.Errorf("policy is %+v", policy)
		}
		time.Sleep(7 * time.Hour)
		next, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: first.RefreshToken})
		if err != nil {
			t.Fatal(err)
		}
		if next.AccessToken.Equal(first.AccessToken) || next.RefreshToken.IsZero() || next.RefreshToken.Equal(first.RefreshToken) {
			t.Error("the tokens are the same")
		}
		if next.ExpiresIn != 8*time.Hour || next.SentAt.Sub(first.SentAt) != 7*time.Hour {
			t.Errorf("new token of %v lives %v", next.SentAt, next.ExpiresIn)
		}
		_, err = p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: first.RefreshToken})
		failure := wantError(t, err, providers.Revoked, "revoked")
		if failure.Status != 200 || failure.Code != "bad_refresh_token" {
			t.Errorf("failure is %+v", failure)
		}
		if _, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: next.RefreshToken}); err != nil {
			t.Errorf("the new token does not work: %v", err)
		}
	})
}

// TestGitHubErrorsWithStatus200 are told by the code in the body, and only by it.
func TestGitHubErrorsWithStatus200(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault providertest.Fault
		kind  providers.Kind
	}{
		{"bad_refresh_token", providertest.Fault{Status: 200, OAuthError: "bad_refresh_token"}, providers.Revoked},
		{"bad_refresh_token with 400", providertest.Fault{Status: 400, OAuthError: "bad_refresh_token"}, providers.Revoked},
		{"invalid_grant", providertest.Fault{Status: 200, OAuthError: "invalid_grant"}, providers.Revoked},
		{"incorrect_client_credentials", providertest.Fault{Status: 200, OAuthError: "incorrect_client_credentials"}, providers.Misconfigured},
		{"unsupported_grant_type", providertest.Fault{Status: 200, OAuthError: "unsupported_grant_type"}, providers.Misconfigured},
		{"a code that nobody knows", providertest.Fault{Status: 200, OAuthError: "something_new"}, providers.Misconfigured},
		{"server_error", providertest.Fault{Status: 200, OAuthError: "server_error"}, providers.Gateway},
		{"a rate limit", providertest.Fault{Status: 429}, providers.Busy},
		{"RAC3 a page with the words of an error", providertest.Fault{Status: 200, Body: "<html>bad_refresh_token"}, providers.Unknown},
		{"an error beside a token", providertest.Fault{Status: 200, Body: `{"access_token":"a","token_type":"bearer","error":"bad_refresh_token"}`}, providers.Revoked},
		{"a token of another type", providertest.Fault{Status: 200, Body: `{"access_token":"a","token_type":"mac"}`}, providers.Unknown},
		{"tokens as a form", providertest.Fault{Status: 200, Body: `access_token=a&token_type=bearer`}, providers.Unknown},
		{"a lost answer", providertest.Fault{Process: true, Cut: true}, providers.Unknown},
		{"no connection", providertest.Fault{Down: true}, providers.NotSent},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _, p := newGitHub(t, providertest.GitHubConfig{Expiring: true})
			login := s.signIn(t)
			s.Fail(providertest.Token, row.fault)
			_, err := p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: login.Tokens.RefreshToken})
			wantError(t, err, row.kind, row.kind.String())
			s.wantSecretless(t, err)
		})
	}
}

// TestGitHubHasOneAudience: the refresh token is not spent on what cannot be.
func TestGitHubHasOneAudience(t *testing.T) {
	s, _, p := newGitHub(t, providertest.GitHubConfig{Expiring: true})
	token := s.signIn(t).Tokens.RefreshToken
	for _, req := range []providers.RefreshRequest{
		{RefreshToken: token, Resource: "https://api.example"},
		{RefreshToken: token, Scopes: []string{"repo"}},
	} {
		_, err := p.Refresh(t.Context(), req)
		wantError(t, err, providers.Misconfigured, "one audience")
	}
	if n := s.Stats().Refreshes; n != 0 {
		t.Errorf("%d refreshes were sent", n)
	}
}

// TestGitHubSignOutRevokesOneToken and leaves the user's other sign-ins alone.
func TestGitHubSignOutRevokesOneToken(t *testing.T) {
	s, op, p := newGitHub(t, providertest.GitHubConfig{})
	here, there := s.signIn(t).Tokens.AccessToken, s.signIn(t).Tokens.AccessToken
	works := func(token providers.Secret) bool {
		req, _ := http.NewRequest(http.MethodGet, op.URL()+"/api/v3/user", nil)
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
		res, err := op.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	if err := p.RevokeAccess(t.Context(), here); err != nil {
		t.Fatal(err)
	}
	if works(here) || !works(there) {
		t.Errorf("this one works: %v, the other one: %v", works(here), works(there))
	}
	if err := p.RevokeAccess(t.Context(), here); err != nil {
		t.Errorf("a token that is gone: %v", err)
	}
	if err := p.RevokeAccess(t.Context(), providers.Secret{}); err != nil {
		t.Errorf("no token: %v", err)
	}
	for status, kind := range map[int]providers.Kind{
		401: providers.Misconfigured, 422: providers.Misconfigured, 429: providers.Busy, 500: providers.Gateway,
	} {
		s.Fail(providertest.AccessRevocation, providertest.Fault{Times: 1, Status: status})
		err := p.RevokeAccess(t.Context(), there)
		wantError(t, err, kind, "revoke refused")
		s.wantSecretless(t, err)
	}
}

// TestGitHubAPIRefusals while it is found out who somebody is.
func TestGitHubAPIRefusals(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault providertest.Fault
		kind  providers.Kind
	}{
		{"a token that died", providertest.Fault{Status: 401}, providers.Invalid},
		{"the hourly limit", providertest.Fault{Status: 403, Header: http.Header{"X-Ratelimit-Remaining": {"0"}}}, providers.Busy},
		{"the secondary limit", providertest.Fault{Status: 403, Header: http.Header{"Retry-After": {"60"}}}, providers.Busy},
		{"an application that may not", providertest.Fault{Status: 403}, providers.Misconfigured},
		{"a server without this API", providertest.Fault{Status: 404}, providers.Misconfigured},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, _, _ := newGitHub(t, providertest.GitHubConfig{})
			s.Fail(providertest.UserInfo, row.fault)
			_, err := s.attempt(t)
			wantError(t, err, row.kind, "userinfo refused")
		})
	}
}

// readCloser is a body.
type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
