package providers_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutToken is one about alice and her session, with the defect.
func (r *rig) logoutToken(defect func(*providertest.Draft)) providers.Secret {
	r.op.Mutate(providertest.Mutations{LogoutToken: defect})
	defer r.op.Mutate(providertest.Mutations{})
	return providers.NewSecret(r.op.LogoutToken(providertest.ClientID, "alice", "the-sid"))
}

// TestLogoutTokenIsRefused goes through Back-Channel Logout 2.6, step by step,
// and through what go-oidc's VerifyLogout accepts (G13).
func TestLogoutTokenIsRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		defect func(*providertest.Draft)
		reason string
	}{
		{"2.6 (1) JWT14 encrypted", raw(func(s string) string { return s + ".iv.tag" }), "it is encrypted"},
		{"2.6 (1) JWT14 encrypted with a huge p2c", raw(func(string) string {
			return b64([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647}`)) + ".a.b.c.d"
		}), "it is encrypted"},

		{"2.6 (2) signature altered", alterSignature, "signature does not verify"},
		{"2.6 (2) signature of another payload", raw(func(s string) string {
			parts := strings.Split(s, ".")
			parts[1] = b64([]byte(strings.Replace(decoded(parts[1]), "alice", "mallo", 1)))
			return strings.Join(parts, ".")
		}), "signature does not verify"},
		{"2.6 (2) key of somebody else", func(d *providertest.Draft) {
			d.Sign = providertest.New(providertest.Config{Algorithm: "ES256"}).Sign
		}, "signature does not verify"},
		{"2.6 (2) signature stripped", func(d *providertest.Draft) { d.Sign = providertest.Unsigned }, "token has no signature"},
		{"2.6 (3) JWT1 alg none", signedBy("none", providertest.Unsigned), "algorithm is not allowed"},
		{"2.6 (3) JWT1 alg None with a signature", signedBy("None", nil), "algorithm is not allowed"},
		{"2.6 (3) alg that nobody allowed", signedBy("ES384", nil), "algorithm is not allowed"},
		{"2.6 (3) alg of another kind of key", signedBy("RS256", nil), "signature does not verify"},
		{"2.6 (3) JWT2 HS256 keyed with the client secret", signedBy("HS256", providertest.HMAC([]byte(providertest.ClientSecret))), "algorithm is not allowed"},

		{"2.6 (4) iss with one more", claim("iss", plusOne), "iss is not"},
		{"2.6 (4) iss of another provider", set("iss", "https://other.example"), "iss is not"},
		{"2.6 (4) iss missing", without("iss"), "iss is not"},
		{"2.6 (4) aud with one more", claim("aud", plusOne), "aud is not this client"},
		{"2.6 (4) aud missing", without("aud"), "aud is not this client"},
		{"2.6 (4) G3 aud of several without azp", set("aud", []string{providertest.ClientID, "other"}), "azp is missing"},
		{"2.6 (4) G13 iat missing", without("iat"), "iat is missing"},
		{"2.6 (4) G13 iat as a string", set("iat", "1700000000"), "iat is missing or not a time"},
		{"2.6 (4) G13 iat ten years ago, exp in 2100", both(at("iat", -10*365*24*time.Hour), set("exp", 4_102_444_800)), "good for more than an hour"},
		{"2.6 (4) iat an hour ahead", both(at("iat", time.Hour), at("exp", 2*time.Hour)), "iat is in the future"},
		{"2.6 (4) exp missing", without("exp"), "exp is missing"},
		{"2.6 (4) exp 1 s past", at("exp", -time.Second), "token has expired"},
		{"2.6 (4) exp 1e300", set("exp", json.Number("1e300")), "exp is missing or not a time"},
		{"2.6 (4) nbf in 10 min", at("nbf", 10*time.Minute), "nbf is in the future"},
		{"G13 good for an hour and a second", at("exp", time.Hour+time.Second), "good for more than an hour"},

		{"2.6 (5) neither sub nor sid", both(without("sub"), without("sid")), "both sub and sid are missing"},
		{"2.6 (5) sub empty", set("sub", ""), "sub is missing"},
		{"2.6 (5) sub null, beside a sid", set("sub", nil), "sub is missing"},
		{"2.6 (5) sub as a number", set("sub", 7), "sub is missing"},
		{"2.6 (5) sub of 256 characters", set("sub", strings.Repeat("x", 256)), "sub is not of 1 to 255"},
		{"2.6 (5) sid empty, beside a sub", set("sid", ""), "sid is empty or not a string"},
		{"2.6 (5) sid null, beside a sub", set("sid", nil), "sid is empty or not a string"},
		{"2.6 (5) sid as a list", set("sid", []string{"the-sid"}), "sid is empty or not a string"},

		{"2.6 (6) events missing", without("events"), "events is missing"},
		{"2.6 (6) events null", set("events", nil), "events is missing or not an object"},
		{"2.6 (6) events a string", set("events", logoutEvent), "events is missing or not an object"},
		{"2.6 (6) events a list", set("events", []string{logoutEvent}), "events is missing or not an object"},
		{"2.6 (6) events empty", set("events", map[string]any{}), "token tells of other events"},
		{"2.6 (6) another event", event("http://schemas.openid.net/event/foobar", map[string]any{}), "token tells of other events"},
		{"2.6 (6) G13 event in upper case", event(strings.ToUpper(logoutEvent), map[string]any{}), "token tells of other events"},
		{"2.6 (6) G13 event null", event(logoutEvent, nil), "the logout event is not an object"},
		{"2.6 (6) G13 event a string", event(logoutEvent, "x"), "the logout event is not an object"},
		{"2.6 (6) event true", event(logoutEvent, true), "the logout event is not an object"},
		{"2.6 (6) event a list", event(logoutEvent, []any{}), "the logout event is not an object"},
		{"2.6 (6) JWT16 event twice, in two cases", set("events", json.RawMessage(`{"`+logoutEvent+`":{},"`+strings.ToUpper(logoutEvent)+`":7}`)), "events is missing or not an object"},

		{"2.6 (7) nonce", set("nonce", "n"), "token has a nonce"},
		{"2.6 (7) nonce empty", set("nonce", ""), "token has a nonce"},
		{"2.6 (7) nonce null", set("nonce", nil), "token has a nonce"},

		{"2.6 (8) jti missing", without("jti"), "jti is missing"},
		{"2.6 (8) jti empty", set("jti", ""), "jti is missing"},
		{"2.6 (8) jti as a number", set("jti", 1), "jti is missing"},

		{"G13 JWT12 typ at+jwt", typ("at+jwt"), "typ is not that of a logout token"},
		{"G13 typ secevent+jwt", typ("secevent+jwt"), "typ is not that of a logout token"},
		{"G13 typ as a number", header("typ", 7), "typ is not that of a logout token"},
		{"typ empty", typ(""), "typ is not that of a logout token"},
		{"JWT4 unknown crit", header("crit", []string{"exp"}), "header demands an extension"},
		{"JWT5 kid as a path", header("kid", "../../etc/passwd"), "signature does not verify"},
		{"JWT16 sub twice", insert(`"sub":"mallory",`), "token payload is malformed"},
		{"JWT16 SID beside sid", set("SID", "another"), "token payload is malformed"},
		{"JWT16 JSON serialization", raw(jsonSerialization), "token is not a JWT in compact form"},
		{"payload is not an object", func(d *providertest.Draft) { d.Payload = []byte(`["array"]`) }, "token payload is malformed"},
		{"JWT13 64 KiB and more", raw(func(s string) string { return s + strings.Repeat("A", 64<<10) }), "token is too long"},
		{"nothing at all", raw(func(string) string { return "" }), "token is not a JWT in compact form"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				_, err := r.VerifyLogout(t.Context(), r.logoutToken(row.defect))
				wantError(t, err, providers.Invalid, row.reason)
			})
		})
	}
}

// TestLogoutTokenIsAccepted holds the other side of the rules above.
func TestLogoutTokenIsAccepted(t *testing.T) {
	for _, row := range []struct {
		name string
		same func(*providertest.Draft)
		want providers.Logout // but for what is the same in all
	}{
		{"of a subject and a session", nil, providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"of a subject", without("sid"), providers.Logout{Subject: "alice"}},
		{"of a session", without("sub"), providers.Logout{SID: "the-sid"}},
		{"typ in upper case", typ("LOGOUT+JWT"), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"typ JWT, as before there was one", typ("JWT"), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"no typ", func(d *providertest.Draft) { delete(d.Header, "typ") }, providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"aud as a list of one", set("aud", []string{providertest.ClientID}), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"aud of several with our azp", both(set("aud", []string{"other", providertest.ClientID}), set("azp", providertest.ClientID)), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"claims that nobody knows", set("ignored_claim", true), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"an event that says more", event(logoutEvent, map[string]any{"reason": "x"}), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"another event beside it", set("events", map[string]any{logoutEvent: map[string]any{}, "https://op.example/event": 7}), providers.Logout{Subject: "alice", SID: "the-sid"}},
		{"iat within the leeway", at("iat", 58*time.Second), providers.Logout{Subject: "alice", SID: "the-sid"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				got, err := r.VerifyLogout(t.Context(), r.logoutToken(row.same))
				if err != nil {
					t.Fatal(err)
				}
				want := row.want
				want.Issuer, want.ExpiresAt, want.TokenID = "https://op.example", time.Now().Add(2*time.Minute), got.TokenID
				if !got.ExpiresAt.Equal(want.ExpiresAt) || got.TokenID == "" {
					t.Errorf("expires at %v, token %q", got.ExpiresAt, got.TokenID)
				}
				if got.ExpiresAt = want.ExpiresAt; got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		})
	}
	t.Run("good for a whole hour", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			token := r.logoutToken(at("exp", time.Hour))
			time.Sleep(time.Hour - time.Second)
			if _, err := r.VerifyLogout(t.Context(), token); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second)
			_, err := r.VerifyLogout(t.Context(), token)
			wantError(t, err, providers.Invalid, "token has expired")
		})
	})
	t.Run("HS256 where it is named", func(t *testing.T) {
		r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
			c.Algorithms, c.ClientSecret = []string{"HS256"}, providers.NewSecret(hmacSecret)
		})
		if _, err := r.VerifyLogout(t.Context(), r.logoutToken(signedBy("HS256", providertest.HMAC([]byte(hmacSecret))))); err != nil {
			t.Error(err)
		}
	})
}

// TestLogoutTokenOfAProviderThatLeavesOutTheExpiry: Hydra's are good for two
// minutes from when they were issued, and those that do say more are held to it.
func TestLogoutTokenOfAProviderThatLeavesOutTheExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.Quirks = providers.Hydra("", "", providers.Secret{}).Quirks })
		token := r.logoutToken(without("exp"))
		time.Sleep(2*time.Minute - time.Second)
		if got, err := r.VerifyLogout(t.Context(), token); err != nil || !got.ExpiresAt.Equal(time.Now().Add(time.Second)) {
			t.Errorf("%+v, %v", got, err)
		}
		time.Sleep(time.Second)
		_, err := r.VerifyLogout(t.Context(), token)
		wantError(t, err, providers.Invalid, "token has expired")
		_, err = r.VerifyLogout(t.Context(), r.logoutToken(at("exp", -time.Second)))
		wantError(t, err, providers.Invalid, "token has expired")
		_, err = r.VerifyLogout(t.Context(), r.logoutToken(both(without("exp"), without("iat"))))
		wantError(t, err, providers.Invalid, "exp is missing")
		_, err = r.VerifyLogout(t.Context(), r.logoutToken(set("exp", nil)))
		wantError(t, err, providers.Invalid, "exp is missing or not a time")
	})
}

// TestJWT12NoTokenPassesForAnother: the provider signs all of these for the same
// client with the same key.
func TestJWT12NoTokenPassesForAnother(t *testing.T) {
	r := newRig(t, providertest.Config{AccessTokens: providertest.JWT})
	login := r.signIn()

	_, err := r.VerifyLogout(t.Context(), login.Tokens.IDToken)
	wantError(t, err, providers.Invalid, "events is missing")
	_, err = r.VerifyLogout(t.Context(), login.Tokens.AccessToken)
	wantError(t, err, providers.Invalid, "typ is not that of a logout token")

	aboutHer := set("sub", login.Identity.Subject)
	_, err = r.VerifyRefreshed(t.Context(), r.logoutToken(aboutHer), login.Identity)
	wantError(t, err, providers.Invalid, "typ is not that of an ID token")
	_, err = r.VerifyRefreshed(t.Context(), r.logoutToken(both(aboutHer, typ("JWT"))), login.Identity)
	wantError(t, err, providers.Invalid, "token tells of events")
}

// TestJWT8LogoutTokenOfAnotherTenant: the rule about issuers is that of ID tokens.
func TestJWT8LogoutTokenOfAnotherTenant(t *testing.T) {
	const tenant, other = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
	const template = "https://op.example/{tenantid}/v2.0"
	issuerOf := func(tid string) string { return strings.Replace(template, "{tenantid}", tid, 1) }
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) {
		c.Issuer, c.Tenants = template, []string{tenant}
		c.DiscoveryURL = "https://op.example/.well-known/openid-configuration"
	})
	verify := func(tid, iss string) (providers.Logout, error) {
		r.op.Mutate(providertest.Mutations{
			Discovery:   func(doc map[string]any) { doc["issuer"] = template },
			JWKS:        func(set map[string]any) { set["keys"].([]any)[0].(map[string]any)["issuer"] = issuerOf(tenant) },
			LogoutToken: both(set("tid", tid), set("iss", iss)),
		})
		return r.VerifyLogout(t.Context(), providers.NewSecret(r.op.LogoutToken(providertest.ClientID, "alice", "")))
	}
	if got, err := verify(tenant, issuerOf(tenant)); err != nil || got.Issuer != issuerOf(tenant) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err := verify(other, issuerOf(other))
	wantError(t, err, providers.Invalid, "tid is not an allowed tenant")
	_, err = verify(tenant, issuerOf(other))
	wantError(t, err, providers.Invalid, "iss is not")
}

// TestLogoutTokenNamesTheIdentitysIssuer: under an alias of the issuer, too, the
// sessions are those of the issuer.
func TestLogoutTokenNamesTheIdentitysIssuer(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.Quirks.IssuerAliases = []string{"op.example"} })
	got, err := r.VerifyLogout(t.Context(), r.logoutToken(set("iss", "op.example")))
	if err != nil || got.Issuer != "https://op.example" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestDOS8FloodOfLogoutTokens: what a claim refuses costs nothing, and of
// forgeries that only the signature gives away all together cost two fetches of
// the keys in a minute.
func TestDOS8FloodOfLogoutTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		forgery := r.logoutToken(both(without("events"), header("kid", "unknown")))
		for range 1_000 {
			_, err := r.VerifyLogout(t.Context(), forgery)
			wantError(t, err, providers.Invalid, "events is missing")
		}
		if n := len(r.op.Stats().Requests); n != 0 {
			t.Errorf("%v for tokens that need no key to be refused", r.op.Stats().Requests)
		}
		forgery = r.logoutToken(header("kid", "unknown"))
		for i := range 1_000 {
			_, err := r.VerifyLogout(t.Context(), forgery)
			wantError(t, err, providers.Invalid, "signature does not verify")
			if i%100 == 0 {
				time.Sleep(5 * time.Second)
			}
		}
		if n := r.op.Stats().Requests[providertest.JWKS]; n > 2 {
			t.Errorf("%d fetches of the keys in a minute, at most 2 allowed", n)
		}
		if _, err := r.VerifyLogout(t.Context(), r.logoutToken(nil)); err != nil {
			t.Errorf("the honest provider meanwhile: %v", err)
		}
	})
}

// TestLogoutTokenWhileTheKeysCannotBeHad: nobody can know, so nobody says that
// the token is bad.
func TestLogoutTokenWhileTheKeysCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		heal := r.op.Fail(providertest.JWKS, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"7"}}})
		token := r.logoutToken(nil)
		_, err := r.VerifyLogout(t.Context(), token)
		if e := wantError(t, err, providers.Unready, "status 503"); e.RetryAfter != 7*time.Second {
			t.Errorf("retry after %v", e.RetryAfter)
		}
		heal()
		time.Sleep(7 * time.Second)
		if _, err := r.VerifyLogout(t.Context(), token); err != nil {
			t.Error(err)
		}
	})
	t.Run("a new key signs", func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		if _, err := r.VerifyLogout(t.Context(), r.logoutToken(nil)); err != nil {
			t.Fatal(err)
		}
		r.op.RotateKeys()
		if _, err := r.VerifyLogout(t.Context(), r.logoutToken(nil)); err != nil {
			t.Errorf("IDP8: %v", err)
		}
	})
}

// event makes name the only event, with this value.
func event(name string, value any) func(*providertest.Draft) {
	return set("events", map[string]any{name: value})
}

// decoded is a part of a token in the clear, empty where it is none.
func decoded(part string) string {
	b, _ := base64.RawURLEncoding.DecodeString(part)
	return string(b)
}
