package providers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// social is one of the providers without OpenID Connect, under the name "op",
// with the one that plays it.
type social struct {
	name string
	providers.Provider
	*providertest.Social
	network *providertest.Network
	params  url.Values // the caller's, of every attempt
}

// newSocial makes one of the three; client reaches what plays it.
func newSocial(t testing.TB, name string) *social {
	t.Helper()
	s := &social{name: name}
	client := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) { return s.network.RoundTrip(r) })}
	secret := providers.NewSecret(providertest.ClientSecret)
	var err error
	switch name {
	case "github":
		op := providertest.NewGitHub(providertest.GitHubConfig{})
		s.Social = op.Social
		s.Provider, err = providers.NewGitHub(providers.GitHubConfig{
			Name: "op", ClientID: providertest.ClientID, ClientSecret: secret, Server: op.URL(), HTTPClient: client,
		})
	case "facebook":
		op := providertest.NewFacebook(providertest.FacebookConfig{})
		s.Social = op.Social
		s.Provider, err = providers.NewFacebook(providers.FacebookConfig{
			Name: "op", AppID: providertest.ClientID, AppSecret: secret, Dialog: op.URL(), Graph: op.URL(), HTTPClient: client,
		})
	case "twitter":
		op := providertest.NewTwitter(providertest.TwitterConfig{})
		s.Social = op.Social
		s.Provider, err = providers.NewTwitter(providers.TwitterConfig{
			Name: "op", ConsumerKey: providertest.ClientID, ConsumerSecret: secret, API: op.URL(), HTTPClient: client,
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.network = providertest.NewNetwork(map[string]http.Handler{s.Host(): s.Social})
	return s
}

// everySocial runs a test for each of the three.
func everySocial(t *testing.T, test func(t *testing.T, s *social)) {
	for _, name := range []string{"github", "facebook", "twitter"} {
		t.Run(name, func(t *testing.T) { test(t, newSocial(t, name)) })
	}
}

// respond begins an attempt, has alice agree, and returns what comes back.
func (s *social) respond(t testing.TB) (providers.Flow, url.Values) {
	t.Helper()
	flow := providers.NewFlow("op", callback, "/")
	address, err := s.Begin(t.Context(), &flow, s.params)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.Authorize(address, "alice")
	if err != nil {
		t.Fatal(err)
	}
	return flow, response
}

func (s *social) attempt(t testing.TB) (*providers.Login, error) {
	t.Helper()
	flow, response := s.respond(t)
	return s.Complete(t.Context(), flow, response)
}

func (s *social) signIn(t testing.TB) *providers.Login {
	t.Helper()
	login, err := s.attempt(t)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// wantSecretless demands that nothing that travelled is in the error.
func (s *social) wantSecretless(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range s.Secrets() {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q holds a secret", err)
		}
	}
	if strings.Contains(err.Error(), "alice") {
		t.Errorf("error %q says who it is about", err)
	}
}

func TestSocialSignInWithABrowser(t *testing.T) {
	everySocial(t, func(t *testing.T, s *social) {
		var response url.Values
		s.network.Handle(appHost, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { response = r.URL.Query() }))
		flow := providers.NewFlow("op", callback, "/")
		address, err := s.Begin(t.Context(), &flow, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := providertest.NewBrowser(s.network).SignIn(address, "alice"); err != nil {
			t.Fatal(err)
		}
		login, err := s.Complete(t.Context(), flow, response)
		if err != nil {
			t.Fatal(err)
		}
		if login.Provider != "op" || login.Identity.Subject != s.UserID("alice") || login.Tokens.AccessToken.IsZero() {
			t.Errorf("login is %+v", login)
		}
		if login.Tokens.SentAt.IsZero() || !login.AuthTime.Equal(login.Tokens.SentAt) && s.name != "facebook" {
			t.Errorf("signed in at %v, tokens sent at %v", login.AuthTime, login.Tokens.SentAt)
		}
		if !login.Tokens.IDToken.IsZero() || !login.Tokens.RefreshToken.IsZero() {
			t.Error("there is an ID token or a refresh token")
		}
	})
}

// TestSocialSubjectsAreStable: the same user is the same subject at the next
// sign-in, another one is another, and the issuer says where.
func TestSocialSubjectsAreStable(t *testing.T) {
	issuers := map[string]string{"github": "https://github.example", "facebook": "https://www.facebook.com", "twitter": "https://twitter.com"}
	everySocial(t, func(t *testing.T, s *social) {
		first, second := s.signIn(t), s.signIn(t)
		if first.Identity.Issuer != issuers[s.name] || first.Identity.Subject != second.Identity.Subject {
			t.Errorf("%+v and %+v", first.Identity, second.Identity)
		}
		if id := s.UserID("bob"); id == first.Identity.Subject {
			t.Error("bob is alice")
		}
	})
}

// TestSocialResponsesOfAnotherAttemptAreRefused before anything is spent:
// LOG1-LOG3, LOG11, MIX1, MIX2.
func TestSocialResponsesOfAnotherAttemptAreRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*providers.Flow, url.Values)
		reason string
	}{
		{"LOG1 no state", func(_ *providers.Flow, v url.Values) { v.Del("state") }, "state is not the one"},
		{"LOG2 another attempt's state", func(f *providers.Flow, _ url.Values) {
			memo := f.Memo
			*f = providers.NewFlow("op", callback, "/")
			f.Memo = memo
		}, "state is not the one"},
		{"LOG3 two states", func(_ *providers.Flow, v url.Values) { v.Add("state", v.Get("state")) }, "a parameter repeats"},
		{"MIX2 two codes", func(_ *providers.Flow, v url.Values) { v["code"] = []string{"a", "b"} }, "a parameter repeats"},
		{"LOG11 too late", func(f *providers.Flow, _ url.Values) { f.CreatedAt = time.Now().Add(-11 * time.Minute) }, "took too long"},
		{"MIX1 begun with another provider", func(f *providers.Flow, _ url.Values) { f.Provider = "google" }, "another provider"},
	} {
		t.Run(row.name, func(t *testing.T) {
			everySocial(t, func(t *testing.T, s *social) {
				flow, response := s.respond(t)
				row.change(&flow, response)
				_, err := s.Complete(t.Context(), flow, response)
				wantError(t, err, providers.Invalid, row.reason)
				s.wantSecretless(t, err)
				if n := s.Stats().Requests[providertest.Token]; n != 0 {
					t.Errorf("%d token requests were sent", n)
				}
			})
		})
	}
}

