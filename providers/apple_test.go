package providers_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// appleRig is a provider that behaves as Apple does, and an application with a
// key of its own.
func appleRig(t *testing.T) *rig {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newRig(t, providertest.Config{
		NameOnce: true, AlwaysRefresh: true,
		Clients: []providertest.Registration{{ID: providertest.ClientID, SecretKey: &key.PublicKey}},
		Users:   []providertest.User{{Name: "alice", Claims: map[string]any{"given_name": "Alice", "family_name": "Åström"}}},
	}, func(c *providers.OIDCConfig) {
		apple := providers.Apple(providers.AppleConfig{ClientID: c.ClientID, TeamID: "TEAM", KeyID: "KEY", PrivateKey: p8(t, key)})
		apple.Name, apple.Issuer, apple.HTTPClient = c.Name, c.Issuer, c.HTTPClient
		*c = apple
	})
}

// p8 is the file that Apple hands out.
func p8(t testing.TB, key any) providers.Secret {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return providers.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// TestAppleSignIn is a form post, a secret that is signed for the occasion, and a
// name that is told once.
func TestAppleSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := appleRig(t)
		flow, address := r.begin()
		if q := parseURL(t, address).Query(); !flow.FormPost || q.Get("response_mode") != "form_post" || q.Get("scope") != "openid name email" {
			t.Errorf("asks for %v", q)
		}
		first := r.signIn()
		c := first.Identity.Claims
		if c.String("given_name") != "Alice" || c.String("family_name") != "Åström" || c.String("name") != "Alice Åström" {
			t.Errorf("the first sign-in tells %v", c)
		}
		if !first.Tokens.RefreshToken.IsZero() || first.Tokens.AccessToken.IsZero() || first.Tokens.IDToken.IsZero() {
			t.Errorf("contract 5: no refresh token is kept: %+v", first.Tokens)
		}
		second := r.signIn()
		if second.Identity.Claims.Has("name") || second.Identity.Subject != first.Identity.Subject {
			t.Errorf("the second sign-in tells %v", second.Identity.Claims)
		}
	})
}

// TestAppleSecretIsRenewed long before its end, and is short enough that nobody
// has to remember.
func TestAppleSecretIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := appleRig(t)
		var secrets []string
		inner := r.network
		spy := roundTrip(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/token") {
				body, err := req.GetBody()
				if err != nil {
					return nil, err
				}
				text, _ := io.ReadAll(body)
				form, _ := url.ParseQuery(string(text))
				secrets = append(secrets, form.Get("client_secret"))
			}
			return inner.RoundTrip(req)
		})
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		cfg := providers.Apple(providers.AppleConfig{ClientID: "id", TeamID: "TEAM", KeyID: "KEY", PrivateKey: p8(t, key)})
		cfg.Name, cfg.Issuer, cfg.HTTPClient = "op", r.op.Issuer(), &http.Client{Transport: spy}
		p, err := providers.NewOIDC(cfg)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			_ = p.Revoke(t.Context(), secretly("x")) // any call with the secret
			_, _ = p.Refresh(t.Context(), providers.RefreshRequest{RefreshToken: secretly("x")})
			time.Sleep(6 * time.Hour)
		}
		distinct := make(map[string]bool)
		for _, s := range secrets {
			distinct[s] = true
		}
		if len(distinct) != 10 {
			t.Errorf("%d secrets in five days, want one for each half day", len(distinct))
		}
		header, claims := decode(t, secrets[0])
		if header["alg"] != "ES256" || header["kid"] != "KEY" || claims["iss"] != "TEAM" || claims["sub"] != "id" ||
			claims["aud"] != "https://appleid.apple.com" || claims["exp"].(float64)-claims["iat"].(float64) != 86400 {
			t.Errorf("%v %v", header, claims)
		}
	})
}

func decode(t testing.TB, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	for i, v := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, v) != nil {
			t.Fatalf("%q is no token", token)
		}
	}
	return header, claims
}

