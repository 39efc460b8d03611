package session_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

var (
	key32 = bytes.Repeat([]byte{1}, 32)
	key48 = bytes.Repeat([]byte{2}, 48)
	key64 = bytes.Repeat([]byte{3}, 64)
)

const issuer = "https://app.example/"

// signing is a configuration with session tokens.
func signing(keys ...[]byte) func(*session.Config) {
	return func(c *session.Config) { c.SigningKeys, c.TokenIssuer = keys, issuer }
}

// token starts a session for a program and returns its token.
func (h *house) token() string {
	h.t.Helper()
	s, err := h.StartToken(h.t.Context(), h.login())
	if err != nil {
		h.t.Fatal(err)
	}
	return h.tokenOf(s)
}

func (h *house) tokenOf(s *session.Session) string {
	h.t.Helper()
	token, err := h.SessionToken(s)
	if err != nil {
		h.t.Fatal(err)
	}
	return token.Reveal()
}

// program is a request that sends a session token, and cookies.
func program(token string, cookies ...string) *http.Request {
	r := request(cookies...)
	r.Header.Set("X-ZUMO-AUTH", token)
	return r
}

// forge makes a token by hand.
func forge(header, payload string, h func() hash.Hash, key []byte) string {
	text := encode(header) + "." + encode(payload)
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func encode(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decode(t *testing.T, part string) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const hs256 = `{"typ":"JWT","alg":"HS256"}`

// Contract 3.2: header, members and their order, algorithm by the length of the key.
func TestSessionTokenIsTheOneOfAppService(t *testing.T) {
	for _, tt := range []struct {
		alg  string
		hash func() hash.Hash
		key  []byte
	}{
		{"HS256", sha256.New, key32}, {"HS384", sha512.New384, key48[:33]}, {"HS384", sha512.New384, key48},
		{"HS512", sha512.New, key64[:49]}, {"HS512", sha512.New, key64},
	} {
		t.Run(fmt.Sprint(tt.alg, len(tt.key)), func(t *testing.T) {
			story(t, signing(tt.key), func(t *testing.T, h *house) {
				time.Sleep(1500 * time.Millisecond)
				s, err := h.StartToken(t.Context(), h.login())
				if err != nil {
					t.Fatal(err)
				}
				header := `{"typ":"JWT","alg":"` + tt.alg + `"}`
				payload := fmt.Sprintf(`{"sub":%q,"idp":"op","ver":"4","iss":%q,"aud":%[2]q,"exp":%d,"nbf":%d,"jti":%q}`,
					s.User.SID(), issuer, start.Unix()+8*3600+1, start.Unix()+1, s.ID)
				got := h.tokenOf(s)
				if want := forge(header, payload, tt.hash, tt.key); got != want {
					parts := strings.Split(got, ".")
					t.Errorf("token of %s and %s,\nwant %s and %s", decode(t, parts[0]), decode(t, parts[1]), header, payload)
				}
				if back := h.load(program(got)); back.ID != s.ID || back.Carrier() != session.Token || back.State() != session.Active {
					t.Errorf("loaded %v by %v, %v", back, back.Carrier(), back.State())
				}
			})
		})
	}
}

// JWT1, JWT2, JWT4, JWT6, JWT7, JWT9, JWT16: who made the token is decided by our
// keys, and what it says by the session that it names.
func TestSessionTokenOfSomebodyElsesMaking(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		mine, err := h.StartToken(t.Context(), h.login())
		if err != nil {
			t.Fatal(err)
		}
		bob, err := h.StartToken(t.Context(), h.loginAs("bob", "one"))
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.tokenOf(mine), ".")
		payload := decode(t, parts[1])
		var says map[string]any
		if err := json.Unmarshal([]byte(payload), &says); err != nil {
			t.Fatal(err)
		}
		with := func(name string, value any) string {
			changed := make(map[string]any)
			for k, v := range says {
				changed[k] = v
			}
			if changed[name] = value; value == nil {
				delete(changed, name)
			}
			b, _ := json.Marshal(changed)
			return forge(hs256, string(b), sha256.New, key32)
		}
		if s := h.load(program(with("extra", "member"))); s.ID != mine.ID {
			t.Fatal("the forger of this test is no good")
		}
		for _, tt := range []struct{ name, token string }{
			{"empty", ""},
			{"no token", "token"},
			{"two dots", ".."},
			{"JWT1 signature stripped", parts[0] + "." + parts[1] + "."},
			{"JWT1 no signature", parts[0] + "." + parts[1]},
			{"JWT1 alg none", encode(`{"typ":"JWT","alg":"none"}`) + "." + parts[1] + "."},
			{"JWT2 another algorithm with the same key", forge(`{"typ":"JWT","alg":"HS512"}`, payload, sha512.New, key32)},
			{"JWT2 another key", forge(hs256, payload, sha256.New, key48[:32])},
			{"JWT4 header with jwk", forge(`{"typ":"JWT","alg":"HS256","jwk":{}}`, payload, sha256.New, key32)},
			{"header in another order", forge(`{"alg":"HS256","typ":"JWT"}`, payload, sha256.New, key32)},
			{"payload changed", parts[0] + "." + encode(strings.Replace(payload, mine.ID, bob.ID, 1)) + "." + parts[2]},
			{"signature with padding", strings.Join(parts, ".") + "="},
			{"white space", " " + strings.Join(parts, ".")},
			{"one part more", strings.Join(parts, ".") + ".x"},
			{"JWT6 another audience", with("aud", "https://other.example/")},
			{"JWT7 another issuer", with("iss", "https://app.example")},
			{"another version", with("ver", "3")},
			{"another provider", with("idp", "google")},
			{"somebody else's session", with("jti", bob.ID)},
			{"somebody else", with("sub", bob.User.SID())},
			{"no session", with("jti", nil)},
			{"a session that nobody has", with("jti", strings.Repeat("A", 43))},
			{"JWT9 no end", with("exp", nil)},
			{"JWT9 end before the beginning", with("nbf", start.Unix()+9*3600)},
			{"JWT9 end before the beginning, in its grace", with("exp", start.Unix()-3600)},
			{"JWT9 not yet", with("nbf", start.Unix()+120)},
			{"JWT9 end as text", with("exp", "9999999999")},
			{"no JSON", forge(hs256, "{", sha256.New, key32)},
			{"JWT13 64 kB", with("extra", strings.Repeat("a", 64<<10))},
		} {
			if s, err := h.Load(program(tt.token)); s != nil || !errors.Is(err, session.ErrNone) {
				t.Errorf("%s: %v, %v; want ErrNone", tt.name, s, err)
			}
		}
	})
}

