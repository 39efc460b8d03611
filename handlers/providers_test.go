package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// play is a provider of the contract, and who plays it.
type play struct {
	provider providers.Provider
	hosts    map[string]http.Handler
	subject  string                    // of alice
	body     func(token string) string // of a client's sign-in; nil: there is none (contract 1.4)
	token    func() string             // of alice, as the provider's SDK hands it out
	foreign  func() string             // the same for another application (CDL1, CDL2)
	refresh  int                       // what /.auth/refresh answers (contract 5)
	members  []string                  // of /.auth/me, besides those that all have
}

// plays are the providers of contract 5; one more is one entry more.
var plays = map[string]func(t *testing.T) play{
	"aad": func(t *testing.T) play {
		p := playOIDC(t, providertest.Config{AccessTokens: providertest.JWT}, providers.EntraID(providertest.ClientID, appSecret, "11111111-2222-3333-4444-555555555555"))
		p.members = []string{"access_token", "expires_on", "id_token"}
		return p
	},
	"google": func(t *testing.T) play {
		p := playOIDC(t, providertest.Config{RefreshOnce: true}, providers.Google(providertest.ClientID, appSecret))
		p.members = []string{"access_token", "expires_on", "id_token"}
		return p
	},
	"microsoftaccount": func(t *testing.T) play {
		p := playOIDC(t, providertest.Config{}, providers.MicrosoftAccount(providertest.ClientID, appSecret))
		p.body = func(token string) string { return `{"authenticationToken":"` + token + `"}` }
		p.members = []string{"access_token", "authentication_token", "expires_on", "id_token"}
		return p
	},
	"apple": func(t *testing.T) play {
		p := playOIDC(t, providertest.Config{NameOnce: true}, providers.Apple(providers.AppleConfig{ClientID: providertest.ClientID, ClientSecret: appSecret}))
		p.refresh = http.StatusBadRequest
		p.members = []string{"access_token", "expires_on", "id_token"}
		return p
	},
	"custom": func(t *testing.T) play {
		p := playOIDC(t, providertest.Config{}, providers.OIDCConfig{Name: "keycloak", ClientID: providertest.ClientID, ClientSecret: appSecret,
			Scopes: []string{"openid", "profile", "email", "offline_access"}})
		p.body = nil // contract 1.4: its clients send Authorization: Bearer
		p.members = []string{"access_token", "expires_on", "id_token"}
		return p
	},
	"facebook": func(t *testing.T) play {
		op := providertest.NewFacebook(providertest.FacebookConfig{})
		p, err := providers.NewFacebook(providers.FacebookConfig{AppID: providertest.ClientID, AppSecret: appSecret, Dialog: op.URL(), Graph: op.URL(), HTTPClient: op.Client()})
		return play{must(t, p, err), map[string]http.Handler{op.Host(): op}, op.UserID("alice"),
			bodyOf("access_token"), func() string { return op.Token("alice") }, func() string { return op.ForeignToken("alice") },
			http.StatusBadRequest, []string{"access_token", "expires_on"}}
	},
	"twitter": func(t *testing.T) play {
		op := providertest.NewTwitter(providertest.TwitterConfig{})
		p, err := providers.NewTwitter(providers.TwitterConfig{ConsumerKey: providertest.ClientID, ConsumerSecret: appSecret, API: op.URL(), HTTPClient: op.Client()})
		pair := func(value, secret string) string { return value + " " + secret }
		return play{must(t, p, err), map[string]http.Handler{op.Host(): op}, op.UserID("alice"),
			func(token string) string {
				value, secret, _ := strings.Cut(token, " ")
				return `{"access_token":"` + value + `","access_token_secret":"` + secret + `"}`
			}, func() string { return pair(op.Token("alice")) }, func() string { return pair(op.ForeignToken("alice")) },
			http.StatusBadRequest, []string{"access_token", "access_token_secret"}}
	},
	"github": func(t *testing.T) play {
		op := providertest.NewGitHub(providertest.GitHubConfig{})
		p, err := providers.NewGitHub(providers.GitHubConfig{ClientID: providertest.ClientID, ClientSecret: appSecret, Server: op.URL(), HTTPClient: op.Client()})
		return play{provider: must(t, p, err), hosts: map[string]http.Handler{op.Host(): op}, subject: op.UserID("alice"),
			refresh: http.StatusBadRequest, members: []string{"access_token"}}
	},
	"github app": func(t *testing.T) play {
		op := providertest.NewGitHub(providertest.GitHubConfig{Expiring: true})
		p, err := providers.NewGitHub(providers.GitHubConfig{ClientID: providertest.ClientID, ClientSecret: appSecret, Server: op.URL(), HTTPClient: op.Client()})
		return play{provider: must(t, p, err), hosts: map[string]http.Handler{op.Host(): op}, subject: op.UserID("alice"),
			refresh: http.StatusOK, members: []string{"access_token", "expires_on", "refresh_token_expires_on"}}
	},
}

