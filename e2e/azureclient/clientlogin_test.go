package azureclient_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Contract 6: the real client, in Node.js, with tokens that its program already
// has (client flow).

func TestContract6ClientSignsInWithAnAccessToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	u := c.SignsIn("login", "aad", map[string]string{"access_token": s.Identity.SignIn("ada").Access})

	posted := s.Last(http.MethodPost, "/.auth/login/aad")
	if len(posted.Cookies) != 0 {
		t.Errorf("contract 1.4: a program got cookies: %q", posted.Cookies)
	}
	if who := c.Whoami(); who.Result.UserID != u.ID || who.Result.Subject != "sub-ada" || who.Result.Provider != "aad" {
		t.Errorf("the API takes %s for %+v", u.ID, who)
	}
	if sent := s.Last(http.MethodGet, "/api/whoami").Header; sent.Get("X-Zumo-Auth") != u.Token || sent.Get("Zumo-Api-Version") != "2.0.0" {
		t.Errorf("the API heard %v", sent)
	}
	idToken := map[string]string{"access_token": s.Identity.SignIn("ada").ID} // as B2C's users have it (net-client#507)
	if again := c.SignsIn("login", "WindowsAzureActiveDirectory", idToken); again.ID != u.ID {
		t.Errorf("contract 3.2: %s came back as %s", u.ID, again.ID)
	}
}

func TestContract6ClientSignsInWithOptions(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	tokens := s.Identity.SignIn("ada")
	u := c.SignsIn("loginWithOptions", "Google", map[string]any{
		"token":      map[string]string{"id_token": tokens.ID, "access_token": tokens.Access}, // net-client#506
		"parameters": map[string]string{"access_type": "offline"},
	})
	if sent := s.Last(http.MethodPost, "/.auth/login/google").URL; sent != "/.auth/login/google?access_type=offline" {
		t.Errorf("the client asked for %s", sent)
	}
	if who := c.Whoami(); who.Result.UserID != u.ID || who.Result.Provider != "google" {
		t.Errorf("the API takes %s for %+v", u.ID, who)
	}
}

func TestContract32SessionTokenIsThatOfAppService(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	u := c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})

	parts := strings.Split(u.Token, ".")
	header, _ := base64.RawURLEncoding.DecodeString(parts[0])
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if string(header) != `{"typ":"JWT","alg":"HS256"}` {
		t.Errorf("header %s", header)
	}
	var claims struct {
		Sub, Idp, Ver, Iss, Aud string
		Exp, Nbf                int64
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Sub != u.ID || claims.Idp != "google" || claims.Ver != "4" || claims.Iss != s.URL+"/" || claims.Aud != claims.Iss || claims.Exp <= claims.Nbf {
		t.Errorf("claims %s", payload)
	}
}

// A program that kept its session token signs in with nothing else.
func TestContract6ClientComesBackWithItsToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	first := startClient(t, s).SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})
	c := startClient(t, s)
	if u := c.SignsIn("login", first.Token); u.ID != first.ID {
		t.Errorf("%s came back as %s", first.ID, u.ID)
	}
	if who := c.Whoami(); who.Result.UserID != first.ID {
		t.Errorf("the API takes %s for %+v", first.ID, who)
	}
	c.Fails(http.StatusUnauthorized, "", "login", first.Token[:len(first.Token)-8]+"AAAAAAAA")
}

// Contract 1: the routes can be elsewhere, and the client can be told.
func TestContract1ClientFindsAnotherPrefix(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{Change: func(c *easyauth.Config) { c.Prefix = "/identity" }})
	c := startClient(t, s)
	c.Must(nil, "configure", map[string]string{"loginUriPrefix": "identity/login"})
	c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})
	s.Last(http.MethodPost, "/identity/login/google")
	c.Whoami()
}

func TestContract14ClientLoginIsRefused(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	other := startIdentity(t)
	c := startClient(t, s)
	forged := s.Identity.SignIn("eve").Access
	forged = forged[:len(forged)-10] + "AAAAAAAAAA"
	for _, row := range []struct {
		name, provider string
		status         int
		token          map[string]string
	}{
		{"CDL1: another provider's token", "aad", http.StatusUnauthorized, map[string]string{"access_token": other.SignIn("eve").Access}},
		{"JWT1: a token that somebody changed", "aad", http.StatusUnauthorized, map[string]string{"access_token": forged}},
		{"net-server#217: google without an ID token", "google", http.StatusBadRequest, map[string]string{"access_token": s.Identity.SignIn("eve").Access}},
		{"CDL1: an access token for another API", "aad", http.StatusUnauthorized, map[string]string{"access_token": s.Identity.IssueAccessToken("eve", providertest.ClientID, "https://graph.example", nil)}},
		{"CDL2: an access token that says nothing", "aad", http.StatusUnauthorized, map[string]string{"access_token": "b3BhcXVl"}},
		{"CDL4: tokens of two users", "aad", http.StatusUnauthorized, map[string]string{"access_token": s.Identity.SignIn("eve").Access, "id_token": s.Identity.SignIn("ada").ID}},
		{"a provider that is none", "myspace", http.StatusNotFound, map[string]string{"access_token": "x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.Fails(row.status, " ", "login", row.provider, row.token)
		})
	}
	var nobody *user
	if c.Must(&nobody, "user"); nobody != nil {
		t.Errorf("after all this the client is signed in as %s", nobody.ID)
	}
}

// The provider cannot be asked: nobody is told that the token is wrong.
func TestContract14ProviderIsDown(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	token := s.Identity.SignIn("ada").ID
	s.Identity.FailFor(patience)
	c.Fails(http.StatusServiceUnavailable, " ", "login", "google", map[string]string{"id_token": token})
	s.Identity.Heal()
	eventually(t, func() bool { // the provider is asked again after a while
		o := c.perform("login", []any{"google", map[string]string{"id_token": token}})
		if o.Error != nil && o.Error.Status != http.StatusServiceUnavailable {
			t.Fatalf("%d: %s", o.Error.Status, o.Error.Message)
		}
		return o.Error == nil
	})
}