// HDR6: what the one reader takes for the first the other may take for the last.
func TestSessionTokenSentTwiceIsNone(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		r := program(h.token())
		r.Header.Add("X-ZUMO-AUTH", h.token())
		h.wantNone(r)
	})
}

// Contract 1.11: a program that sends a token must not be somebody else because
// of a cookie.
func TestSessionTokenDecidesOverTheCookie(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		cookie := h.browserOf("bob", "one").Header.Get("Cookie")
		if s := h.load(program(h.token(), cookie)); s.User.ID != "alice" {
			t.Errorf("token and cookie: %v", s.User.ID)
		}
		h.wantNone(program("no token", cookie))
		h.wantNone(program("", cookie))
	})
	story(t, nil, func(t *testing.T, h *house) {
		cookie := h.browserOf("bob", "one").Header.Get("Cookie")
		if s := h.load(program("whatever this is", cookie)); s.User.ID != "bob" || s.Carrier() != session.Cookie {
			t.Errorf("without signing keys: %v by %v, want bob by his cookie", s.User.ID, s.Carrier())
		}
	})
}

// CDL7: a token lives and dies with its session, and with no other.
func TestCDL7SessionTokenEndsWithItsSession(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(h *house, s *session.Session) error
		left string // of the session, and of another one of the same user
	}{
		{"logout", func(h *house, s *session.Session) error { return h.End(h.t.Context(), s) }, "01"},
		{"by an administrator", func(h *house, s *session.Session) error { return h.EndSession(h.t.Context(), s.ID) }, "01"},
		{"everywhere", func(h *house, s *session.Session) error { _, err := h.EndAll(h.t.Context(), s.User); return err }, "00"},
		{"everywhere else", func(h *house, s *session.Session) error { _, err := h.EndOthers(h.t.Context(), s); return err }, "10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, signing(key32), func(t *testing.T, h *house) {
				one, two := program(h.token()), program(h.token())
				if err := tt.end(h, h.load(one)); err != nil {
					t.Fatal(err)
				}
				if left := h.signedIn(one, two); left != tt.left {
					t.Errorf("signed in %s, want %s", left, tt.left)
				}
			})
		})
	}
	t.Run("idle", func(t *testing.T) {
		story(t, func(c *session.Config) { signing(key32)(c); c.IdleTimeout = time.Hour }, func(t *testing.T, h *house) {
			used, unused := program(h.token()), program(h.token())
			for range 3 {
				time.Sleep(40 * time.Minute)
				h.Touch(t.Context(), h.load(used))
			}
			if left := h.signedIn(used, unused); left != "10" {
				t.Errorf("signed in %s, want 10", left)
			}
		})
	})
}

