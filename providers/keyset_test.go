package providers_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestG9KeySetWithKeysOfOtherWorlds: a set is read key by key, and keys that
// are not for verifying do not.
func TestG9KeySetWithKeysOfOtherWorlds(t *testing.T) {
	own := func(set map[string]any) map[string]any { return set["keys"].([]any)[0].(map[string]any) }
	beside := func(keys ...any) func(map[string]any) {
		return func(set map[string]any) { set["keys"] = append(keys, set["keys"].([]any)...) }
	}
	for _, row := range []struct {
		name   string
		mutate func(map[string]any)
		reason string // empty: accepted
	}{
		{"G9 secp256k1 key without alg", beside(secp256k1Key()), ""},
		{"G9 key that is no key", beside(map[string]any{"kty": "RSA", "n": "!", "e": "AQAB"}, "text", 7, nil, []any{}), ""},
		{"G9 unknown kty", beside(map[string]any{"kty": "PQC", "use": "sig"}), ""},
		{"G9 own key with a bad x5c", func(set map[string]any) { own(set)["x5c"] = []string{"AAAA"} }, ""},
		{"G9 own key with x5u", func(set map[string]any) { own(set)["x5u"] = "::" }, ""},
		{"own key twice, the first one broken", func(set map[string]any) {
			broken := map[string]any{}
			for k, v := range own(set) {
				broken[k] = v
			}
			broken["x"] = broken["y"]
			beside(broken)(set)
		}, ""},
		{"own key without use and alg", func(set map[string]any) { delete(own(set), "use"); delete(own(set), "alg") }, ""},
		{"own key with key_ops verify", func(set map[string]any) { own(set)["key_ops"] = []string{"verify"} }, ""},

		{"G10 own key for encryption", func(set map[string]any) { own(set)["use"] = "enc"; spare(set) }, "signature does not verify"},
		{"G10 own key with other key_ops", func(set map[string]any) { own(set)["key_ops"] = []string{"encrypt"}; spare(set) }, "signature does not verify"},
		{"own key for another algorithm", func(set map[string]any) { own(set)["alg"] = "ES384"; spare(set) }, "signature does not verify"},
		{"own key under another kid", func(set map[string]any) { own(set)["kid"] = "other"; spare(set) }, "signature does not verify"},
		{"own key published with its private half", func(set map[string]any) { own(set)["d"] = "AAAA"; spare(set) }, "signature does not verify"},
		{"own key with a name that repeats", func(set map[string]any) { own(set)["X"] = "AAAA"; spare(set) }, "signature does not verify"},
		{"the client secret's kind of key", func(set map[string]any) {
			set["keys"] = []any{map[string]any{"kty": "oct", "k": "AAAA"}}
		}, "key set has no usable key"},
		{"JWT15 RSA of 512 bits alone", func(set map[string]any) {
			set["keys"] = []any{map[string]any{"kty": "RSA", "n": b64(make([]byte, 64)), "e": "AQAB"}}
		}, "key set has no usable key"},
		{"IDP8 empty set", func(set map[string]any) { set["keys"] = []any{} }, "key set has no usable key"},
		{"no list of keys", func(set map[string]any) { set["keys"] = "keys" }, "key set has no list of keys"},
		{"G10 R13 101 keys", func(set map[string]any) {
			for len(set["keys"].([]any)) <= 100 {
				beside(secp256k1Key())(set)
			}
		}, "key set has too many keys"},
		{"100 keys", func(set map[string]any) {
			for len(set["keys"].([]any)) < 100 {
				beside(secp256k1Key())(set)
			}
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{JWKS: row.mutate})
			_, err := r.attempt()
			switch {
			case row.reason == "" && err != nil:
				t.Error(err)
			case strings.HasPrefix(row.reason, "key set"):
				wantError(t, err, providers.Unready, row.reason)
			case row.reason != "":
				wantError(t, err, providers.Invalid, row.reason)
			}
		})
	}
}

// spare adds a usable key that signed nothing, so that the set is not refused
// as a whole.
func spare(set map[string]any) {
	op := providertest.New(providertest.Config{Algorithm: "ES256"})
	set["keys"] = append(set["keys"].([]any), jwkOf(op, "spare"))
}

func jwkOf(op *providertest.Server, kid string) map[string]any {
	point, err := op.PublicKey().(interface{ Bytes() ([]byte, error) }).Bytes()
	if err != nil {
		panic(err)
	}
	return map[string]any{"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
}

// TestJWT15WeakRSAKeysVerifyNothing: the provider signs correctly, with a key
// that anybody can break.
func TestJWT15WeakRSAKeysVerifyNothing(t *testing.T) {
	for _, row := range []struct {
		name string
		n, e string
	}{
		{"1024 bits", b64(weakModulus(t)), "AQAB"},
		{"e=1", b64(append([]byte{0xc1}, make([]byte, 255)...)), "AQ"},
		{"e even", b64(append([]byte{0xc1}, make([]byte, 255)...)), "Ag"},
		{"20000 bits", b64(append([]byte{0xc1}, make([]byte, 2499)...)), "AQAB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{JWKS: func(set map[string]any) {
				set["keys"] = []any{map[string]any{"kty": "RSA", "n": row.n, "e": row.e}}
			}})
			_, err := r.attempt()
			wantError(t, err, providers.Unready, "no usable key")
		})
	}
}

