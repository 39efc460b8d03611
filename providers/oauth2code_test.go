package providers_test

import (
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

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func second[T any](_ T, err error) error { return err }