var appSecret = providers.NewSecret(providertest.ClientSecret)

func must(t *testing.T, p providers.Provider, err error) providers.Provider {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func bodyOf(member string) func(string) string {
	return func(token string) string { return `{"` + member + `":"` + token + `"}` }
}

// playOIDC plays the provider of a preset at an address of its own.
func playOIDC(t *testing.T, in providertest.Config, c providers.OIDCConfig) play {
	t.Helper()
	op := providertest.New(in)
	c.Issuer, c.DiscoveryURL, c.Tenants, c.HTTPClient = op.Issuer(), "", nil, op.Client()
	c.Quirks.IssuerAliases = nil
	p, err := providers.NewOIDC(c)
	return play{must(t, p, err), map[string]http.Handler{op.Host(): op}, "sub-alice",
		bodyOf("id_token"), func() string { return op.IssueIDToken("alice", providertest.ClientID, nil) },
		func() string { return op.IssueIDToken("alice", "another-application", nil) }, http.StatusOK, nil}
}

// everyPlay runs check for each provider, at a site of its own.
func everyPlay(t *testing.T, check func(t *testing.T, s *site, p play)) {
	for name, of := range plays {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := of(t)
				check(t, tokenSite(t, setup{providers: []providers.Provider{p.provider}, more: p.hosts}), p)
			})
		})
	}
}

func (p play) login() string { return "/.auth/login/" + p.provider.Name() }

// browser is one in which alice signed in.
func (p play) browser(t *testing.T, s *site) *providertest.Browser {
	t.Helper()
	b := providertest.NewBrowser(s.network)
	page, err := b.SignIn(app+p.login()+"?post_login_redirect_uri=/page", "alice")
	if err != nil {
		t.Fatal(err)
	}
	if page.Status != 200 || page.URL.Path != "/page" || string(page.Body) != p.subject {
		t.Fatalf("at %s: status %d, %s", page.URL, page.Status, page.Body)
	}
	return b
}

type meJSON struct {
	ProviderName string `json:"provider_name"`
	UserID       string `json:"user_id"`
	UserClaims   []struct{ Typ, Val string }
}

func meOf(t *testing.T, body []byte) meJSON {
	t.Helper()
	var list []meJSON
	if err := json.Unmarshal(body, &list); err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", body, err)
	}
	return list[0]
}

func TestContract5ServerLoginAndMeOfEachProvider(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		page := fetch(t, p.browser(t, s), http.MethodGet, "/.auth/me")
		if page.Status != 200 {
			t.Fatalf("status %d: %s", page.Status, page.Body)
		}
		if got := meOf(t, page.Body); got.ProviderName != p.provider.Name() || got.UserID == "" {
			t.Errorf("me: %+v", got)
		}
		var list []json.RawMessage
		json.Unmarshal(page.Body, &list)
		want := append([]string{}, p.members...)
		want = append(want, "provider_name", "user_claims", "user_id")
		got := members(t, string(list[0]))
		for _, name := range got {
			if name == "refresh_token_expires_on" && !strings.Contains(strings.Join(want, " "), name) {
				want = append(want, name)
			}
		}
		if len(got) != len(want) || !sortedLike(got, want) {
			t.Errorf("members %v, want %v in the alphabet's order", got, want)
		}
	})
}

// sortedLike reports whether got is want in the alphabet's order.
func sortedLike(got, want []string) bool {
	seen := map[string]bool{}
	for i, name := range got {
		seen[name] = true
		if i > 0 && got[i-1] >= name {
			return false
		}
	}
	for _, name := range want {
		if !seen[name] {
			return false
		}
	}
	return true
}