// TestSocialResponseWithBothACodeAndAnError is of no provider, and the code is
// not spent.
func TestSocialResponseWithBothACodeAndAnError(t *testing.T) {
	for _, name := range []string{"github", "facebook"} {
		s := newSocial(t, name)
		flow, response := s.respond(t)
		response.Set("error", "access_denied")
		_, err := s.Complete(t.Context(), flow, response)
		wantError(t, err, providers.Invalid, "both a code and an error")
		response.Del("code")
		response.Set("error", "<script>")
		_, err = s.Complete(t.Context(), flow, response)
		if failure := wantError(t, err, providers.Invalid, "answered with an error"); failure.Code != "" {
			t.Errorf("the error repeats %q", failure.Code)
		}
		if n := s.Stats().Requests[providertest.Token]; n != 0 {
			t.Error("the code was spent")
		}
	}
}

// TestSocialIDTokenThatNobodyVerifies is not kept; nor is a refresh token of a
// provider that has none.
func TestSocialIDTokenThatNobodyVerifies(t *testing.T) {
	for _, name := range []string{"github", "facebook"} {
		s := newSocial(t, name)
		flow, response := s.respond(t)
		for _, e := range []providertest.Endpoint{providertest.Token, providertest.TokenExchange} {
			s.Fail(e, providertest.Fault{Edit: func(_ http.Header, body []byte) []byte {
				return []byte(strings.Replace(string(body), "{", `{"id_token":"x.y.z","refresh_token":"rt",`, 1))
			}})
		}
		login, err := s.Complete(t.Context(), flow, response)
		if err != nil {
			t.Fatal(err)
		}
		if !login.Tokens.IDToken.IsZero() || login.Tokens.RefreshToken.IsZero() != (name == "facebook") {
			t.Errorf("%s: tokens are %+v", name, login.Tokens)
		}
	}
}

