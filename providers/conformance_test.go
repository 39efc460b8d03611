package providers_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestConformance reproduces the modules of the OpenID Foundation's suite for
// relying parties: profiles Basic, Config, Form Post and Refresh. Each subtest
// carries the name of its module, each defect is the one the suite sends.
func TestConformance(t *testing.T) {
	for _, m := range []struct {
		module string
		op     providertest.Config
		config func(*providers.OIDCConfig)
		run    func(*rig)
	}{
		{module: "oidcc-client-test", run: acceptWithUserInfo},
		{module: "oidcc-client-test-nonce-unless-code-flow", run: acceptWithUserInfo},
		{module: "oidcc-client-test-userinfo-bearer-header", run: acceptWithUserInfo},
		{module: "oidcc-client-test-scope-userinfo-claims", op: providertest.Config{StrictClaims: true}, run: acceptWithUserInfo},
		{module: "oidcc-client-test-idtoken-sig-rs256", op: providertest.Config{Algorithm: "RS256"}, run: acceptWithUserInfo},
		{module: "oidcc-client-test-client-secret-basic", op: onlyAuth("client_secret_basic"), run: acceptWithUserInfo},
		{module: "oidcc-client-test-discovery-openid-config", run: acceptWithUserInfo},
		{module: "oidcc-client-test-discovery-jwks-uri-keys", run: acceptWithUserInfo},

		{module: "oidcc-client-test-invalid-iss", run: refuse("iss is not", claim("iss", plusOne))},
		{module: "oidcc-client-test-invalid-aud", run: refuse("aud is not", claim("aud", plusOne))},
		{module: "oidcc-client-test-missing-aud", run: refuse("aud is not", without("aud"))},
		{module: "oidcc-client-test-missing-sub", run: refuse("sub is missing", without("sub"))},
		{module: "oidcc-client-test-missing-iat", run: refuse("iat is missing", without("iat"))},
		{module: "oidcc-client-test-nonce-invalid", run: refuse("nonce is not", claim("nonce", plusOne))},
		{module: "oidcc-client-test-invalid-athash", run: refuse("at_hash is not", claim("at_hash", plusOne))},
		{module: "oidcc-client-test-idtoken-sig-none", run: refuse("algorithm is not allowed", func(d *providertest.Draft) {
			d.Header["alg"], d.Sign = "none", providertest.Unsigned
		})},
		{module: "oidcc-client-test-invalid-sig-rs256", op: providertest.Config{Algorithm: "RS256"}, run: refuse("signature does not verify", alterSignature)},
		{module: "oidcc-client-test-invalid-sig-es256", run: refuse("signature does not verify", alterSignature)},
		{module: "oidcc-client-test-invalid-sig-hs256",
			config: func(c *providers.OIDCConfig) {
				c.Algorithms = []string{"HS256"}
				c.ClientSecret = providers.NewSecret(hmacSecret)
			},
			op: providertest.Config{Clients: []providertest.Registration{{ID: providertest.ClientID, Secret: hmacSecret}}},
			run: refuse("signature does not verify with the client secret", func(d *providertest.Draft) {
				d.Header["alg"], d.Sign = "HS256", providertest.HMAC([]byte(hmacSecret+"1"))
			})},

		{module: "oidcc-client-test-kid-absent-single-jwks", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{
				IDToken: func(d *providertest.Draft) { delete(d.Header, "kid") },
				JWKS:    func(set map[string]any) { delete(set["keys"].([]any)[0].(map[string]any), "kid") },
			})
			acceptWithUserInfo(r)
		}},
		{module: "oidcc-client-test-kid-absent-multiple-jwks", op: providertest.Config{Algorithm: "RS256"}, run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{
				IDToken: func(d *providertest.Draft) { delete(d.Header, "kid") },
				JWKS:    manyKeysWithoutID,
			})
			acceptWithUserInfo(r)
		}},
		{module: "oidcc-client-test-userinfo-invalid-sub", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{UserInfo: func(c map[string]any) { c["sub"] = c["sub"].(string) + "invalid" }})
			login := r.signIn()
			_, err := r.UserInfo(r.t.Context(), login.Tokens.AccessToken, login.Identity.Subject)
			wantError(r.t, err, providers.Mismatch, "sub is not that of the ID token")
		}},
		{module: "oidcc-client-test-form-post-error", config: formPost, run: func(r *rig) {
			r.params = url.Values{"prompt": {"none"}}
			_, err := r.attempt()
			if e := wantError(r.t, err, providers.Denied, "login_required"); e.Code != "login_required" {
				r.t.Errorf("code %q", e.Code)
			}
			if n := r.op.Stats().CodeExchanges; n != 0 {
				r.t.Errorf("%d token calls for an error response", n)
			}
		}},
		{module: "oidcc-client-test form post", config: formPost, run: acceptWithUserInfo},
		{module: "oidcc-client-test-discovery-issuer-mismatch", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { doc["issuer"] = doc["issuer"].(string) + "INVALID" }})
			flow := providers.NewFlow("op", callback, "/")
			_, err := r.Begin(r.t.Context(), &flow, nil)
			wantError(r.t, err, providers.Misconfigured, "issuer of the discovery document is not the configured one")
			if n := r.op.Stats().Requests[providertest.Authorization]; n != 0 {
				r.t.Errorf("%d authorization requests", n)
			}
		}},
		{module: "oidcc-client-test-signing-key-rotation", run: func(r *rig) {
			r.signIn()
			r.op.RotateKeys()
			r.op.RetireKeys()
			acceptWithUserInfo(r)
		}},
		{module: "oidcc-client-test-signing-key-rotation-just-before-signing", run: func(r *rig) {
			r.signIn() // the keys are known, and minutes old
			time.Sleep(10 * time.Minute)
			flow, response := r.respond()
			r.op.RotateKeys()
			r.op.RetireKeys()
			if _, err := r.Complete(r.t.Context(), flow, response); err != nil {
				r.t.Fatal(err)
			}
			if n := r.op.Stats().Requests[providertest.JWKS]; n != 2 {
				r.t.Errorf("%d fetches of the keys, want 2", n)
			}
		}},
		{module: "oidcc-client-test-refresh-token", run: func(r *rig) {
			login := r.signIn()
			tokens, err := r.refresh(login.Tokens.RefreshToken)
			if err != nil {
				r.t.Fatal(err)
			}
			if tokens.RefreshToken.Equal(login.Tokens.RefreshToken) {
				r.t.Error("the refresh token was not replaced")
			}
			if _, err := r.VerifyRefreshed(r.t.Context(), tokens.IDToken, login.Identity); err != nil {
				r.t.Error(err)
			}
			if _, err := r.UserInfo(r.t.Context(), tokens.AccessToken, login.Identity.Subject); err != nil {
				r.t.Error(err)
			}
		}},
		{module: "oidcc-client-test-refresh-token-invalid-issuer", run: refuseRefreshed("iss", claim("iss", plusOne))},
		{module: "oidcc-client-test-refresh-token-invalid-sub", run: refuseRefreshed("sub", claim("sub", plusOne))},

		// Rows of the FAPI plans that hold for everybody.
		{module: "fapi2 valid-aud-as-array", run: mutated(acceptWithUserInfo, func(d *providertest.Draft) { d.Claims["aud"] = []any{d.Claims["aud"]} })},
		{module: "fapi2 invalid-secondary-aud", run: refuse("azp is missing", func(d *providertest.Draft) { d.Claims["aud"] = []any{d.Claims["aud"], "other"} })},
		{module: "fapi2 invalid-missing-exp", run: refuse("exp is missing", without("exp"))},
		{module: "fapi2 invalid-missing-iss", run: refuse("iss is not", without("iss"))},
		{module: "fapi2 invalid-missing-nonce", run: refuse("nonce is not", without("nonce"))},
		{module: "fapi2 invalid-expired-exp", run: refuse("token has expired", func(d *providertest.Draft) { d.Claims["exp"] = time.Now().Add(-30 * time.Second).Unix() })},
		{module: "fapi2 invalid-null-alg", run: refuse("algorithm is not allowed", func(d *providertest.Draft) { d.Header["alg"] = nil })},
		{module: "fapi2 invalid-alternate-alg", op: providertest.Config{Algorithm: "PS256"},
			config: func(c *providers.OIDCConfig) { c.Algorithms = []string{"ES256"} },
			run: func(r *rig) {
				_, err := r.attempt()
				wantError(r.t, err, providers.Invalid, "algorithm is not allowed")
			}},
		{module: "fapi2 token-type-case-insensitivity", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { a["token_type"] = "bEARER" }})
			acceptWithUserInfo(r)
		}},
		{module: "fapi2 token-endpoint-response-without-expires_in", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { delete(a, "expires_in") }})
			if login := r.signIn(); login.Tokens.ExpiresIn != 0 {
				r.t.Errorf("lifetime %v, want 0 for unknown", login.Tokens.ExpiresIn)
			}
		}},
		{module: "fapi1 no-scope-in-token-endpoint-response", run: func(r *rig) {
			r.op.Mutate(providertest.Mutations{TokenResponse: func(_ string, a map[string]any) { delete(a, "scope") }})
			acceptWithUserInfo(r)
		}},
		{module: "fapi1 iat-is-week-in-past", run: mutated(acceptWithUserInfo, func(d *providertest.Draft) {
			d.Claims["iat"] = time.Now().Add(-7 * 24 * time.Hour).Unix()
		})},
	} {
		t.Run(m.module, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				change := m.config
				if change == nil {
					change = func(*providers.OIDCConfig) {}
				}
				m.run(newRig(t, m.op, change))
			})
		})
	}
}