// Contract 1.8: after its end a token is good for one thing, until the grace
// period is over, and gives a token that is good for everything.
func TestSessionTokenThatRanOut(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		old := program(h.token())
		time.Sleep(8*time.Hour - time.Second)
		last := h.load(old)
		if last.State() != session.Active {
			t.Fatalf("a second before: %v", last.State())
		}
		time.Sleep(time.Second)
		if _, err := h.SessionToken(last); !errors.Is(err, session.ErrNone) {
			t.Errorf("azure-mobile-apps#44: a token that is dead before it arrives, %v", err)
		}
		s := h.load(old)
		if s.State() != session.Grace {
			t.Fatalf("at its end: %v", s.State())
		}
		if _, err := h.SessionToken(s); !errors.Is(err, session.ErrNone) {
			t.Errorf("token of a session in its grace: %v", err)
		}
		renewed, err := h.Refresh(t.Context(), s)
		if err != nil || renewed.State() != session.Active || renewed.Carrier() != session.Token || renewed.User.SID() != s.User.SID() {
			t.Fatalf("refreshed to %v, %v", renewed, err)
		}
		fresh := program(h.tokenOf(renewed))
		if s := h.load(fresh); s.State() != session.Active || s.ID != renewed.ID {
			t.Errorf("the new token: %v, %v", s, s.State())
		}

		// The session lives again; the old token is still past its end.
		s = h.load(old)
		if token, err := h.SessionToken(s); !errors.Is(err, session.ErrNone) {
			t.Errorf("the old token was changed into %v without a refresh, %v", token, err)
		}
		if s.State() != session.Grace || !s.GraceUntil.Equal(start.Add(80*time.Hour)) {
			t.Errorf("the old token: %v until %v", s.State(), s.GraceUntil)
		}
		for range 9 {
			time.Sleep(8 * time.Hour)
			renewed, err = h.Refresh(t.Context(), h.load(fresh))
			if err != nil {
				t.Fatal(err)
			}
			fresh = program(h.tokenOf(renewed))
		}
		h.wantNone(old)
		if s := h.load(fresh); s.ID != renewed.ID {
			t.Errorf("and the session goes on: %v", s)
		}
	})
}

// A refresh that is refused in vain by a token past its end costs no session
// that lives.
func TestRefreshWithAnOldTokenDoesNotEndALivingSession(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		old := program(h.token())
		time.Sleep(9 * time.Hour)
		renewed, err := h.Refresh(t.Context(), h.load(old))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		h.op.refuse = revoked
		if _, err := h.Refresh(t.Context(), h.load(old)); !errors.Is(err, grant.ErrReauthRequired) {
			t.Fatal(err)
		}
		if s := h.load(program(h.tokenOf(renewed))); s.ID != renewed.ID {
			t.Errorf("%v", s)
		}
	})
}

