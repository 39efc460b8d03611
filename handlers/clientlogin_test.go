package handlers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func TestContract14ClientSignsInWithTheProvidersToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		for name, path := range map[string]string{
			"as documented":                 "/.auth/login/aad",
			"with the query of JavaScript":  "/.auth/login/aad?access_type=offline",
			"in another case, as iOS sends": "/.auth/login/AAD",
			"under the SDKs' older name":    "/.auth/login/windowsazureactivedirectory",
		} {
			w := s.program("POST", path, `{"access_token":"alice"}`, "X-ZUMO-AUTH", "of.the.last", "X-ZUMO-VERSION", "ZUMO/2.0", "X-ZUMO-INSTALLATION-ID", "1")
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) != 0 {
				t.Errorf("%s: status %d, %v: %s", name, w.Code, w.Header(), w.Body)
			}
			signedInBy(t, s, w.Body.String(), "alice")
		}
	})
}

func TestContract14UserIDIsTheSameInEverySignInOfAUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		id := func(user string) string {
			var got loginJSON
			json.Unmarshal(s.program("POST", "/.auth/login/aad", `{"access_token":"`+user+`"}`).Body.Bytes(), &got)
			return got.User.UserID
		}
		if a := id("alice"); a != id("alice") || a == id("bob") {
			t.Errorf("user ids %s, %s, %s", a, id("alice"), id("bob"))
		}
	})
}

