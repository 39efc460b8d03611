package providers_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
)

// TestSocialCallerParameters: the caller's win over the configured ones, and
// never over the attempt's (LOG4).
func TestSocialCallerParameters(t *testing.T) {
	p := must(providers.NewGitHub(providers.GitHubConfig{
		Name: "op", ClientID: "app", ClientSecret: providers.NewSecret("secret"), Scopes: []string{"read:user", "user:email"},
		AuthParams: url.Values{"allow_signup": {"false"}, "prompt": {"select_account"}},
	}))
	flow := providers.NewFlow("op", callback, "/")
	address, err := p.Begin(context.Background(), &flow, url.Values{
		"scope": {"repo"}, "allow_signup": {"true"}, "prompt": {""}, "login": {"alice"},
		"state": {"mine"}, "redirect_uri": {"https://evil.example"}, "Client_ID": {"x"}, "code.challenge": {"x"}, "response_type": {"token"},
		"session_mode": {"token"}, "completion_origin": {"https://app.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	u := parseURL(t, address)
	got := u.Query()
	if got.Get("code_challenge") == "" || got.Get("code_challenge") == "x" {
		t.Error("there is no code challenge of the attempt")
	}
	got.Del("code_challenge")
	want := url.Values{
		"response_type": {"code"}, "client_id": {"app"}, "redirect_uri": {callback}, "state": {flow.State()},
		"code_challenge_method": {"S256"}, "scope": {"repo"}, "allow_signup": {"true"}, "login": {"alice"},
	}
	if u.Host != "github.com" || got.Encode() != want.Encode() {
		t.Errorf("%s\n got %v\nwant %v", u.Host, got, want)
	}
	for _, bad := range []url.Values{
		{"login": {"a", "b"}}, {"lo gin": {"a"}}, {"login": {strings.Repeat("a", 5000)}},
	} {
		_, err := p.Begin(context.Background(), &flow, bad)
		wantError(t, err, providers.Invalid, "parameter")
	}
}

// TestSocialMistakesAreReportedAtOnce, each with its remedy.
func TestSocialMistakesAreReportedAtOnce(t *testing.T) {
	for _, row := range []struct {
		err  error
		want []string
	}{
		{second(providers.NewGitHub(providers.GitHubConfig{
			Name: "Git Hub", Server: "http://github.com", API: "ftp://x", Scopes: []string{"a b"}, AuthParams: url.Values{"state": {"x"}, "scope": {"y"}},
		})), []string{"Name: must match", "ClientID: is empty", "ClientSecret: is empty", "Server: is http", "API: is not an https", `Scopes: "a b"`, `"state" is set anew`, "use Scopes"}},
		{second(providers.NewFacebook(providers.FacebookConfig{
			AppID: "1|2", GraphVersion: "latest", Fields: []string{"id,email"}, Dialog: "x", Graph: "y", AuthParams: url.Values{"display": {"a", "b"}},
		})), []string{"AppID: holds", "AppSecret: is empty", `GraphVersion: "latest"`, `Fields: "id,email"`, "Dialog: is not", "Graph: is not", "exactly one value"}},
		{second(providers.NewTwitter(providers.TwitterConfig{
			API: "https://api.x.com/?a", AuthParams: url.Values{"prompt": {"none"}},
		})), []string{"ConsumerKey: is empty", "ConsumerSecret: is empty", "API: has a user, query", `"prompt" is not known to X`}},
	} {
		if row.err == nil {
			t.Error("nothing was found")
			continue
		}
		for _, want := range row.want {
			if !strings.Contains(row.err.Error(), want) {
				t.Errorf("%q is not in:\n%v", want, row.err)
			}
		}
		for _, line := range strings.Split(row.err.Error(), "\n") {
			if !strings.HasPrefix(line, "providers: \"") {
				t.Errorf("line %q", line)
			}
		}
	}
}

// TestSocialDefaults are those of the documentation.
func TestSocialDefaults(t *testing.T) {
	secret := providers.NewSecret("secret")
	for _, row := range []struct {
		provider           providers.Provider
		name, registration string
	}{
		{must(providers.NewGitHub(providers.GitHubConfig{ClientID: "app", ClientSecret: secret})), "github", "https://github.com app"},
		{must(providers.NewGitHub(providers.GitHubConfig{ClientID: "app", ClientSecret: secret, Server: "https://git.example/"})), "github", "https://git.example app"},
		{must(providers.NewFacebook(providers.FacebookConfig{AppID: "app", AppSecret: secret})), "facebook", "https://www.facebook.com app"},
		{must(providers.NewTwitter(providers.TwitterConfig{ConsumerKey: "app", ConsumerSecret: secret})), "twitter", "https://twitter.com app"},
	} {
		if row.provider.Name() != row.name || row.provider.(providers.Registered).Registration() != row.registration {
			t.Errorf("%s %s", row.provider.Name(), row.provider.(providers.Registered).Registration())
		}
	}
}

// TestSocialAbilities are those that the contract's section 5 allows: whoever is
// no Refresher answers a refresh with 400.
func TestSocialAbilities(t *testing.T) {
	everySocial(t, func(t *testing.T, s *social) {
		_, refreshes := s.Provider.(providers.Refresher)
		_, clients := s.Provider.(providers.ClientLogin)
		_, revokes := s.Provider.(providers.Revoker)
		if refreshes != (s.name == "github") || clients != (s.name != "github") || revokes {
			t.Errorf("refreshes %v, signs in with a client's tokens %v, revokes refresh tokens %v", refreshes, clients, revokes)
		}
	})
}