// STO3: keys are replaced without signing anybody out.
func TestSigningKeysAreRotated(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		before := h.token()
		replica := func(keys ...[]byte) *session.Manager {
			m, err := session.NewManager(session.Config{Store: h.count, Providers: []providers.Provider{h.op}, SigningKeys: keys, TokenIssuer: issuer})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { m.Close() })
			return m
		}
		both := replica(key64, key32)
		s, err := both.Load(program(before))
		if err != nil {
			t.Fatal(err)
		}
		after, err := both.SessionToken(s)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := replica(key64).Load(program(after.Reveal())); err != nil || s.User.ID != "alice" {
			t.Errorf("the first key signs: %v, %v", s, err)
		}
		if _, err := replica(key64).Load(program(before)); !errors.Is(err, session.ErrNone) {
			t.Errorf("a key that is gone: %v", err)
		}
	})
}

func TestSessionTokenCostsOneReadAndAForgedOneNone(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		good, bad := program(h.token()), program(forge(hs256, `{}`, sha256.New, key48[:32]))
		h.count.Reset()
		h.load(good)
		if n := h.count.Counts(); n.Loads != 1 || n.Saves != 0 {
			t.Errorf("a token: %+v", n)
		}
		h.count.Reset()
		h.wantNone(bad)
		h.wantNone(program(forge(hs256, fmt.Sprintf(`{"ver":"4","iss":%q,"aud":%[1]q,"exp":%d,"nbf":1,"jti":"../x"}`, issuer, start.Unix()+60), sha256.New, key32)))
		if n := h.count.Counts(); n.Loads != 0 {
			t.Errorf("a forged one, or one for no session: %+v", n)
		}
	})
}

// LEA5: no dump shows the token, and none can be made of what the store holds.
func TestLEA5SessionTokenIsInNoDump(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		token := h.token()
		s := h.load(program(token))
		secret, _ := h.SessionToken(s)
		if said := fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s, secret); strings.Contains(said, strings.Split(token, ".")[2]) {
			t.Errorf("a dump tells %s", said)
		}
	})
}

func TestSessionTokenNeedsASession(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		for _, s := range []*session.Session{{}, h.Vouched("op", providers.Identity{Issuer: "i", Subject: "s"}, time.Now().Add(time.Hour))} {
			if token, err := h.SessionToken(s); !token.IsZero() || !errors.Is(err, session.ErrNone) {
				t.Errorf("%v: %v", s.Carrier(), err)
			}
		}
	})
	story(t, nil, func(t *testing.T, h *house) {
		s, err := h.StartToken(t.Context(), h.login())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.SessionToken(s); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("without keys: %v", err)
		}
	})
}

// A program says of no session that it is its own, and gets no cookie.
func TestTokenSessionEndsNoOther(t *testing.T) {
	story(t, signing(key32), func(t *testing.T, h *house) {
		browser := h.signIn()
		one, two := program(h.token()), program(h.token())
		s, err := h.StartToken(t.Context(), h.login())
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if h.WriteCookie(w, s); len(w.Result().Cookies()) > 0 {
			t.Error("it has a cookie")
		}
		if left := h.signedIn(browser, one, two); left != "111" {
			t.Errorf("signed in %s", left)
		}
		if _, err := h.StartToken(t.Context(), &providers.Login{Provider: "op", Identity: providers.Identity{Issuer: "https://op.example"}}); err == nil {
			t.Error("CVE-2026-42560: a session for nobody")
		}
	})
}

func TestSigningKeysThatAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name  string
		keys  [][]byte
		iss   string
		cause string
	}{
		{"too short for HS256", [][]byte{key32, key32[:31]}, issuer, "31 bytes refused"},
		{"no issuer", [][]byte{key32}, "", "TokenIssuer"},
		{"issuer without its slash", [][]byte{key32}, "https://app.example", "TokenIssuer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				m, err := session.NewManager(session.Config{Store: h.count, SigningKeys: tt.keys, TokenIssuer: tt.iss})
				if m != nil || err == nil || !strings.Contains(err.Error(), tt.cause) {
					t.Errorf("%v, want %s", err, tt.cause)
				}
			})
		})
	}
}
