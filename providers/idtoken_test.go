package providers_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestIDToken runs every defect of an ID token through both places where one
// comes in: the callback and a refresh. Where the defect tells of another
// identity, the refresh says so (Mismatch), because the session is then over.
func TestIDToken(t *testing.T) {
	for _, row := range []struct {
		name    string
		defect  func(*providertest.Draft)
		reason  string
		refresh string // the reason at a refresh, where it is a Mismatch
	}{
		{"G1 JWT9 no iat", without("iat"), "iat is missing", ""},
		{"G1 JWT9 iat an hour ahead", at("iat", time.Hour), "iat is in the future", ""},
		{"JWT9 iat beyond the leeway", at("iat", 62*time.Second), "iat is in the future", ""},
		{"JWT9 iat as a string", set("iat", "1700000000"), "iat is missing or not a time", ""},
		{"JWT9 no exp", without("exp"), "exp is missing", ""},
		{"JWT9 exp 30 s past", at("exp", -30*time.Second), "token has expired", ""},
		{"JWT9 exp 1 s past", at("exp", -time.Second), "token has expired", ""},
		{"JWT9 G6 exp as a string", set("exp", "4102444800"), "exp is missing or not a time", ""},
		{"JWT9 exp 1e300", set("exp", json.Number("1e300")), "exp is missing or not a time", ""},
		{"JWT9 exp negative", set("exp", -1), "exp is missing or not a time", ""},
		{"JWT9 exp null", set("exp", nil), "exp is missing or not a time", ""},
		{"JWT9 nbf in 10 min", at("nbf", 10*time.Minute), "nbf is in the future", ""},
		{"JWT9 nbf as a string", set("nbf", "1"), "nbf is not a time", ""},
		{"JWT19 auth_time as a string", set("auth_time", "1700000000"), "auth_time is not a time", ""},
		{"JWT19 auth_time in the future", at("auth_time", time.Hour), "auth_time is in the future", "-auth_time is not that of the original"},

		{"G2 JWT10 sub missing", without("sub"), "sub is missing", "sub differs"},
		{"G2 JWT10 sub empty", set("sub", ""), "sub is missing", "sub differs"},
		{"G2 sub of 256 characters", set("sub", strings.Repeat("x", 256)), "sub is not of 1 to 255", "sub differs"},
		{"G2 sub as a number", set("sub", 7), "sub is missing", "sub differs"},
		{"sub with a line break", set("sub", "a\nb"), "sub is not of 1 to 255", "sub differs"},
		{"sub that is not ASCII", set("sub", "jürgen"), "sub is not of 1 to 255", "sub differs"},

		{"G3 JWT6 aud other", set("aud", "other"), "aud is not this client", "aud differs"},
		{"G3 JWT6 aud missing", without("aud"), "aud is not this client", "aud differs"},
		{"G3 JWT6 aud empty list", set("aud", []string{}), "aud is not this client", "aud differs"},
		{"G3 JWT6 aud list of numbers", set("aud", []any{providertest.ClientID, 7}), "aud is not this client", "aud differs"},
		{"G3 JWT6 aud [cid, other] without azp", set("aud", []string{providertest.ClientID, "other"}), "azp is missing", ""},
		{"G3 JWT6 aud [cid, other] with azp other", both(set("aud", []string{providertest.ClientID, "other"}), set("azp", "other")), "azp is another client", ""},
		{"G3 JWT6 aud cid with azp other", set("azp", "other"), "azp is another client", ""},
		{"G3 JWT6 aud cid with azp null", set("azp", nil), "azp is another client", ""},

		{"JWT7 MIX4 iss of another provider", set("iss", "https://other.example"), "iss is not", "iss differs"},
		{"JWT7 iss with one more", claim("iss", plusOne), "iss is not", "iss differs"},
		{"JWT7 iss with a trailing slash", set("iss", "https://op.example/"), "iss is not", "iss differs"},
		{"JWT7 iss by http", set("iss", "http://op.example"), "iss is not", "iss differs"},
		{"JWT7 iss missing", without("iss"), "iss is not", "iss differs"},

		{"G5 JWT12 typ logout+jwt", typ("logout+jwt"), "typ is not that of an ID token", ""},
		{"G5 JWT12 typ at+jwt", typ("at+jwt"), "typ is not that of an ID token", ""},
		{"G5 typ as a number", func(d *providertest.Draft) { d.Header["typ"] = 7 }, "typ is not that of an ID token", ""},
		{"G5 events claim", set("events", map[string]any{}), "token tells of events", ""},
		{"G6 JWT16 AUD instead of aud", func(d *providertest.Draft) { d.Claims["AUD"] = d.Claims["aud"]; delete(d.Claims, "aud") }, "aud is not this client", "aud differs"},
		{"G6 JWT16 aud beside AUD", set("AUD", "app"), "token payload is malformed", ""},
		{"G6 JWT16 sub beside ſub", set("ſub", "mallory"), "token payload is malformed", ""},
		{"G6 JWT16 sub twice", insert(`"sub":"mallory",`), "token payload is malformed", ""},
		{"payload is not an object", func(d *providertest.Draft) { d.Payload = []byte(`["array"]`) }, "token payload is malformed", ""},
		{"payload is not UTF-8", insert("\"x\":\"\xff\","), "token payload is malformed", ""},
		{"payload with data after it", func(d *providertest.Draft) { d.Payload = append(mustJSONOf(d.Claims), '}') }, "token payload is malformed", ""},
		{"G7 JWT16 JSON serialization", raw(jsonSerialization), "token is not a JWT in compact form", ""},
		{"G7 JWT14 five parts as in a JWE", raw(func(s string) string { return s + ".x.y" }), "token is not a JWT in compact form", ""},
		{"G7 white space in the token", raw(func(s string) string { return s[:20] + "\n" + s[20:] }), "is malformed", ""},
		{"G7 white space in the signature", raw(func(s string) string { return s[:len(s)-5] + "\n" + s[len(s)-5:] }), "token has no signature", ""},
		{"JWT13 64 KiB and more", raw(func(s string) string { return s + strings.Repeat("A", 64<<10) }), "token is too long", ""},
		{"JWT13 a million dots", raw(func(string) string { return strings.Repeat(".", 60_000) }), "token is not a JWT in compact form", ""},
		{"JWT13 deep JSON", func(d *providertest.Draft) { d.Payload = []byte(strings.Repeat(`{"a":`, 9_000)) }, "token payload is malformed", ""},
		{"JWT13 1001 claims", manyClaims, "token payload is malformed", ""},

		{"JWT1 alg none", signedBy("none", providertest.Unsigned), "algorithm is not allowed", ""},
		{"JWT1 alg nOnE", signedBy("nOnE", providertest.Unsigned), "algorithm is not allowed", ""},
		{"JWT1 alg missing", func(d *providertest.Draft) { delete(d.Header, "alg") }, "algorithm is not allowed", ""},
		{"JWT1 signature stripped", func(d *providertest.Draft) { d.Sign = providertest.Unsigned }, "token has no signature", ""},
		{"JWT2 HS256 keyed with the client secret", signedBy("HS256", providertest.HMAC([]byte(providertest.ClientSecret))), "algorithm is not allowed", ""},
		{"JWT3 alg that nobody allowed", signedBy("ES384", nil), "algorithm is not allowed", ""},
		{"JWT4 unknown crit", header("crit", []string{"exp"}), "header demands an extension", ""},
		{"JWT4 crit null", header("crit", nil), "header demands an extension", ""},
		{"JWT5 kid as an object", header("kid", map[string]any{"a": 1}), "kid is not a string", ""},
		{"JWT5 kid as a path", header("kid", "../../etc/passwd"), "signature does not verify", ""},
		{"JWT5 kid of 40 kB", header("kid", strings.Repeat("k", 40_000)), "signature does not verify", ""},
		{"JWT15 ECDSA with r=s=0", func(d *providertest.Draft) { d.Sign = func([]byte) []byte { return make([]byte, 64) } }, "signature does not verify", ""},
		{"JWT15 ECDSA signature of one byte", func(d *providertest.Draft) { d.Sign = func([]byte) []byte { return []byte{1} } }, "signature does not verify", ""},
		{"signature of another payload", func(d *providertest.Draft) { d.Sign = nil; d.Raw = swapPayload }, "signature does not verify", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				login := r.signIn()
				r.mutateIDToken(row.defect)

				_, err := r.attempt()
				wantError(t, err, providers.Invalid, row.reason)

				tokens, err := r.refresh(login.Tokens.RefreshToken)
				if err != nil {
					t.Fatal(err)
				}
				_, err = r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity)
				switch reason, invalid := strings.CutPrefix(row.refresh, "-"); {
				case row.refresh == "":
					wantError(t, err, providers.Invalid, row.reason)
				case invalid:
					wantError(t, err, providers.Invalid, reason)
				default:
					wantError(t, err, providers.Mismatch, reason)
				}
			})
		})
	}
}

