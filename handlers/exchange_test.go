package handlers_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// alice is who the stub signs in, as the session manager names users.
var alice = session.User{Provider: "aad", Issuer: "https://op.example", ID: "alice"}

// vectors are the verifiers and challenges of the SDKs' own tests.
func vectors(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/contract15.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pairs := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if verifier, challenge, ok := strings.Cut(lines.Text(), "\t"); ok && !strings.HasPrefix(verifier, "#") {
			pairs[verifier] = challenge
		}
	}
	if len(pairs) < 2 {
		t.Fatalf("only %d vectors", len(pairs))
	}
	return pairs
}

// codeFor signs alice in with a challenge, as a mobile SDK does, and returns the code.
func codeFor(t *testing.T, s *site, challenge string) string {
	t.Helper()
	w := land(t, s.visitor(), "/.auth/login/aad?post_login_redirect_url="+callback+"&code_challenge="+challenge+"&code_challenge_method=S256&session_mode=token")
	code := fragmentOf(t, w, callback+"/", "authorization_code")
	if len(w.Result().Cookies()) != 1 || len(code) > 512 {
		t.Errorf("cookies %v, code of %d bytes", w.Result().Cookies(), len(code))
	}
	return code
}

func (s *site) exchange(code, verifier string) *httptest.ResponseRecorder {
	return s.program("GET", "/.auth/login/aad/token?authorization_code="+url.QueryEscape(code)+"&code_verifier="+url.QueryEscape(verifier), "")
}

// aliceSessions is how many sessions alice has.
func aliceSessions(t *testing.T, s *site) int {
	t.Helper()
	list, err := s.sessions.Sessions(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestContract15CodeIsTradedForTheSessionToken(t *testing.T) {
	for verifier, standard := range vectors(t) {
		urlSafe := strings.NewReplacer("+", "-", "/", "_").Replace(standard)
		for name, challenge := range map[string]string{
			"as the SDKs write it":   url.QueryEscape(standard),
			"unescaped":              standard,
			"without padding":        url.QueryEscape(strings.TrimRight(standard, "=")),
			"URL-safe":               urlSafe,
			"URL-safe, no padding":   strings.TrimRight(urlSafe, "="),
			"mixed with parameters ": url.QueryEscape(standard) + "&login_hint=a",
		} {
			t.Run(verifier+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := tokenSite(t, setup{})
					w := s.exchange(codeFor(t, s, challenge), verifier)
					if w.Code != 200 || len(w.Result().Cookies()) != 0 || w.Header().Get("Cache-Control") != "no-store" {
						t.Fatalf("status %d: %s", w.Code, w.Body)
					}
					token := signedInBy(t, s, w.Body.String(), "alice")
					time.Sleep(5 * time.Minute) // nothing ends what was traded
					if _, err := s.sessions.LoadToken(t.Context(), token); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// iOS asks with a challenge and without a session_mode.
func TestContract15ChallengeMeansTokenMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		w := land(t, v, "/.auth/login/aad?post_login_redirect_url="+callback+"&code_challenge=4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=&code_challenge_method=S256")
		signedInBy(t, s, s.exchange(fragmentOf(t, w, callback+"/", "authorization_code"), "67890").Body.String(), "alice")
		if len(v.cookies) != 0 {
			t.Errorf("cookies %v", v.cookies)
		}
	})
}

// A verifier of the SDKs has plus signs, which not all of them escape.
func TestContract15VerifierWithUnescapedPlusSigns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		const verifier = "a+b/c+d=="
		sum := sha256.Sum256([]byte(verifier))
		code := codeFor(t, s, url.QueryEscape(base64.StdEncoding.EncodeToString(sum[:])))
		w := s.program("GET", "/.auth/login/aad/token?authorization_code="+code+"&code_verifier="+verifier, "")
		signedInBy(t, s, w.Body.String(), "alice")
	})
}

func TestContract15WrongVerifierSpendsTheCodeAndEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		refusedProgram(t, s.exchange(code, "abcde"), 400, "sign_in_invalid")
		refusedProgram(t, s.exchange(code, "67890"), 400, "attempt_used")
		if n := aliceSessions(t, s); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// Whoever finds a code afterwards, in a log or in the history of a browser, does no