const hmacSecret = "a-client-secret-of-at-least-32-bytes-for-hs256"

func onlyAuth(method string) providertest.Config {
	return providertest.Config{Clients: []providertest.Registration{{ID: providertest.ClientID, Secret: providertest.ClientSecret, AuthMethod: method}}}
}

func formPost(c *providers.OIDCConfig) { c.FormPost = true }

// acceptWithUserInfo signs in and reads userinfo, as the suite waits for.
func acceptWithUserInfo(r *rig) {
	r.t.Helper()
	login := r.signIn()
	claims, err := r.UserInfo(r.t.Context(), login.Tokens.AccessToken, login.Identity.Subject)
	if err != nil {
		r.t.Fatal(err)
	}
	if claims.String("email") != "alice@example.com" {
		r.t.Errorf("userinfo has no e-mail: %v", claims)
	}
	if n := r.op.Stats().CodeExchanges; n == 0 {
		r.t.Error("no code was exchanged")
	}
}

// refuse is a sign-in whose ID token is defective.
func refuse(reason string, defect func(*providertest.Draft)) func(*rig) {
	return func(r *rig) {
		r.t.Helper()
		r.mutateIDToken(defect)
		_, err := r.attempt()
		wantError(r.t, err, providers.Invalid, reason)
	}
}