func weakModulus(t *testing.T) []byte {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this toolchain refuses to make one")
	}
	return k.N.Bytes()
}

// TestG8R12InventedKeysCostNoFetches: ten thousand tokens with unknown key
// ids, and as many with bad signatures, within a minute.
func TestG8R12InventedKeysCostNoFetches(t *testing.T) {
	for name, forge := range map[string]func(token string, i int) string{
		"unknown kid": func(token string, i int) string {
			_, rest, _ := strings.Cut(token, ".")
			return b64(fmt.Appendf(nil, `{"alg":"ES256","kid":"invented-%d"}`, i)) + "." + rest
		},
		"bad signature": func(token string, i int) string {
			sig := fmt.Appendf(nil, "%064d", i)
			return token[:strings.LastIndexByte(token, '.')+1] + b64(sig)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{IDTokenLifetime: time.Hour})
				login := r.signIn()
				token := login.Tokens.IDToken.Reveal()
				for i := range 10_000 {
					_, err := r.VerifyRefreshed(t.Context(), providers.NewSecret(forge(token, i)), login.Identity)
					if i%1000 == 0 {
						wantError(t, err, providers.Invalid, "signature does not verify with any published key")
						time.Sleep(5 * time.Second)
					}
				}
				if n := r.op.Stats().Requests[providertest.JWKS]; n > 2 {
					t.Errorf("%d fetches of the keys in one minute, at most 2 allowed", n)
				}
				// The honest user is not locked out.
				if _, err := r.VerifyRefreshed(t.Context(), login.Tokens.IDToken, login.Identity); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestG8ExpiredTokensCostNoFetch: what a claim refuses never gets as far as a
// signature.
func TestG8ExpiredTokensCostNoFetch(t *testing.T) {
	r := newRig(t, providertest.Config{})
	r.mutateIDToken(both(at("exp", -time.Hour), header("kid", "unknown")))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "token has expired")
	if n := r.op.Stats().Requests[providertest.JWKS]; n != 0 {
		t.Errorf("%d fetches of the keys", n)
	}
}

// TestG8KeysAreFetchedOnceForAll: a hundred users come back at once after the
// start, and again after a rotation.
func TestG8KeysAreFetchedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{Rotation: providertest.Reusable})
		flow, response := r.respond()
		login, err := r.Complete(t.Context(), flow, response)
		if err != nil {
			t.Fatal(err)
		}
		r.op.RotateKeys()
		tokens, err := r.refresh(login.Tokens.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		release := r.op.Hold(providertest.JWKS)
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if _, err := r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		release()
		all.Wait()
		if n := r.op.Stats().Requests[providertest.JWKS]; n != 2 {
			t.Errorf("%d fetches, want 2: one at the sign-in, one for the new key", n)
		}
	})
}

// TestIDP8KeyRotation: what has to work when keys change, and when the key set
// fails meanwhile.
func TestIDP8KeyRotation(t *testing.T) {
	t.Run("kid reused for a new key", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			fixed := func(d *providertest.Draft) { d.Header["kid"] = "the-only-one" }
			keys := func(set map[string]any) {
				set["keys"] = set["keys"].([]any)[:1]
				set["keys"].([]any)[0].(map[string]any)["kid"] = "the-only-one"
			}
			r.op.Mutate(providertest.Mutations{IDToken: fixed, JWKS: keys})
			r.signIn()
			r.op.RotateKeys()
			r.signIn()
		})
	})
	t.Run("two rotations within a minute", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.signIn()
			for range 2 {
				r.op.RotateKeys()
				time.Sleep(61 * time.Second)
				r.signIn()
			}
		})
	})
	t.Run("an empty set does not evict good keys", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.signIn()
			r.op.Mutate(providertest.Mutations{JWKS: func(set map[string]any) { set["keys"] = []any{} }})
			time.Sleep(2 * time.Hour) // the keys are old enough to be fetched again
			r.signIn()
			r.signIn()
			if n := r.op.Stats().Requests[providertest.JWKS]; n < 2 {
				t.Errorf("%d fetches: the empty set was never seen", n)
			}
		})
	})
	t.Run("a key that was withdrawn stops verifying", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{IDTokenLifetime: 24 * time.Hour})
			login := r.signIn()
			r.op.RotateKeys()
			r.op.RetireKeys()
			time.Sleep(61 * time.Minute)
			r.signIn() // the new key makes the set be fetched
			_, err := r.VerifyRefreshed(t.Context(), login.Tokens.IDToken, login.Identity)
			wantError(t, err, providers.Invalid, "signature does not verify")
		})
	})
	t.Run("the key set is down at the first sign-in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			heal := r.op.Fail(providertest.JWKS, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"7"}}})
			_, err := r.attempt()
			if e := wantError(t, err, providers.Unready, "status 503"); e.RetryAfter != 7*time.Second || e.Op != "verify" {
				t.Errorf("%#v", e)
			}
			heal()
			_, err = r.attempt()
			wantError(t, err, providers.Unready, "status 503") // still within Retry-After: nobody asked again
			time.Sleep(7 * time.Second)
			r.signIn()
			if n := r.op.Stats().Requests[providertest.JWKS]; n != 2 {
				t.Errorf("%d fetches", n)
			}
		})
	})
	t.Run("the key set is down while a new key signs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			login := r.signIn()
			r.op.RotateKeys()
			r.op.Fail(providertest.JWKS, providertest.Fault{Down: true})
			tokens, err := r.refresh(login.Tokens.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity)
			wantError(t, err, providers.Unready, "dial") // not Invalid: nobody can know
		})
	})
}

