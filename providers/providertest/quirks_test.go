package providertest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func with(name, value string) oauth2.AuthCodeOption { return oauth2.SetAuthURLParam(name, value) }

// TestFrontChannelAsGoOIDCSeesIt: code id_token and id_token by form_post.
func TestFrontChannelAsGoOIDCSeesIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{FrontChannel: true})
		response := c.response(with("response_type", "code id_token"), with("response_mode", "form_post"))
		id, err := c.provider.Verifier(&oidc.Config{ClientID: providertest.ClientID}).Verify(c.ctx, response.Get("id_token"))
		if err != nil {
			t.Fatal(err)
		}
		_, claims := decode(t, response.Get("id_token"))
		if id.Nonce != nonce || claims["c_hash"] != providertest.HalfHash("ES256", response.Get("code")) || claims["at_hash"] != nil {
			t.Errorf("nonce %q, claims %v", id.Nonce, claims)
		}
		if _, err := c.config.Exchange(c.ctx, response.Get("code"), oauth2.VerifierOption(verifier)); err != nil {
			t.Error(err)
		}
		response = c.response(with("response_type", "id_token"), with("response_mode", "form_post"))
		if _, claims := decode(t, response.Get("id_token")); response.Has("code") || claims["c_hash"] != nil {
			t.Errorf("alone: %v, %v", response, claims)
		}
	})
}

func TestFrontChannelIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		cfg     providertest.Config
		options []oauth2.AuthCodeOption
		code    string
	}{
		"unless it is switched on":  {providertest.Config{}, []oauth2.AuthCodeOption{with("response_type", "id_token"), with("response_mode", "form_post")}, "unsupported_response_type"},
		"in a URL":                  {providertest.Config{FrontChannel: true}, []oauth2.AuthCodeOption{with("response_type", "id_token")}, "invalid_request"},
		"without a nonce":           {providertest.Config{FrontChannel: true}, []oauth2.AuthCodeOption{with("response_type", "id_token"), with("response_mode", "form_post"), with("nonce", "")}, "invalid_request"},
		"with an access token":      {providertest.Config{FrontChannel: true}, []oauth2.AuthCodeOption{with("response_type", "id_token token"), with("response_mode", "form_post")}, "unsupported_response_type"},
		"with a code without proof": {providertest.Config{FrontChannel: true}, []oauth2.AuthCodeOption{with("response_type", "code id_token"), with("response_mode", "form_post"), with("code_challenge", "")}, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := newClient(t, row.cfg).response(row.options...); got.Get("error") != row.code {
				t.Errorf("%v, want %s", got, row.code)
			}
		})
	}
}

// TestRefreshOnce is contract 1.8: Google returns a refresh token at the first
// consent only, and again where prompt=consent asks for it.
func TestRefreshOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{RefreshOnce: true})
		offline, consent := with("access_type", "offline"), with("prompt", "consent")
		for _, row := range []struct {
			name    string
			options []oauth2.AuthCodeOption
			want    bool
		}{
			{"the first sign-in", []oauth2.AuthCodeOption{offline}, true},
			{"the second", []oauth2.AuthCodeOption{offline}, false},
			{"one with prompt=consent", []oauth2.AuthCodeOption{offline, consent}, true},
			{"one with the scope offline_access", []oauth2.AuthCodeOption{consent}, false},
		} {
			token := c.signIn(row.options...)
			if got := token.RefreshToken != ""; got != row.want {
				t.Errorf("%s: refresh token %v, want %v", row.name, got, row.want)
			}
		}
	})
}

func TestNameOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{NameOnce: true})
		ask := []oauth2.AuthCodeOption{with("scope", "openid name email"), with("response_mode", "form_post")}
		var user struct {
			Name  struct{ FirstName, LastName string }
			Email string
		}
		if err := json.Unmarshal([]byte(c.response(ask...).Get("user")), &user); err != nil || user.Name.FirstName != "Alice" || user.Email != "alice@example.com" {
			t.Errorf("%v: %+v", err, user)
		}
		if second := c.response(ask...); second.Has("user") {
			t.Errorf("told again: %v", second)
		}
	})
}

func TestPasswordGrant(t *testing.T) {
	c := newClient(t, providertest.Config{PasswordGrant: true, Users: []providertest.User{{Name: "bob", Password: "secret"}}})
	if token, err := c.config.PasswordCredentialsToken(c.ctx, "bob", "secret"); err != nil || token.RefreshToken == "" || second(c.verify(token)) != nil {
		t.Errorf("%v: %v", err, token)
	}
	if _, err := c.config.PasswordCredentialsToken(c.ctx, "carol", "carol"); err != nil {
		t.Errorf("a name that nobody configured is its own password: %v", err)
	}
	_, err := c.config.PasswordCredentialsToken(c.ctx, "bob", "bob")
	if code, _ := oauthErr(err); code != "invalid_grant" {
		t.Errorf("wrong password: %v", err)
	}
	_, err = newClient(t, providertest.Config{}).config.PasswordCredentialsToken(c.ctx, "bob", "bob")
	if code, _ := oauthErr(err); code == "" {
		t.Errorf("switched off: %v", err)
	}
}

