package providertest_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// decode reads a compact token without checking it.
func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts, want 3", len(parts))
	}
	for i, v := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

func TestMutatedIDTokenIsRefusedByGoOIDC(t *testing.T) {
	for name, row := range map[string]struct {
		mutate func(*providertest.Server, *providertest.Draft)
		reason string
	}{
		"invalid-iss": {func(_ *providertest.Server, d *providertest.Draft) { d.Claims["iss"] = d.Claims["iss"].(string) + "1" }, "different provider"},
		"invalid-aud": {func(_ *providertest.Server, d *providertest.Draft) { d.Claims["aud"] = "app1" }, "expected audience"},
		"JWT1 alg none": {func(_ *providertest.Server, d *providertest.Draft) {
			d.Header["alg"] = "none"
			d.Sign = providertest.Unsigned
		}, "malformed jwt"},
		"JWT2 HS256 with the public key": {func(s *providertest.Server, d *providertest.Draft) {
			der, err := x509.MarshalPKIXPublicKey(s.PublicKey())
			if err != nil {
				panic(err)
			}
			d.Header["alg"] = "HS256"
			d.Sign = providertest.HMAC(der)
		}, "HS256"},
		"altered signature": {func(s *providertest.Server, d *providertest.Draft) {
			d.Sign = func(input []byte) []byte {
				sig := s.Sign(input)
				sig[0] ^= 1
				return sig
			}
		}, "failed to verify"},
		"not a token":       {func(_ *providertest.Server, d *providertest.Draft) { d.Raw = strings.ToUpper }, "malformed jwt"},
		"not claims at all": {func(_ *providertest.Server, d *providertest.Draft) { d.Payload = []byte("[]") }, "unmarshal"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Algorithm: "ES256"})
				c.op.Mutate(providertest.Mutations{IDToken: func(d *providertest.Draft) { row.mutate(c.op, d) }})
				_, err := c.verify(c.signIn())
				if err == nil || !strings.Contains(err.Error(), row.reason) {
					t.Errorf("verified with %v, want a refusal because of %q", err, row.reason)
				}
				c.op.Mutate(providertest.Mutations{})
				if _, err := c.verify(c.signIn()); err != nil {
					t.Errorf("honest again: %v", err)
				}
			})
		})
	}
}

func TestMutationTellsSignInFromRefresh(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		c.op.Mutate(providertest.Mutations{
			IDToken: func(d *providertest.Draft) {
				if d.GrantType == "refresh_token" {
					d.Claims["sub"] = "somebody else"
				}
			},
			TokenResponse: func(grantType string, answer map[string]any) {
				answer["expires_in"] = "60"
				delete(answer, "scope")
				answer["said"] = grantType
			},
		})
		token := c.signIn()
		if id, err := c.verify(token); err != nil || id.Subject != "sub-alice" || token.Extra("said") != "authorization_code" {
			t.Errorf("sign-in: %v, %v, %v", id, err, token.Extra("said"))
		}
		fresh, err := c.refresh(token.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := c.verify(fresh); err != nil || id.Subject != "somebody else" || fresh.Extra("said") != "refresh_token" {
			t.Errorf("refresh: %v, %v, %v", id, err, fresh.Extra("said"))
		}
	})
}

func TestMutatedPayloadRepeatsAClaim(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		c.op.Mutate(providertest.Mutations{IDToken: func(d *providertest.Draft) {
			raw, _ := json.Marshal(d.Claims)
			d.Payload = append(bytes.TrimSuffix(raw, []byte("}")), `,"sub":"mallory"}`...)
		}})
		if id, err := c.verify(c.signIn()); err != nil || id.Subject != "mallory" {
			t.Errorf("%v, %v: want go-oidc to believe the last sub", id, err)
		}
	})
}

func TestMutatedCallbackDiscoveryKeysAndUserinfo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{StrictClaims: true})
		c.op.Mutate(providertest.Mutations{
			Callback:  func(params url.Values) { params.Add("iss", "https://evil.example") },
			Discovery: func(doc map[string]any) { doc["issuer"] = doc["issuer"].(string) + "INVALID" },
			UserInfo:  func(claims map[string]any) { claims["sub"] = claims["sub"].(string) + "invalid" },
			JWKS: func(set map[string]any) {
				set["keys"] = append(set["keys"].([]any), map[string]any{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"})
			},
		})
		if got := c.response()["iss"]; len(got) != 2 {
			t.Errorf("iss %v, want two", got)
		}
		if _, err := oidc.NewProvider(c.ctx, c.op.Issuer()); err == nil || !strings.Contains(err.Error(), "did not match") {
			t.Errorf("discovery: %v", err)
		}
		token := c.signIn()
		if _, err := c.verify(token); err == nil || !strings.Contains(err.Error(), "fetching keys") {
			t.Errorf("keys: %v", err)
		}
		if info, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(token)); err != nil || info.Subject != "sub-aliceinvalid" {
			t.Errorf("userinfo: %+v, %v", info, err)
		}
	})
}

func TestKeyRotation(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Algorithm: "ES256"})
		old := c.signIn()
		oldHeader, _ := decode(t, old.Extra("id_token").(string))
		c.op.RotateKeys()
		fresh := c.signIn()
		freshHeader, _ := decode(t, fresh.Extra("id_token").(string))
		if oldHeader["kid"] == freshHeader["kid"] {
			t.Error("the key did not change")
		}
		for name, token := range map[string]*oauth2.Token{"old": old, "fresh": fresh} {
			if _, err := c.verify(token); err != nil {
				t.Errorf("%s token after the rotation: %v", name, err)
			}
		}
		c.op.RetireKeys()
		c.provider = first(oidc.NewProvider(c.ctx, c.op.Issuer()))
		if _, err := c.verify(old); err == nil {
			t.Error("a token of a retired key was verified")
		}
		if _, err := c.verify(fresh); err != nil {
			t.Errorf("the current key was retired: %v", err)
		}
	})
}

func first[A, B any](a A, _ B) A { return a }

func TestClaimsFollowScopesAndConfig(t *testing.T) {
	alice := providertest.User{Name: "alice", Subject: "248289", Claims: map[string]any{"groups": []string{"staff"}, "email_verified": nil, "address": "x"}}
	for name, row := range map[string]struct {
		cfg   providertest.Config
		scope string
		want  string // of the claims about the person, in order
	}{
		"all scopes":    {providertest.Config{}, "openid profile email", "email groups name preferred_username"},
		"openid only":   {providertest.Config{}, "openid", "groups"},
		"strict claims": {providertest.Config{StrictClaims: true}, "openid profile email", ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				row.cfg.Users = []providertest.User{alice}
				c := newClient(t, row.cfg)
				token := c.signIn(oauth2.SetAuthURLParam("scope", row.scope))
				_, claims := decode(t, token.Extra("id_token").(string))
				var got []string
				for _, name := range []string{"address", "email", "email_verified", "groups", "name", "preferred_username"} {
					if claims[name] != nil {
						got = append(got, name)
					}
				}
				if strings.Join(got, " ") != row.want || claims["sub"] != "248289" {
					t.Errorf("claims %v of sub %v, want %v", got, claims["sub"], row.want)
				}
			})
		})
	}
}

func TestSetUserChangesLaterTokens(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		token := c.signIn()
		c.op.SetUser(providertest.User{Name: "alice", Claims: map[string]any{"groups": []string{"admins"}}})
		fresh, err := c.refresh(token.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if _, claims := decode(t, fresh.Extra("id_token").(string)); claims["groups"] == nil {
			t.Errorf("claims of the refresh %v", claims)
		}
	})
}