// TestIDTokenIsAccepted holds the other side of the rules above.
func TestIDTokenIsAccepted(t *testing.T) {
	for _, row := range []struct {
		name string
		same func(*providertest.Draft)
	}{
		{"aud as a list of one", set("aud", []string{providertest.ClientID})},
		{"aud of several with our azp", both(set("aud", []string{"other", providertest.ClientID}), set("azp", providertest.ClientID))},
		{"azp of our own", set("azp", providertest.ClientID)},
		{"iat within the leeway", at("iat", 58*time.Second)},
		{"iat as a float", func(d *providertest.Draft) { d.Claims["iat"] = float64(time.Now().Unix()) + 0.5 }},
		{"nbf within the leeway", at("nbf", 58*time.Second)},
		{"exp after 2038", set("exp", 4_102_444_800)},
		{"no typ", func(d *providertest.Draft) { delete(d.Header, "typ") }},
		{"typ in lower case", typ("jwt")},
		{"no kid", func(d *providertest.Draft) { delete(d.Header, "kid") }},
		{"JWT4 jku and x5u are not looked at", func(d *providertest.Draft) {
			d.Header["jku"], d.Header["x5u"] = "https://evil.example/keys", "https://evil.example/cert"
		}},
		{"no at_hash", without("at_hash")},
		{"sub of 255 characters", func(d *providertest.Draft) {
			if d.GrantType == "authorization_code" {
				d.Claims["sub"] = strings.Repeat("x", 255)
			}
		}},
		{"distributed claims", both(set("_claim_names", map[string]string{"groups": "src1"}),
			set("_claim_sources", map[string]any{"src1": map[string]string{"endpoint": "https://evil.example/groups"}}))},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				r.mutateIDToken(row.same)
				r.signIn()
			})
		})
	}
}