func TestSocialDenialIsDenied(t *testing.T) {
	everySocial(t, func(t *testing.T, s *social) {
		flow := providers.NewFlow("op", callback, "/")
		address, err := s.Begin(t.Context(), &flow, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := s.Deny(address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Complete(t.Context(), flow, response)
		wantError(t, err, providers.Denied, "denied")
	})
}

// TestSocialUserWithoutAnIDIsRefused: all users of the provider would be one
// (contract 3.2: sid:000…).
func TestSocialUserWithoutAnIDIsRefused(t *testing.T) {
	members := map[string]string{"github": "id", "facebook": "id", "twitter": "id_str"}
	for _, row := range []struct{ value, reason string }{
		{``, "has no user id"},
		{`"%s":null`, ""},
		{`"%s":""`, ""},
		{`"%s":0`, ""},
		{`"%s":"0"`, ""},
		{`"%s":"000"`, ""},
		{`"%s":-1`, ""},
		{`"%s":1.5e9`, ""},
		{`"%s":"alice"`, ""},
		{`"%s":"../7"`, ""},
		{`"%s":["7"]`, ""},
		{`"%s":"` + strings.Repeat("7", 33) + `"`, ""},
	} {
		t.Run(row.value, func(t *testing.T) {
			everySocial(t, func(t *testing.T, s *social) {
				object := `{"name":"Alice","login":"alice","screen_name":"alice"`
				if row.value != "" {
					object += "," + fmt.Sprintf(row.value, members[s.name])
				}
				s.SetProfile("alice", object+"}")
				_, err := s.attempt(t)
				wantError(t, err, providers.Invalid, "user id")
				s.wantSecretless(t, err)
			})
		})
	}
}

// TestSocialAnswersThatAreNone: pages, truncated and oversized answers in the
// place of a profile or of tokens.
func TestSocialAnswersThatAreNone(t *testing.T) {
	page := http.Header{"Content-Type": {"text/html"}}
	for _, row := range []struct {
		name     string
		endpoint providertest.Endpoint
		fault    providertest.Fault
		kind     providers.Kind
		reason   string
	}{
		{"a page for a profile", providertest.UserInfo, providertest.Fault{Header: page, Body: "<html>Sign in to the hotel's network"}, providers.Invalid, "not a JSON object"},
		{"a profile that breaks off", providertest.UserInfo, providertest.Fault{Body: `{"id":"7"`}, providers.Invalid, "not a JSON object"},
		{"G6 a profile with two ids", providertest.UserInfo, providertest.Fault{Body: `{"id":"7","ID":"8","id_str":"7","ID_STR":"8"}`}, providers.Invalid, "not a JSON object"},
		{"a profile of 65 KiB", providertest.UserInfo, providertest.Fault{Body: `{"id":"7","id_str":"7","bio":"` + strings.Repeat("x", 65<<10) + `"}`}, providers.Invalid, "too large"},
		{"R13 a profile of 2 MiB", providertest.UserInfo, providertest.Fault{Body: strings.Repeat("x", 2<<20)}, providers.Unknown, "too large"},
		{"R13 tokens of 2 MiB", providertest.Token, providertest.Fault{Body: strings.Repeat("x", 2<<20)}, providers.Unknown, "too large"},
		{"a lost profile", providertest.UserInfo, providertest.Fault{Cut: true}, providers.Unknown, "no whole answer"},
		{"a profile that cannot be asked for", providertest.UserInfo, providertest.Fault{Down: true}, providers.NotSent, ""},
		{"lost tokens", providertest.Token, providertest.Fault{Process: true, Cut: true}, providers.Unknown, "no whole answer"},
		{"an overloaded provider", providertest.Token, providertest.Fault{Status: 429}, providers.Busy, ""},
		{"a provider under maintenance", providertest.UserInfo, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"7"}}}, providers.Busy, ""},
		{"a broken provider", providertest.Token, providertest.Fault{Status: 502, Header: page, Body: "<html>"}, providers.Gateway, ""},
		{"a broken API", providertest.UserInfo, providertest.Fault{Status: 500, Header: page, Body: "<html>"}, providers.Gateway, ""},
		{"G16 tokens that are elsewhere", providertest.Token, providertest.Fault{Status: 307, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "307"},
		{"G16 a profile that is elsewhere", providertest.UserInfo, providertest.Fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, providers.Misconfigured, "302"},
	} {
		t.Run(row.name, func(t *testing.T) {
			everySocial(t, func(t *testing.T, s *social) {
				s.network.Handle("evil.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
				flow, response := s.respond(t)
				s.Fail(row.endpoint, row.fault)
				_, err := s.Complete(t.Context(), flow, response)
				failure := wantError(t, err, row.kind, row.reason)
				s.wantSecretless(t, err)
				if row.fault.Header.Get("Retry-After") != "" && failure.RetryAfter != 7*time.Second {
					t.Errorf("told to wait %v", failure.RetryAfter)
				}
			})
		})
	}
}

// TestSocialCodeWorksOnce, as providers have it; the second try says that the
// code is dead.
func TestSocialCodeWorksOnce(t *testing.T) {
	everySocial(t, func(t *testing.T, s *social) {
		flow, response := s.respond(t)
		if _, err := s.Complete(t.Context(), flow, response); err != nil {
			t.Fatal(err)
		}
		_, err := s.Complete(t.Context(), flow, response)
		wantError(t, err, providers.Revoked, "revoked")
		s.wantSecretless(t, err)
	})
}

// TestSocialSecretThatIsWrong is the application's defect.
func TestSocialSecretThatIsWrong(t *testing.T) {
	github := providertest.NewGitHub(providertest.GitHubConfig{ClientSecret: "another"})
	facebook := providertest.NewFacebook(providertest.FacebookConfig{AppSecret: "another"})
	for _, s := range []*social{
		{name: "github", Social: github.Social, Provider: must(providers.NewGitHub(providers.GitHubConfig{
			Name: "op", ClientID: providertest.ClientID, ClientSecret: providers.NewSecret("wrong"), Server: github.URL(), HTTPClient: github.Client(),
		}))},
		{name: "facebook", Social: facebook.Social, Provider: must(providers.NewFacebook(providers.FacebookConfig{
			Name: "op", AppID: providertest.ClientID, AppSecret: providers.NewSecret("wrong"), Dialog: facebook.URL(), Graph: facebook.URL(), HTTPClient: facebook.Client(),
		}))},
	} {
		_, err := s.attempt(t)
		wantError(t, err, providers.Misconfigured, "status")
		s.wantSecretless(t, err)
	}
	twitter := providertest.NewTwitter(providertest.TwitterConfig{ConsumerSecret: "another"})
	p := must(providers.NewTwitter(providers.TwitterConfig{
		Name: "op", ConsumerKey: providertest.ClientID, ConsumerSecret: providers.NewSecret("wrong"), API: twitter.URL(), HTTPClient: twitter.Client(),
	}))
	flow := providers.NewFlow("op", callback, "/")
	_, err := p.Begin(t.Context(), &flow, nil) // X is asked before anybody signs in
	wantError(t, err, providers.Misconfigured, "status 401")
}

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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func second[T any](_ T, err error) error { return err }