// TestAppleNameIsDecoration: whoever can post a form can send any name, and no
// more than that.
func TestAppleNameIsDecoration(t *testing.T) {
	for _, row := range []struct{ name, user, want string }{
		{"JWT17 an address and a subject", `{"name":{"firstName":"Eve"},"email":"admin@example.com","sub":"sub-admin"}`, "Eve"},
		{"a family name alone", `{"name":{"lastName":"Åström"}}`, "Åström"},
		{"not JSON", `<script>`, ""},
		{"no name", `{"email":"admin@example.com"}`, ""},
		{"a name that is no object", `{"name":"Eve"}`, ""},
		{"parts that are no strings", `{"name":{"firstName":{"a":1},"lastName":[1]}}`, ""},
		{"JWT16 a name twice", `{"name":{"firstName":"Eve","firstname":"Adam"}}`, ""},
		{"a line break", `{"name":{"firstName":"Eve\nX-Admin: 1"}}`, ""},
		{"a name of 101 characters", `{"name":{"firstName":"` + strings.Repeat("e", 101) + `"}}`, ""},
		{"JWT13 five kilobytes", `{"name":{"firstName":"Eve"},"x":"` + strings.Repeat("e", 5<<10) + `"}`, ""},
		{"JWT17 an address for a name, which applications know users by", `{"name":{"firstName":"admin@example.com"}}`, ""},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := appleRig(t)
			flow, response := r.respond()
			response.Set("user", row.user)
			login, err := r.Complete(t.Context(), flow, response)
			if err != nil {
				t.Fatal(err)
			}
			c := login.Identity.Claims
			if c.String("name") != row.want || login.Identity.Subject != "sub-alice" || c.String("email") != "alice@example.com" || c.String("sub") != "sub-alice" {
				t.Errorf("claims %v", c)
			}
		})
	}
	t.Run("a name in the ID token wins", func(t *testing.T) {
		r := appleRig(t)
		r.mutateIDToken(set("name", "Alice"))
		flow, response := r.respond()
		response.Set("user", `{"name":{"firstName":"Eve"}}`)
		if login, err := r.Complete(t.Context(), flow, response); err != nil || login.Identity.Claims.String("name") != "Alice" {
			t.Errorf("%v: %v", err, login)
		}
	})
	t.Run("at another provider the field says nothing", func(t *testing.T) {
		r := newRig(t, providertest.Config{StrictClaims: true})
		flow, response := r.respond()
		response.Set("user", `{"name":{"firstName":"Eve"}}`)
		if login, err := r.Complete(t.Context(), flow, response); err != nil || login.Identity.Claims.Has("name") {
			t.Errorf("%v: %v", err, login)
		}
	})
}

// TestAppleUserCancels: Apple has an error code of its own.
func TestAppleUserCancels(t *testing.T) {
	r := appleRig(t)
	flow, response := r.respond()
	answer("user_cancelled_authorize")(&flow, response)
	_, err := r.Complete(t.Context(), flow, response)
	wantError(t, err, providers.Denied, "user_cancelled_authorize")
}

// TestAppleMistakes are found before anybody signs in.
func TestAppleMistakes(t *testing.T) {
	good, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	long, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	for _, row := range []struct {
		name   string
		cfg    providers.AppleConfig
		reason string
	}{
		{"nothing to make a secret of", providers.AppleConfig{ClientID: "id"}, "ClientSecret: is empty"},
		{"no team", providers.AppleConfig{ClientID: "id", KeyID: "k", PrivateKey: p8(t, good)}, "AppleConfig.TeamID is empty"},
		{"no key ID", providers.AppleConfig{ClientID: "id", TeamID: "t", PrivateKey: p8(t, good)}, "AppleConfig.KeyID is empty"},
		{"a key that is a path", providers.AppleConfig{ClientID: "id", TeamID: "t", KeyID: "k", PrivateKey: secretly("/etc/AuthKey.p8")}, "AppleConfig.PrivateKey is not PEM"},
		{"a key on another curve", providers.AppleConfig{ClientID: "id", TeamID: "t", KeyID: "k", PrivateKey: p8(t, long)}, "not a key on P-256"},
		{"an RSA key", providers.AppleConfig{ClientID: "id", TeamID: "t", KeyID: "k", PrivateKey: p8(t, rsaKey)}, "not a key on P-256"},
		{"a secret and a key", providers.AppleConfig{ClientID: "id", TeamID: "t", KeyID: "k", PrivateKey: p8(t, good), ClientSecret: secretly("s")}, "keep one of them"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := providers.NewOIDC(providers.Apple(row.cfg))
			if err == nil || !strings.Contains(err.Error(), row.reason) || strings.Contains(err.Error(), "AuthKey") {
				t.Errorf("error %v, want %s", err, row.reason)
			}
		})
	}
	if _, err := providers.NewOIDC(providers.Apple(providers.AppleConfig{ClientID: "id", ClientSecret: secretly("s")})); err != nil {
		t.Errorf("a secret that somebody else made: %v", err)
	}
}

// TestSecretThatCannotBeMade is the configuration's fault, and nothing is sent.
func TestSecretThatCannotBeMade(t *testing.T) {
	working := true
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		secret := c.ClientSecret
		c.ClientSecret = providers.Secret{}
		c.ClientSecretSource = func() (providers.Secret, error) {
			if !working {
				return providers.Secret{}, http.ErrServerClosed
			}
			return secret, nil
		}
	})
	token := r.signIn().Tokens.RefreshToken
	working = false
	_, err := r.refresh(token)
	wantError(t, err, providers.Misconfigured, "the client secret cannot be made")
	working = true
	if _, err := r.refresh(token); err != nil {
		t.Errorf("the refresh token was spent: %v", err)
	}
}