func TestEveryAlgorithmOfTheDefaultVerifies(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			newRig(t, providertest.Config{Algorithm: alg}).signIn() // at_hash included
		})
	}
	for alg, curve := range map[string]elliptic.Curve{"ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		t.Run(alg+" where it is named", func(t *testing.T) {
			key, err := ecdsa.GenerateKey(curve, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			point, err := key.PublicKey.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			n := len(point) / 2
			r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.Algorithms = []string{alg} })
			r.op.Mutate(providertest.Mutations{
				JWKS: func(set map[string]any) {
					set["keys"] = []any{map[string]any{"kty": "EC", "crv": curve.Params().Name, "x": b64(point[1 : 1+n]), "y": b64(point[1+n:])}}
				},
				IDToken: both(without("at_hash"), func(d *providertest.Draft) {
					d.Header = map[string]any{"alg": alg}
					d.Sign = func(input []byte) []byte {
						digest := map[string]func([]byte) []byte{
							"ES384": func(b []byte) []byte { h := sha512.Sum384(b); return h[:] },
							"ES512": func(b []byte) []byte { h := sha512.Sum512(b); return h[:] },
						}[alg](input)
						x, y, err := ecdsa.Sign(rand.Reader, key, digest)
						if err != nil {
							panic(err)
						}
						return append(x.FillBytes(make([]byte, n)), y.FillBytes(make([]byte, n))...)
					}
				}),
			})
			r.signIn()
		})
	}
	t.Run("HS256 where it is named", func(t *testing.T) {
		r := newRig(t, providertest.Config{Clients: []providertest.Registration{{ID: providertest.ClientID, Secret: hmacSecret}}},
			func(c *providers.OIDCConfig) {
				c.Algorithms, c.ClientSecret = []string{"HS256"}, providers.NewSecret(hmacSecret)
			})
		r.mutateIDToken(signedBy("HS256", providertest.HMAC([]byte(hmacSecret))))
		r.signIn()
		if n := r.op.Stats().Requests[providertest.JWKS]; n != 0 {
			t.Errorf("%d fetches of keys that are not needed", n)
		}
	})
}