func TestContract13TokenModeOfEachProvider(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		page, err := providertest.NewBrowser(s.network).SignIn(app+p.login()+"?session_mode=token", "alice")
		if err != nil {
			t.Fatal(err)
		}
		text, ok := strings.CutPrefix(page.URL.Fragment, "token=")
		if !ok || page.URL.Path != "/.auth/login/done" {
			t.Fatalf("at %s: %d", page.URL, page.Status)
		}
		signedInBy(t, s, text, p.subject)
	})
}

func TestContract14ClientLoginOfEachProvider(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		if p.body == nil {
			if w := s.program("POST", p.login(), `{"access_token":"x","id_token":"y"}`); w.Code != 400 && w.Code != 405 {
				t.Errorf("a provider without client sign-in: status %d: %s", w.Code, w.Body)
			}
			return
		}
		w := s.program("POST", p.login(), p.body(p.token()))
		if w.Code != 200 {
			t.Fatalf("status %d: %s\n%s", w.Code, w.Body, s.logs)
		}
		token := signedInBy(t, s, w.Body.String(), p.subject)
		if w := s.program("GET", "/.auth/me", "", "X-ZUMO-AUTH", token); w.Code != 200 || meOf(t, w.Body.Bytes()).ProviderName != p.provider.Name() {
			t.Errorf("me: status %d: %s", w.Code, w.Body)
		}
		refusedProgram(t, s.program("POST", p.login(), p.body(p.foreign())), 401, "sign_in_invalid") // CDL1, CDL2
		refusedProgram(t, s.program("POST", p.login(), p.body("invented invented")), 401, "sign_in_invalid")
		refusedProgram(t, s.program("POST", p.login(), `{}`), 400, "bad_request")
	})
}

func TestContract18RefreshOfEachProvider(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		b := p.browser(t, s)
		time.Sleep(time.Minute)
		page := fetch(t, b, http.MethodGet, "/.auth/refresh")
		if page.Status != p.refresh {
			t.Fatalf("status %d, want %d: %s\n%s", page.Status, p.refresh, page.Body, s.logs)
		}
		if p.refresh == 200 {
			var got loginJSON
			json.Unmarshal(page.Body, &got)
			if loaded, err := s.sessions.LoadToken(t.Context(), got.AuthenticationToken); err != nil || loaded.User.ID != p.subject {
				t.Errorf("the token is of %v: %v", loaded, err)
			}
		}
		if page := fetch(t, b, http.MethodGet, "/.auth/me"); page.Status != 200 {
			t.Errorf("the session is gone: %d", page.Status)
		}
	})
}

func TestContract19LogoutOfEachProvider(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		b := p.browser(t, s)
		page, err := b.Open(app + "/.auth/logout?post_logout_redirect_uri=/page")
		if err != nil {
			t.Fatal(err)
		}
		if forms := page.Forms(); len(forms) == 1 { // the provider asks
			if page, err = b.Submit(forms[0]); err != nil {
				t.Fatal(err)
			}
		}
		if page.Status != 200 || string(page.Body) != "nobody" {
			t.Errorf("at %s: status %d, %s", page.URL, page.Status, page.Body)
		}
	})
}

func TestBadInputsOfEachProviderSignNobodyIn(t *testing.T) {
	everyPlay(t, func(t *testing.T, s *site, p play) {
		v := s.visitor()
		w := v.get(p.login())
		authorize := w.Header().Get("Location")
		if w.Code != http.StatusFound {
			t.Fatalf("status %d", w.Code)
		}
		var state string
		for name := range v.cookies { // the state is not always in the provider's address
			state = name
		}
		for name, query := range map[string]url.Values{
			"no answer at all":       {},
			"invented state":         {"state": {"invented"}, "code": {"x"}},
			"name of the cookie":     {"state": {state}, "code": {"x"}},
			"error and no state":     {"error": {"access_denied"}},
			"OAuth 1.0a, no state":   {"oauth_token": {"x"}, "oauth_verifier": {"y"}},
			"doubled state":          {"state": {"a", "b"}, "code": {"x"}},
			"somebody else's denied": {"denied": {"x"}},
		} {
			if w := v.get(p.login()+"/callback?"+query.Encode(), program...); w.Code != http.StatusBadRequest {
				t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
			}
		}
		if s.sessionCount(v) != 0 || authorize == "" {
			t.Error("somebody is signed in")
		}
	})
}