// CDL1-CDL5, CSR5, LOG14.
func TestContract14WhatIsNoSignInGetsItsStatus(t *testing.T) {
	const asJSON = "application/json"
	for name, row := range map[string]struct {
		body, media string
		status      int
		why         string
	}{
		"missing token":                    {`{"id_token":"x"}`, asJSON, 400, "bad_request"},
		"empty object":                     {`{}`, asJSON, 400, "bad_request"},
		"null token":                       {`{"access_token":null}`, asJSON, 400, "bad_request"},
		"forged token (CDL1)":              {`{"access_token":"forged"}`, asJSON, 401, "sign_in_invalid"},
		"token of somebody else (CDL4)":    {`{"access_token":"somebody else's"}`, asJSON, 401, "sign_in_invalid"},
		"user who may not come in":         {`{"access_token":"not allowed"}`, asJSON, 403, "forbidden"},
		"keys that cannot be had":          {`{"access_token":"no keys"}`, asJSON, 503, "provider_unavailable"},
		"no body":                          {"", asJSON, 400, "bad_request"},
		"array":                            {`[{"access_token":"a"}]`, asJSON, 400, "bad_request"},
		"string":                           {`"access_token"`, asJSON, 400, "bad_request"},
		"unfinished":                       {`{"access_token":"a"`, asJSON, 400, "bad_request"},
		"two objects":                      {`{"access_token":"a"}{}`, asJSON, 400, "bad_request"},
		"not UTF-8":                        {"{\"access_token\":\"\xff\"}", asJSON, 400, "bad_request"},
		"doubled member (CDL5)":            {`{"access_token":"a","access_token":"b"}`, asJSON, 400, "bad_request"},
		"doubled, with an escape (CDL5)":   {`{"access_token":"a","access\u005ftoken":"b"}`, asJSON, 400, "bad_request"},
		"doubled unknown member":           {`{"access_token":"a","x":1,"x":2}`, asJSON, 400, "bad_request"},
		"both spellings":                   {`{"access_token":"a","authentication_token":"b","authenticationToken":"c"}`, asJSON, 400, "bad_request"},
		"wrong type (CDL5)":                {`{"access_token":["a"]}`, asJSON, 400, "bad_request"},
		"number for a token":               {`{"access_token":1}`, asJSON, 400, "bad_request"},
		"lifetime that is none":            {`{"access_token":"a","expires_in":"soon"}`, asJSON, 400, "bad_request"},
		"negative lifetime":                {`{"access_token":"a","expires_in":-1}`, asJSON, 400, "bad_request"},
		"folded name is an unknown member": {`{"Access_Token":"a"}`, asJSON, 400, "bad_request"},
		"20,000 levels (CDL5)":             {`{"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, asJSON, 400, "bad_request"},
		"more than 64 KiB (CDL5)":          {`{"access_token":"` + strings.Repeat("a", 64<<10) + `"}`, asJSON, 413, "too_large"},
		"text (CSR5)":                      {`{"access_token":"a"}`, "text/plain", 415, "unsupported_media_type"},
		"form (CSR5)":                      {`access_token=a`, "application/x-www-form-urlencoded", 415, "unsupported_media_type"},
		"no type (LOG14)":                  {`{"access_token":"a"}`, "", 415, "unsupported_media_type"},
		"two types in one (CSR5)":          {`{"access_token":"a"}`, "text/plain; application/json", 415, "unsupported_media_type"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tokenSite(t, setup{})
				r := httptest.NewRequest("POST", app+"/.auth/login/aad", strings.NewReader(row.body))
				r.Header.Set("Content-Type", row.media)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				refusedProgram(t, w, row.status, row.why)
				if strings.Contains(w.Body.String()+s.logs.String(), row.body) && row.body != "" && row.body != "{}" {
					t.Error("the answer, or the log, repeats the body")
				}
			})
		})
	}
}

func TestContract14MembersReachTheProviderInEverySpelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for body, want := range map[string]string{
			`{"access_token":"a","expires_in":3599}`:                            "a 59m59s",
			`{"access_token":"a","expires_in":"3599"}`:                          "a 59m59s",
			`{"access_token":"a","expires_in":3599.7,"refresh_token":"r"}`:      "a r 59m59s",
			`{"access_token":"a","expires_in":null,"id_token":null}`:            "a 0s",
			`{"access_token":"a","expires_in":""}`:                              "a 0s",
			`{"access_token":"a","expires_in":1e300}`:                           "a 87600h0m0s",
			`{"access_token":"a","access_token_secret":"s"}`:                    "a s 0s",
			`{"authentication_token":"t"}`:                                      "t 0s",
			`{"authenticationToken":"t"}`:                                       "t 0s",
			`{"id_token":"i","authorization_code":"c","redirect_uri":"https:"}`: "i c https: 0s",
			`{"username":"u","password":"p"}`:                                   "u p 0s",
			`{"access_token":"a","more":{"access_token":"b"},"kind":[1,{}]}`:    "a 0s",
			" {\n\"access_token\" : \"\\u0061\"} \n":                            "a 0s",
		} {
			heard := &listener{stub: &stub{name: "aad"}}
			s := tokenSite(t, setup{providers: []providers.Provider{heard}})
			s.program("POST", "/.auth/login/aad", body)
			if heard.heard != want {
				t.Errorf("%s: the provider hears %q, want %q", body, heard.heard, want)
			}
		}
	})
}

func TestContract14ProviderWithoutClientSignInIs405(t *testing.T) {
	s := tokenSite(t, setup{})
	w := s.program("POST", "/.auth/login/github", `{"access_token":"a"}`)
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET" {
		t.Errorf("status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
	if w := s.program("POST", "/.auth/login/nobody", `{"access_token":"a"}`); w.Code != http.StatusNotFound {
		t.Errorf("unknown provider: status %d", w.Code)
	}
}

func TestContract14StoreThatIsDownIs503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		token := s.clientLogin(t, "alice")
		s.faulty.Fail(errors.New("connection refused"))
		refusedProgram(t, s.program("POST", "/.auth/login/aad", `{"access_token":"alice"}`), 503, "store_unavailable")
		refusedProgram(t, s.program("POST", "/.auth/login", `{"authenticationToken":"`+token+`"}`), 503, "store_unavailable")
	})
}

func TestContract14LiveSessionTokenIsTradedForANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		token := s.clientLogin(t, "alice")
		trade := func(body string) *httptest.ResponseRecorder { return s.program("POST", "/.auth/login", body) }
		time.Sleep(time.Minute)
		w := trade(`{"authenticationToken":"` + token + `"}`)
		if w.Code != 200 || len(w.Result().Cookies()) != 0 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		signedInBy(t, s, w.Body.String(), "alice")

		refusedProgram(t, trade(`{"authenticationToken":"a.b.c"}`), 401, "sign_in_required")
		refusedProgram(t, trade(`{"authenticationToken":""}`), 400, "bad_request")
		refusedProgram(t, trade(`{"authenticationToken":7}`), 400, "bad_request")
		refusedProgram(t, trade(`{"access_token":"alice"}`), 400, "bad_request")
		time.Sleep(8 * time.Hour)
		refusedProgram(t, trade(`{"authenticationToken":"`+token+`"}`), 401, "sign_in_required") // in grace: for a refresh only

		token = s.clientLogin(t, "alice")
		s.program("GET", "/.auth/logout", "", "X-ZUMO-AUTH", token)
		refusedProgram(t, trade(`{"authenticationToken":"`+token+`"}`), 401, "sign_in_required") // CDL7: ended is ended
	})
}

// CSR5: a page of another site signs nobody in.
func TestCSR5ForeignPagesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site", "Origin", "https://sub.app.example"}} {
			refusedProgram(t, s.program("POST", "/.auth/login/aad", `{"access_token":"alice"}`, headers...), 403, "cross_site")
			refusedProgram(t, s.program("POST", "/.auth/login", `{"authenticationToken":"a.b.c"}`, headers...), 403, "cross_site")
			refusedProgram(t, s.program("GET", "/.auth/login/aad/token?authorization_code=a&code_verifier=b", "", headers...), 403, "cross_site")
		}
	})
}

// DOS4: 32 sign-ins are judged at once; others wait two seconds for their turn.
func TestDOS4FloodOfClientSignInsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			mu        sync.Mutex
			now, most int
		)
		slow := clientStub{stub: &stub{name: "aad"}, took: func() {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(5 * time.Second)
			mu.Lock()
			now--
			mu.Unlock()
		}}
		s := tokenSite(t, setup{providers: []providers.Provider{slow}})
		var (
			wg       sync.WaitGroup
			statuses = map[int]int{}
		)
		begin := time.Now()
		for i := range 100 {
			wg.Go(func() {
				w := s.program("POST", "/.auth/login/aad", fmt.Sprintf(`{"access_token":"user%d"}`, i))
				mu.Lock()
				statuses[w.Code]++
				mu.Unlock()
			})
		}
		wg.Wait()
		if most != 32 || statuses[200] != 32 || statuses[503] != 68 || time.Since(begin) > 6*time.Second {
			t.Errorf("%d at once, statuses %v, after %s", most, statuses, time.Since(begin))
		}
		s.clientLogin(t, "afterwards")
	})
}

// DOS4: who floods one provider, or finds it slow, does not keep the users of another.
func TestDOS4FloodAtOneProviderLeavesTheOthersTheirTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := clientStub{stub: &stub{name: "facebook"}, took: func() { time.Sleep(10 * time.Second) }}
		s := tokenSite(t, setup{providers: []providers.Provider{slow, clientStub{stub: &stub{name: "aad"}}}})
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() { s.program("POST", "/.auth/login/facebook", fmt.Sprintf(`{"access_token":"bot%d"}`, i)) })
		}
		synctest.Wait()
		begin := time.Now()
		s.clientLogin(t, "alice")
		if took := time.Since(begin); took != 0 {
			t.Errorf("waited %s for the users of another provider", took)
		}
		wg.Wait()
	})
}

// Azure/azure-mobile-apps#44: a token that is dead before it arrives helps nobody,
// and no session is left of which nobody has a token.
func TestContract32SessionWithoutAUsableTokenIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		s := tokenSite(t, setup{sessions: session.Config{Lifetime: time.Millisecond, Hooks: session.Hooks{Ended: func(context.Context, session.Event) { ended++ }}}})
		refusedProgram(t, s.program("POST", "/.auth/login/aad", `{"access_token":"alice"}`), 401, "sign_in_required")
		fragmentOf(t, land(t, s.visitor(), "/.auth/login/aad?session_mode=token"), end, "error")
		synctest.Wait()
		if ended != 2 {
			t.Errorf("%d of 2 sessions ended", ended)
		}
	})
}

// RED8: the page that offers the providers passes a program's parameters on, and
// no target that is not allowed.
func TestContract11ChoiceOfProvidersKeepsWhatTheProgramWants(t *testing.T) {
	s := tokenSite(t, setup{})
	w := s.visitor().get("/.auth/login?session_mode=token&post_login_redirect_uri=https://evil.example/")
	if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, `href="/.auth/login/aad?session_mode=token"`) || strings.Contains(body, "evil") {
		t.Errorf("status %d: %s", w.Code, body)
	}
	// Nor does it offer what a link of another site must not have.
	for site, kept := range map[string]bool{"same-origin": true, "cross-site": false} {
		for _, mode := range []string{"session_mode=token", "code_challenge_method=S256&code_challenge=" + strings.Repeat("A", 43)} {
			w := s.visitor().get("/.auth/login?"+mode+"&post_login_redirect_uri=/out", "Sec-Fetch-Site", site)
			if strings.Contains(w.Body.String(), "%2Fout") != kept {
				t.Errorf("%s, %s: %s", site, mode, w.Body)
			}
		}
	}
	w = s.visitor().get("/.auth/login?session_mode=token&post_login_redirect_url=" + callback)
	if !strings.Contains(w.Body.String(), `/.auth/login/aad?post_login_redirect_uri=myapp%3A%2F%2Feasyauth.callback&amp;session_mode=token"`) {
		t.Errorf("%s", w.Body)
	}
}
