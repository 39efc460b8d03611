package handlers_test

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Contract 5: an attempt that asks nobody either succeeds or changes nothing.
func TestSilentSignInThatFailsLeavesEverythingAsItIs(t *testing.T) {
	const target = "/page?a=b"
	for name, row := range map[string]struct {
		signedIn bool
		failure  error // of the provider's answer
		unready  error // at the beginning
		silently bool
		status   int
	}{
		"interaction required":            {true, &providers.Error{Kind: providers.Interaction}, nil, true, 302},
		"declined":                        {true, &providers.Error{Kind: providers.Denied}, nil, true, 302},
		"provider down":                   {true, &providers.Error{Kind: providers.NotSent}, nil, true, 302},
		"provider down at the beginning":  {true, nil, &providers.Error{Kind: providers.Unready}, true, 302},
		"stranger, interaction required":  {false, &providers.Error{Kind: providers.Interaction}, nil, true, 302},
		"stranger, provider down":         {false, &providers.Error{Kind: providers.NotSent}, nil, false, 503},
		"stranger, forged answer":         {false, &providers.Error{Kind: providers.Invalid}, nil, false, 400},
		"stranger, down at the beginning": {false, nil, &providers.Error{Kind: providers.Unready}, false, 503},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &stub{name: "aad"}
				s := newSite(t, setup{stub: p})
				v := s.visitor()
				if row.signedIn {
					v.signIn(t, "alice")
				}
				before := v.cookies["__Host-easyauth"]
				p.failure, p.unready = row.failure, row.unready
				w := v.get("/.auth/login/aad?prompt=none&post_login_redirect_uri=" + url.QueryEscape(target))
				if row.unready == nil {
					if got := s.stub.params[len(s.stub.params)-1].Get("prompt"); got != "none" {
						t.Errorf("the provider is asked with prompt=%q", got)
					}
					w = v.get(callbackPath + "?code=alice&state=" + parse(w.Header().Get("Location")).Query().Get("state"))
				}
				if w.Code != row.status || row.silently != (w.Header().Get("Location") == target) {
					t.Errorf("status %d, Location %q", w.Code, w.Header().Get("Location"))
				}
				if v.cookies["__Host-easyauth"] != before || row.signedIn != (s.sessionCount(v) == 1) {
					t.Error("the session is not what it was")
				}
			})
		})
	}
}

// Whoever signed in at the provider as somebody else has not done so here.
func TestSilentSignInDoesNotBecomeSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for code, want := range map[string]string{"mallory": "alice", "alice": "alice"} {
			before := v.cookies["__Host-easyauth"]
			state := v.begin(t, "/.auth/login/aad?prompt=none&post_login_redirect_uri=/x")
			w := v.get(callbackPath + "?code=" + code + "&state=" + state)
			if w.Code != 302 || w.Header().Get("Location") != "/x" || s.user(v.request("GET", "/")) != want {
				t.Errorf("%s: status %d, now %s", code, w.Code, s.user(v.request("GET", "/")))
			}
			if renewed := v.cookies["__Host-easyauth"] != before; renewed != (code == "alice") {
				t.Errorf("%s: a new session: %v", code, renewed)
			}
		}
		v = s.visitor() // who is nobody becomes whoever the provider says
		state := v.begin(t, "/.auth/login/aad?prompt=none")
		v.get(callbackPath + "?code=mallory&state=" + state)
		if got := s.user(v.request("GET", "/")); got != "mallory" {
			t.Errorf("a stranger became %s", got)
		}
	})
}

// A strict cookie would not come along to the target from the provider.
func TestSilentSignInThatFailsKeepsAStrictCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{config: handlers.Config{StrictCookie: true}, stub: &stub{name: "aad", failure: &providers.Error{Kind: providers.Interaction}}})
		v := s.visitor()
		state := v.begin(t, "/.auth/login/aad?prompt=none&post_login_redirect_uri=/x")
		if got := v.get(callbackPath + "?state=" + state).Header().Get("Location"); got != "/.auth/login/aad/done?post_login_redirect_uri=%2Fx" {
			t.Errorf("Location %q", got)
		}
	})
}

func TestSilentSignInAtAProviderThatKnowsNobodyEndsAtTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		p, err := providertest.NewBrowser(s.network).Open(app + "/.auth/login/aad?prompt=none&post_login_redirect_uri=/x")
		if err != nil || p.Status != 200 || p.URL.Path != "/x" || string(p.Body) != "nobody" {
			t.Fatalf("%v at %v: %s", err, p.URL, p.Body)
		}
	})
}

func TestSilentSignInTellsNoHookAndIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{stub: &stub{name: "aad", failure: &providers.Error{Kind: providers.Interaction}}})
		v := s.visitor()
		v.get(callbackPath + "?state=" + v.begin(t, "/.auth/login/aad?prompt=none"))
		if log := s.logs.String(); !strings.Contains(log, "not signed in silently") || strings.Contains(log, "level=ERROR") || strings.Contains(log, "sign-in refused") {
			t.Errorf("log: %s", log)
		}
	})
}