// refuseRefreshed is a refresh whose ID token is about somebody else.
func refuseRefreshed(claim string, defect func(*providertest.Draft)) func(*rig) {
	return func(r *rig) {
		r.t.Helper()
		login := r.signIn()
		r.mutateIDToken(defect)
		tokens, err := r.refresh(login.Tokens.RefreshToken)
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = r.VerifyRefreshed(r.t.Context(), tokens.IDToken, login.Identity)
		wantError(r.t, err, providers.Mismatch, "somebody else: "+claim)
	}
}

func mutated(run func(*rig), mutate func(*providertest.Draft)) func(*rig) {
	return func(r *rig) {
		r.t.Helper()
		r.mutateIDToken(mutate)
		run(r)
	}
}

// claim is a defect in one claim.
func claim(name string, change func(any) any) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Claims[name] = change(d.Claims[name]) }
}

func without(name string) func(*providertest.Draft) {
	return func(d *providertest.Draft) { delete(d.Claims, name) }
}

func plusOne(v any) any { return v.(string) + "1" }

// alterSignature changes the last part of the token, as the suite does.
func alterSignature(d *providertest.Draft) {
	d.Raw = func(token string) string {
		i := strings.LastIndexByte(token, '.') + 1
		signature, _ := base64.RawURLEncoding.DecodeString(token[i:])
		signature[5] ^= 0x5a
		return token[:i] + base64.RawURLEncoding.EncodeToString(signature)
	}
}

// manyKeysWithoutID publishes, beside the real key, three keys of each kind
// that the suite's provider has, without a kid: secp256k1 among them.
func manyKeysWithoutID(set map[string]any) {
	keys := set["keys"].([]any)
	delete(keys[0].(map[string]any), "kid")
	var others []any
	for range 3 {
		r, _ := rsa.GenerateKey(rand.Reader, 2048)
		others = append(others, map[string]any{"kty": "RSA", "use": "sig", "n": b64(r.N.Bytes()), "e": "AQAB"})
		e, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		point, _ := e.PublicKey.Bytes()
		others = append(others, map[string]any{"kty": "EC", "use": "sig", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
		others = append(others, secp256k1Key())
		ed, _, _ := ed25519.GenerateKey(rand.Reader)
		others = append(others, map[string]any{"kty": "OKP", "use": "sig", "crv": "Ed25519", "x": b64(ed)})
	}
	set["keys"] = append(others, keys...)
}

// secp256k1Key is the generator point of a curve that go-jose does not know.
func secp256k1Key() map[string]any {
	x, _ := new(big.Int).SetString("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", 16)
	y, _ := new(big.Int).SetString("483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8", 16)
	return map[string]any{"kty": "EC", "use": "sig", "crv": "secp256k1", "x": b64(x.Bytes()), "y": b64(y.Bytes())}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