// TestIssuedTokens are those of a mobile application that signs in by itself.
func TestIssuedTokens(t *testing.T) {
	for name, row := range map[string]struct {
		format providertest.TokenFormat
		typ    string
		want   map[string]any
	}{
		"RFC 9068": {providertest.JWT, "at+jwt", map[string]any{"aud": "https://op.example/userinfo", "client_id": "mobile", "iss": "https://op.example"}},
		"Entra 1.0": {providertest.EntraV1, "JWT", map[string]any{"aud": "api://mobile", "appid": "mobile", "ver": "1.0", "unique_name": "alice",
			"iss": "https://sts.example/t/"}},
		"Entra 2.0": {providertest.EntraV2, "JWT", map[string]any{"aud": "mobile", "azp": "mobile", "ver": "2.0", "iss": "https://op.example", "email": "alice@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			op := providertest.New(providertest.Config{Algorithm: "ES256", AccessTokens: row.format, V1Issuer: "https://sts.example/t/"})
			header, claims := decode(t, op.IssueAccessToken("alice", "mobile", "", nil))
			if header["typ"] != row.typ || claims["sub"] != "sub-alice" {
				t.Errorf("%v %v", header, claims)
			}
			for name, want := range row.want {
				if claims[name] != want {
					t.Errorf("%s is %v, want %v", name, claims[name], want)
				}
			}
			if _, claims := decode(t, op.IssueAccessToken("alice", "mobile", "https://api.example", nil)); claims["aud"] != "https://api.example" {
				t.Errorf("aud is %v", claims["aud"])
			}
		})
	}
	t.Run("they work like any other", func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		token := &oauth2.Token{AccessToken: c.op.IssueAccessToken("alice", "mobile", "", nil)}
		if info, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(token)); err != nil || info.Subject != "sub-alice" {
			t.Errorf("%v: %v", err, info)
		}
		if id, err := c.verify(token.WithExtra(map[string]any{"id_token": c.op.IssueIDToken("alice", providertest.ClientID, nil)})); err != nil || id.Nonce != "" {
			t.Errorf("%v: %v", err, id)
		}
		config := c.config
		config.RedirectURL = ""
		code := c.op.IssueCode("alice", providertest.ClientID, "")
		if got, err := config.Exchange(c.ctx, code); err != nil || got.RefreshToken == "" {
			t.Errorf("%v: %v", err, got)
		}
		if found := len(c.op.Secrets()); found < 4 {
			t.Errorf("%d secrets known", found)
		}
	})
	t.Run("they can lie", func(t *testing.T) {
		op := providertest.New(providertest.Config{Algorithm: "ES256", AccessTokens: providertest.JWT})
		lie := func(d *providertest.Draft) { d.Claims["sub"] = "sub-bob" }
		if _, claims := decode(t, op.IssueIDToken("alice", "mobile", lie)); claims["sub"] != "sub-bob" {
			t.Errorf("%v", claims)
		}
		if _, claims := decode(t, op.IssueAccessToken("alice", "mobile", "", lie)); claims["sub"] != "sub-bob" {
			t.Errorf("%v", claims)
		}
	})
}

// TestSecretKey is how clients authenticate at Apple.
func TestSecretKey(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := providertest.New(providertest.Config{Algorithm: "ES256"}) // signs for us
	public := other.PublicKey().(*ecdsa.PublicKey)
	secret := func(change func(*providertest.Draft)) string {
		return other.IssueIDToken("alice", "https://appleid.apple.com", func(d *providertest.Draft) {
			d.Claims["iss"], d.Claims["sub"] = "TEAM", "app"
			if change != nil {
				change(d)
			}
		})
	}
	for name, row := range map[string]struct {
		key    *ecdsa.PublicKey
		secret string
		good   bool
	}{
		"its own":              {public, secret(nil), true},
		"signed by another":    {&key.PublicKey, secret(nil), false},
		"about another client": {public, secret(func(d *providertest.Draft) { d.Claims["sub"] = "x" }), false},
		"for somebody else":    {public, secret(func(d *providertest.Draft) { d.Claims["aud"] = "x" }), false},
		"over":                 {public, secret(func(d *providertest.Draft) { d.Claims["exp"] = 1 }), false},
		"of the future":        {public, secret(func(d *providertest.Draft) { d.Claims["iat"] = time.Now().Add(time.Hour).Unix() }), false},
		"for seven months":     {public, secret(func(d *providertest.Draft) { d.Claims["exp"] = time.Now().AddDate(0, 7, 0).Unix() }), false},
		"no token":             {public, "app-secret", false},
		"nothing":              {public, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, providertest.Config{Clients: []providertest.Registration{{ID: "app", SecretKey: row.key}}})
			resp, answer := c.post("/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {"app"}, "client_secret": {row.secret}}, nil)
			if known := resp.StatusCode != http.StatusUnauthorized; known != row.good {
				t.Errorf("status %d, %v", resp.StatusCode, answer)
			}
		})
	}
}

// TestRememberedPasswordGrant: a grant that no browser began has no sign-in to
// remember.
func TestRememberedPasswordGrant(t *testing.T) {
	cfg := providertest.Config{PasswordGrant: true, Algorithm: "ES256"}
	c := newClient(t, cfg)
	file := t.TempDir() + "/op.json"
	if err := c.op.Remember(file); err != nil {
		t.Fatal(err)
	}
	token, err := c.config.PasswordCredentialsToken(c.ctx, "bob", "bob")
	if err != nil {
		t.Fatal(err)
	}
	again := newClient(t, cfg)
	if err := again.op.Remember(file); err != nil {
		t.Fatal(err)
	}
	if _, err := again.refresh(token.RefreshToken); err != nil {
		t.Error(err)
	}
}

// TestRememberedAcquaintance: who was there before the restart is no first-comer.
func TestRememberedAcquaintance(t *testing.T) {
	cfg := providertest.Config{RefreshOnce: true, Algorithm: "ES256"}
	file, offline := t.TempDir()+"/op.json", with("access_type", "offline")
	for _, want := range []bool{true, false} {
		c := newClient(t, cfg)
		if err := c.op.Remember(file); err != nil {
			t.Fatal(err)
		}
		if got := c.signIn(offline).RefreshToken != ""; got != want {
			t.Errorf("refresh token %v, want %v", got, want)
		}
	}
}