// harm by it.
func TestContract15CodeThatWasTradedEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		token := signedInBy(t, s, s.exchange(code, "67890").Body.String(), "alice")
		refusedProgram(t, s.exchange(code, "abcde"), 400, "sign_in_invalid")
		refusedProgram(t, s.exchange(code, "67890"), 400, "attempt_used")
		if _, err := s.sessions.LoadToken(t.Context(), token); err != nil {
			t.Errorf("the session is over: %v", err)
		}
	})
}

func TestContract15CodeIsGoodForOneMinuteAndItsSessionNoLonger(t *testing.T) {
	for after, fine := range map[time.Duration]bool{time.Minute: true, time.Minute + 2*time.Second: false} {
		synctest.Test(t, func(t *testing.T) {
			s := tokenSite(t, setup{})
			code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
			time.Sleep(after)
			synctest.Wait()
			if w := s.exchange(code, "67890"); fine != (w.Code == 200) {
				t.Errorf("after %s: status %d: %s", after, w.Code, w.Body)
			}
			if n := aliceSessions(t, s); fine != (n == 1) {
				t.Errorf("after %s: %d sessions", after, n)
			}
		})
	}
}

// REP1-REP3: of copies that arrive at once, on two replicas, one is answered.
func TestContract15CodeIsSpentOnceOnEveryReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := tokenSite(t, setup{})
		two := tokenSite(t, setup{shared: one.counting})
		code := codeFor(t, one, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		var (
			wg       sync.WaitGroup
			mu       sync.Mutex
			statuses = map[int]int{}
		)
		for i := range 20 {
			wg.Go(func() {
				s := one
				if i%2 == 1 {
					s = two
				}
				w := s.exchange(code, "67890")
				mu.Lock()
				defer mu.Unlock()
				statuses[w.Code]++
			})
		}
		wg.Wait()
		if statuses[200] != 1 || statuses[400] != 19 || aliceSessions(t, one) != 1 {
			t.Errorf("statuses %v, %d sessions", statuses, aliceSessions(t, one))
		}
	})
}

func TestContract15WhatIsNoCodeIs400(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{providers: []providers.Provider{clientStub{stub: &stub{name: "aad"}}, clientStub{stub: &stub{name: "google"}}}})
		code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		token := s.clientLogin(t, "alice")
		for name, query := range map[string]string{
			"nothing":           "",
			"no verifier":       "authorization_code=" + code,
			"empty verifier":    "authorization_code=" + code + "&code_verifier=",
			"no code":           "code_verifier=67890",
			"two codes":         "authorization_code=" + code + "&authorization_code=" + code + "&code_verifier=67890",
			"two verifiers":     "authorization_code=" + code + "&code_verifier=67890&code_verifier=67890",
			"invented":          "authorization_code=invented&code_verifier=67890",
			"altered":           "authorization_code=" + code[:len(code)-4] + "AAAA&code_verifier=67890",
			"a megabyte":        "authorization_code=" + strings.Repeat("a", 1<<20) + "&code_verifier=67890",
			"session token":     "authorization_code=" + token + "&code_verifier=67890",
			"malformed":         "authorization_code=%zz&code_verifier=67890",
			"another provider ": "",
		} {
			path := "/.auth/login/aad/token?" + query
			if name == "another provider " { // MIX1
				path = "/.auth/login/google/token?authorization_code=" + code + "&code_verifier=67890"
			}
			if w := s.program("GET", path, ""); w.Code != 400 {
				t.Errorf("%s: status %d: %s", name, w.Code, w.Body)
			}
		}
		if w := s.exchange(code, "67890"); w.Code != 200 {
			t.Errorf("the code was spent by what was no use of it: %s", w.Body)
		}
	})
}

func TestContract15StoreThatIsDownSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		s.faulty.Fail(errors.New("connection refused"))
		refusedProgram(t, s.exchange(code, "67890"), 503, "store_unavailable")
		s.faulty.Heal()
		signedInBy(t, s, s.exchange(code, "67890").Body.String(), "alice")
	})
}

// LOG10: neither of the two sealed values opens as the other.
func TestLOG10CodeIsNoCookieAndNoSessionToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		code := codeFor(t, s, "4iF9Pk4SDGozcqGJDwPiMrNa1lnXH3piUBpO4gSj5m0=")
		v := s.visitor()
		v.cookies["__Host-easyauth"] = code
		if got := s.user(v.request("GET", "/")); got != "nobody" {
			t.Errorf("as a cookie it is %s", got)
		}
		if got := s.user(s.visitor().request("GET", "/", "X-ZUMO-AUTH", code)); got != "nobody" {
			t.Errorf("as a session token it is %s", got)
		}
	})
}