func TestAliasesOfProvidersAreOneProvider(t *testing.T) {
	for registered, names := range map[string][]string{
		"twitter": {"twitter", "x", "X", "Twitter"},
		"x":       {"x", "twitter"},
		"aad":     {"aad", "AAD", "windowsazureactivedirectory", "WindowsAzureActiveDirectory", "azureactivedirectory"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, setup{providers: []providers.Provider{&stub{name: registered}, &stub{name: "other"}}})
			for _, name := range names {
				v := s.visitor()
				state := v.begin(t, "/.auth/login/"+name)
				if w := v.get("/.auth/login/" + registered + "/callback?code=alice&state=" + state); w.Code != 302 || s.sessionCount(v) != 1 {
					t.Errorf("%s as %s: status %d", registered, name, w.Code)
				}
				if w := v.get("/.auth/me?provider=" + name); !strings.Contains(w.Body.String(), `"provider_name":"`+registered+`"`) {
					t.Errorf("me of %s: %s", name, w.Body)
				}
			}
			if w := s.visitor().get("/.auth/login/unknown", program...); w.Code != 404 {
				t.Errorf("unknown: status %d", w.Code)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // a provider of that very name comes first
		s := newSite(t, setup{providers: []providers.Provider{&stub{name: "twitter"}, &stub{name: "x"}}})
		s.visitor().begin(t, "/.auth/login/x")
	})
}

func TestConfigRefusesWhatCouldNotWork(t *testing.T) {
	for want, change := range map[string]func(*handlers.Config){
		`AttemptLifetime of 11m0s refused`:       func(c *handlers.Config) { c.AttemptLifetime = 11 * 60e9 },
		`AttemptLifetime of -1s refused`:         func(c *handlers.Config) { c.AttemptLifetime = -1e9 },
		`provider name "done" refused`:           func(c *handlers.Config) { c.Providers = []providers.Provider{&stub{name: "done"}} },
		`provider name "iframereceiver" refused`: func(c *handlers.Config) { c.Providers = []providers.Provider{&stub{name: "iframereceiver"}} },
	} {
		s := newSite(t, setup{})
		c := handlers.Config{Sessions: s.sessions, Providers: []providers.Provider{&stub{name: "aad"}}, BaseURL: parse(app), Keys: keys}
		change(&c)
		if _, err := handlers.New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// SES3: whoever signs out while an attempt that asks nobody is on its way stays
// signed out.
func TestSilentSignInDoesNotUndoASignOut(t *testing.T) {
	for name, meanwhile := range map[string]func(*testing.T, *site, *visitor){
		"signed out in another tab": func(_ *testing.T, _ *site, v *visitor) { v.get("/.auth/logout") },
		"ended everywhere":          func(t *testing.T, s *site, _ *visitor) { s.sessions.EndAll(t.Context(), alice) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{})
				v := s.visitor()
				v.signIn(t, "alice")
				state := v.begin(t, "/.auth/login/aad?prompt=none&post_login_redirect_uri=/x")
				meanwhile(t, s, v)
				w := v.get(callbackPath + "?code=alice&state=" + state)
				if got := s.user(v.request("GET", "/")); w.Header().Get("Location") != "/x" || got != "nobody" {
					t.Errorf("status %d, Location %q, signed in again as %s", w.Code, w.Header().Get("Location"), got)
				}
			})
		})
	}
}

// RequireRecentLogin is for a browser that somebody left open. Whoever finds it can
// have it signed in anew without being asked, and has proved nothing by that.
func TestSilentSignInIsNoProofOfWhoSitsThere(t *testing.T) {
	proof := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		provider   providers.Provider
		signedIn   bool
		wantBefore time.Duration // the end of the silent sign-in
	}{
		"the last proof counts":          {&stub{name: "aad"}, true, time.Hour},
		"where the provider tells of it": {toldWhen{&stub{name: "aad"}, proof}, true, time.Hour + 24*time.Hour},
		"of a stranger there is none":    {&stub{name: "aad"}, false, 30 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, setup{providers: []providers.Provider{row.provider}})
				v := s.visitor()
				if row.signedIn {
					v.signIn(t, "alice")
				}
				time.Sleep(time.Hour)
				v.get(callbackPath + "?code=alice&state=" + v.begin(t, "/.auth/login/aad?prompt=none"))
				got, err := s.sessions.Load(v.request("GET", "/"))
				if err != nil {
					t.Fatal(err)
				}
				if before := time.Since(got.AuthTime); before < row.wantBefore || before > row.wantBefore+60*24*time.Hour {
					t.Errorf("proved %s before, want %s", before, row.wantBefore)
				}
			})
		})
	}
}

// toldWhen is a provider that says when the user proved who they are.
type toldWhen struct {
	*stub
	at time.Time
}

func (p toldWhen) Complete(ctx context.Context, f providers.Flow, response url.Values) (*providers.Login, error) {
	login, err := p.stub.Complete(ctx, f, response)
	if err != nil {
		return nil, err
	}
	login.Identity.Claims, err = providers.ParseClaims([]byte(`{"auth_time":` + strconv.FormatInt(p.at.Unix(), 10) + `}`))
	login.AuthTime = p.at
	return login, err
}