// TestJWT2HMACKeyedWithThePublicKey: HS256 is allowed beside RS256, and the
// attacker signs with what everybody can read.
func TestJWT2HMACKeyedWithThePublicKey(t *testing.T) {
	r := newRig(t, providertest.Config{Clients: []providertest.Registration{{ID: providertest.ClientID, Secret: hmacSecret}}},
		func(c *providers.OIDCConfig) {
			c.Algorithms, c.ClientSecret = []string{"ES256", "HS256"}, providers.NewSecret(hmacSecret)
		})
	der, err := x509.MarshalPKIXPublicKey(r.op.PublicKey().(*ecdsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	r.mutateIDToken(signedBy("HS256", providertest.HMAC(der)))
	_, err = r.attempt()
	wantError(t, err, providers.Invalid, "signature does not verify with the client secret")
}

// TestJWT4KeyInTheHeader: the token brings its own key.
func TestJWT4KeyInTheHeader(t *testing.T) {
	r := newRig(t, providertest.Config{})
	attacker := providertest.New(providertest.Config{Algorithm: "ES256"})
	key := attacker.PublicKey().(*ecdsa.PublicKey)
	point, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r.mutateIDToken(func(d *providertest.Draft) {
		d.Header["jwk"] = map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
		d.Sign = attacker.Sign
	})
	_, err = r.attempt()
	wantError(t, err, providers.Invalid, "signature does not verify with any published key")
}

// TestJWT13HostileTokensAreRefusedCheaply measures what a token costs that was
// made to be expensive.
func TestJWT13HostileTokensAreRefusedCheaply(t *testing.T) {
	r := newRig(t, providertest.Config{})
	was := r.signIn().Identity
	head := b64([]byte(`{"alg":"ES256"}`)) + "."
	claims := bytes.NewBufferString("{")
	for i := range 5_000 {
		fmt.Fprintf(claims, `"c%d":0,`, i)
	}
	for name, token := range map[string]string{
		"1 MB":            head + strings.Repeat("A", 1<<20) + ".AAAA",
		"10^6 dots":       strings.Repeat(".", 1_000_000),
		"deep JSON":       head + b64([]byte(strings.Repeat("[", 40_000))) + ".AAAA",
		"deep claim":      head + b64([]byte(`{"a":`+strings.Repeat("[", 40_000))) + ".AAAA",
		"5000 claims":     head + b64(append(claims.Bytes(), `"z":0}`...)) + ".AAAA",
		"long everything": strings.Repeat("A", 1<<16),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			_, err := r.VerifyRefreshed(t.Context(), providers.NewSecret(token), was)
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			wantError(t, err, providers.Invalid, "token ")
			if took > 10*time.Millisecond && !raceEnabled {
				t.Errorf("took %v", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
				t.Errorf("allocated %d bytes", used)
			}
		})
	}
}

// TestJWT18RefreshedTokenOfAnotherSignIn: nonce and auth_time may be missing at
// a refresh, but not be those of another sign-in (OpenID Connect Core 12.2).
func TestJWT18RefreshedTokenOfAnotherSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{Rotation: providertest.Reusable})
		login := r.signIn()
		verify := func(defect func(*providertest.Draft)) error {
			t.Helper()
			r.mutateIDToken(defect)
			tokens, err := r.refresh(login.Tokens.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity)
			return err
		}
		wantError(t, verify(set("nonce", "of another sign-in")), providers.Invalid, "nonce is not that of the original")
		wantError(t, verify(at("auth_time", -time.Hour)), providers.Invalid, "auth_time is not that of the original")
		for name, same := range map[string]func(*providertest.Draft){
			"the same nonce": set("nonce", login.Identity.Claims.String("nonce")),
			"no auth_time":   without("auth_time"),
			"untouched":      nil,
		} {
			if err := verify(same); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestJWT18RefreshedIdentityIsTheNewOne: claims follow the provider (SES8).
func TestJWT18RefreshedIdentityIsTheNewOne(t *testing.T) {
	r := newRig(t, providertest.Config{})
	login := r.signIn()
	r.op.SetUser(providertest.User{Name: "alice", Claims: map[string]any{"name": "Alice Married"}})
	tokens, err := r.refresh(login.Tokens.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity)
	if err != nil || identity.Claims.String("name") != "Alice Married" || identity.Subject != login.Identity.Subject {
		t.Errorf("%v, %v", identity, err)
	}
}

func set(name string, value any) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Claims[name] = value }
}

// at is a time claim so far from now.
func at(name string, offset time.Duration) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Claims[name] = time.Now().Add(offset).Unix() }
}

func both(defects ...func(*providertest.Draft)) func(*providertest.Draft) {
	return func(d *providertest.Draft) {
		for _, defect := range defects {
			defect(d)
		}
	}
}

func header(name string, value any) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Header[name] = value }
}

func typ(value string) func(*providertest.Draft) { return header("typ", value) }

func signedBy(name string, sign func([]byte) []byte) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Header["alg"], d.Sign = name, sign }
}

func raw(change func(string) string) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Raw = change }
}

// insert puts a member in front of the payload's others.
func insert(member string) func(*providertest.Draft) {
	return func(d *providertest.Draft) { d.Payload = []byte("{" + member + string(mustJSONOf(d.Claims))[1:]) }
}

func manyClaims(d *providertest.Draft) {
	for i := range 1001 {
		d.Claims[fmt.Sprintf("c%d", i)] = 0
	}
}

func jsonSerialization(token string) string {
	parts := strings.Split(token, ".")
	return fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])
}

// swapPayload keeps header and signature and says something slightly else.
func swapPayload(token string) string {
	parts := strings.Split(token, ".")
	payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
	changed := bytes.Replace(payload, []byte(`alice@example.com`), []byte(`mallory@evil.exam`), 1)
	return parts[0] + "." + b64(changed) + "." + parts[2]
}

func mustJSONOf(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
