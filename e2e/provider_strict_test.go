package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// What the other tests of this package prove is worth as much as the provider
// is strict. These run it without easyauth, on x/oauth2 alone.

const callback = "http://127.0.0.1:9/.auth/login/oidc/callback" // nobody listens there: the tests stop before it

func TestProviderRotatesAndKillsTheGrantOnReplay(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	conf := relyingParty(op)
	first := signInWithoutEasyauth(t, conf)
	if first.RefreshToken == "" {
		t.Fatal("no refresh token for offline_access with prompt=consent")
	}
	second, err := present(t.Context(), conf, first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken {
		t.Error("the refresh token was not rotated")
	}
	if _, err := present(t.Context(), conf, first.RefreshToken); code(err) != "invalid_grant" {
		t.Errorf("replay: %v, want invalid_grant", err)
	}
	if _, err := present(t.Context(), conf, second.RefreshToken); code(err) != "invalid_grant" {
		t.Errorf("successor after a replay: %v, want invalid_grant", err)
	}
	want := opStats{Calls: 4, Logins: 1, Refreshes: 3, Refreshed: 1, Replays: 1, Revocations: 1, MaxInFlight: 1}
	if got := op.Stats(); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	for _, secret := range []string{first.RefreshToken, second.RefreshToken, second.AccessToken} {
		if !strings.Contains(strings.Join(op.Secrets(), "\n"), secret) {
			t.Error("a token is missing among the secrets that logs are searched for")
		}
	}
}

func TestProviderLosesTheGrantToTwoRefreshesAtOnce(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	conf := relyingParty(op)
	token := signInWithoutEasyauth(t, conf)
	refused := make(chan error)
	for range 3 {
		go func() {
			_, err := present(t.Context(), conf, token.RefreshToken)
			refused <- err
		}()
	}
	lost := 0
	for range 3 {
		if err := <-refused; err != nil {
			lost++
		}
	}
	if got := op.Stats(); lost != 2 || got.Replays == 0 {
		t.Errorf("%d of 3 refused, stats %+v: want 2, and the grant dead", lost, got)
	}
}

func TestProviderDemandsPKCEAndConsent(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	conf := relyingParty(op)
	denied := newVisitor(t).Step(conf.AuthCodeURL("state"))
	if location := denied.Header.Get("Location"); !strings.Contains(location, "error=invalid_request") {
		t.Errorf("without PKCE: %d to %q", denied.Status, location)
	}
	token := signInWithoutEasyauth(t, conf, oauth2.SetAuthURLParam("prompt", ""))
	if token.RefreshToken != "" {
		t.Error("a refresh token without prompt=consent")
	}
}

func TestProviderFaultsAreTheOnesAskedFor(t *testing.T) {
	t.Parallel()
	op := startProvider(t, opConfig{})
	conf := relyingParty(op)
	token := signInWithoutEasyauth(t, conf)

	op.Next(fault{Calls: 1, Status: http.StatusServiceUnavailable, RetryAfter: 7e9})
	_, err := present(t.Context(), conf, token.RefreshToken)
	if refused := new(oauth2.RetrieveError); !errors.As(err, &refused) || refused.Response.StatusCode != 503 ||
		refused.Response.Header.Get("Retry-After") != "7" || refused.ErrorCode != "temporarily_unavailable" {
		t.Errorf("armed 503: %v", err)
	}

	op.Next(fault{Calls: 1, Cut: true})
	if _, err := present(t.Context(), conf, token.RefreshToken); err == nil || code(err) != "" {
		t.Errorf("armed cut: %v, want an error of the connection", err)
	}
	if _, err := present(t.Context(), conf, token.RefreshToken); code(err) != "invalid_grant" {
		t.Errorf("after the cut answer: %v, want the token consumed", err)
	}
}

func relyingParty(op *oidcProvider) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     clientID,
		ClientSecret: clientSecret,
		RedirectURL:  callback,
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
		Endpoint: oauth2.Endpoint{
			AuthURL:   op.Issuer + "/auth",
			TokenURL:  op.Issuer + "/token",
			AuthStyle: oauth2.AuthStyleInHeader,
		},
	}
}

// signInWithoutEasyauth signs in with PKCE and prompt=consent unless opts say
// otherwise, and trades the code.
func signInWithoutEasyauth(t *testing.T, conf *oauth2.Config, opts ...oauth2.AuthCodeOption) *oauth2.Token {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	token, err := conf.Exchange(t.Context(), codeWithoutEasyauth(t, conf, "ada", verifier, opts...), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// codeWithoutEasyauth signs somebody in and leaves it at the code.
func codeWithoutEasyauth(t *testing.T, conf *oauth2.Config, name, verifier string, opts ...oauth2.AuthCodeOption) string {
	t.Helper()
	opts = append([]oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("prompt", "consent")}, opts...)
	v := newVisitor(t)
	var answer url.Values
	v.StopAt = func(next *url.URL) bool {
		answer = next.Query()
		return strings.HasPrefix(next.String(), callback)
	}
	v.Approve(v.Visit(conf.AuthCodeURL("state", opts...)), name)
	return answer.Get("code")
}

// present is one refresh.
func present(ctx context.Context, conf *oauth2.Config, refreshToken string) (*oauth2.Token, error) {
	return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: refreshToken}).Token()
}

// code is the OAuth error code of err.
func code(err error) string {
	if refused := new(oauth2.RetrieveError); errors.As(err, &refused) {
		return refused.ErrorCode
	}
	return ""
}
