package providers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

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
		{"an answer without a token", providertest.Token, providertest.Fault{Body: `{"token_type":"bearer"}`}, providers.Invalid, ""},
		{"a token of another type", providertest.Token, providertest.Fault{Body: `{"access_token":"a","token_type":"mac"}`}, providers.Invalid, ""},
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

// TestSocialCallsEnd after ten seconds, whatever the provider does (G19).
func TestSocialCallsEnd(t *testing.T) {
	for _, row := range []struct {
		name, endpoint string
	}{
		{"twitter", "request_tokens"}, {"twitter", "token"}, {"twitter", "userinfo"},
		{"facebook", "token"}, {"facebook", "userinfo"}, {"github", "token"}, {"github", "userinfo"},
	} {
		t.Run(row.name+" "+row.endpoint, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSocial(t, row.name)
				s.Fail(providertest.Endpoint(row.endpoint), providertest.Fault{Delay: time.Hour})
				began := time.Now()
				flow := providers.NewFlow("op", callback, "/")
				address, err := s.Begin(t.Context(), &flow, nil)
				if err == nil {
					response, refused := s.Authorize(address, "alice")
					if refused != nil {
						t.Fatal(refused)
					}
					_, err = s.Complete(t.Context(), flow, response)
				}
				wantError(t, err, providers.Unknown, "deadline exceeded")
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("took %v", took)
				}
				time.Sleep(time.Hour) // no server learns in time that nobody listens
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
