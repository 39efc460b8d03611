package providers_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

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
			synctest.Wait() // they are fetched behind whoever asks
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

// TestJWT5TriesAreForFittingKeys: keys of another kind do not use them up.
func TestJWT5TriesAreForFittingKeys(t *testing.T) {
	r := newRig(t, providertest.Config{})
	r.op.Mutate(providertest.Mutations{
		IDToken: func(d *providertest.Draft) { delete(d.Header, "kid") },
		JWKS: func(set map[string]any) {
			for i := range 12 {
				other := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(bytes.Repeat([]byte{byte(i + 1)}, 32))}
				set["keys"] = append([]any{other}, set["keys"].([]any)...)
			}
		},
	})
	r.signIn()
}