// TestJWT5TriesAreBounded: a token without kid, and a set of a hundred keys
// that all may have signed it: ten are tried.
func TestJWT5TriesAreBounded(t *testing.T) {
	r := newRig(t, providertest.Config{})
	others := make([]any, 10)
	for i := range others {
		others[i] = jwkOf(providertest.New(providertest.Config{Algorithm: "ES256"}), fmt.Sprint(i))
	}
	late := false
	r.op.Mutate(providertest.Mutations{
		IDToken: func(d *providertest.Draft) { delete(d.Header, "kid") },
		JWKS: func(set map[string]any) {
			if late {
				set["keys"] = append(others, set["keys"].([]any)...)
			} else {
				set["keys"] = append(others[:9:9], set["keys"].([]any)...)
			}
		},
	})
	r.signIn() // the tenth key
	late = true
	fresh := newOIDC(t, func(c *providers.OIDCConfig) { c.HTTPClient = r.op.Client() })
	flow, response := r.respond()
	r.OIDC = fresh
	_, err := r.Complete(t.Context(), flow, response)
	wantError(t, err, providers.Invalid, "signature does not verify") // the eleventh
}

// TestJWT8KeysAreBoundToTenants: Entra ID publishes all keys in one set, each
// with the issuer it signs for.
func TestJWT8KeysAreBoundToTenants(t *testing.T) {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	template := "https://op.example/{tenantid}/v2.0"
	issuerOf := func(tid string) string { return strings.Replace(template, "{tenantid}", tid, 1) }
	for _, row := range []struct {
		name, keyIssuer, reason string
		claims                  map[string]any
	}{
		{"allowed tenant", "", "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}},
		{"key for every tenant", template, "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}},
		{"key of this tenant", issuerOf(tenant), "", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}},
		{"key of another tenant", issuerOf(other), "signature does not verify", map[string]any{"tid": tenant, "iss": issuerOf(tenant)}},
		{"tenant that is not on the list", "", "tid is not an allowed tenant", map[string]any{"tid": other, "iss": issuerOf(other)}},
		{"allowed tid, issuer of another tenant", "", "iss is not", map[string]any{"tid": tenant, "iss": issuerOf(other)}},
		{"no tid", "", "tid is not an allowed tenant", map[string]any{"iss": issuerOf(tenant)}},
		{"the template itself", "", "iss is not", map[string]any{"tid": tenant, "iss": template}},
		{"audience of another application", "", "aud is not", map[string]any{"tid": tenant, "iss": issuerOf(tenant), "aud": "other"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
				c.Issuer, c.Tenants = template, []string{tenant}
				c.DiscoveryURL = "https://op.example/.well-known/openid-configuration"
			})
			r.op.Mutate(providertest.Mutations{
				Discovery: func(doc map[string]any) {
					doc["issuer"] = template
					delete(doc, "authorization_response_iss_parameter_supported")
				},
				Callback: func(params url.Values) { params.Del("iss") },
				JWKS: func(set map[string]any) {
					if row.keyIssuer != "" {
						set["keys"].([]any)[0].(map[string]any)["issuer"] = row.keyIssuer
					}
				},
				IDToken: func(d *providertest.Draft) {
					for k, v := range row.claims {
						d.Claims[k] = v
					}
				},
			})
			login, err := r.attempt()
			if row.reason != "" {
				wantError(t, err, providers.Invalid, row.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if login.Identity.Issuer != issuerOf(tenant) {
				t.Errorf("issuer of the identity is %q", login.Identity.Issuer)
			}
		})
	}
}

// TestIssuerAlias: Google's ID tokens may name their issuer without a scheme.
// The identity is the same.
func TestIssuerAlias(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		c.Quirks.IssuerAliases = []string{"op.example"}
	})
	r.mutateIDToken(set("iss", "op.example"))
	if login := r.signIn(); login.Identity.Issuer != "https://op.example" {
		t.Errorf("issuer %q", login.Identity.Issuer)
	}
	r.mutateIDToken(set("iss", "op.example.evil.example"))
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "iss is not")
}
