package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
)

// sdkHeaders are what the JavaScript SDK asks for in its preflights (contract 6).
const sdkHeaders = "X-ZUMO-INSTALLATION-ID, X-ZUMO-VERSION, X-ZUMO-AUTH, ZUMO-API-VERSION, Content-Type"

func preflight(s *site, path, method, origin string) *httptest.ResponseRecorder {
	return s.program(http.MethodOptions, path, "", "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", sdkHeaders, "Sec-Fetch-Site", "cross-site")
}

func TestContract6PreflightsOfAllowedOriginsAreAnswered(t *testing.T) {
	s := tokenSite(t, setup{})
	for _, row := range []struct{ method, path string }{
		{"POST", "/.auth/login/aad"}, {"POST", "/.auth/login"}, {"GET", "/.auth/me"}, {"GET", "/.auth/refresh"}, {"POST", "/.auth/refresh"}, {"GET", "/.auth/login/aad/token"},
	} {
		for _, origin := range []string{spa, "https://paged.example"} {
			w := preflight(s, row.path, row.method, origin)
			h := w.Header()
			if w.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != origin || !strings.Contains(h.Get("Access-Control-Allow-Methods"), row.method) {
				t.Errorf("%s %s for %s: status %d, %v", row.method, row.path, origin, w.Code, h)
			}
			for name := range strings.SplitSeq(sdkHeaders, ", ") {
				if !strings.Contains(", "+h.Get("Access-Control-Allow-Headers")+",", ", "+name+",") {
					t.Errorf("%s: %s is not allowed", row.path, name)
				}
			}
			if h.Get("Access-Control-Allow-Credentials") != "" || !varies(h, "Origin") || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", row.path, h)
			}
		}
	}
}

func varies(h http.Header, on string) bool {
	for _, value := range h.Values("Vary") {
		if value == on {
			return true
		}
	}
	return false
}

func TestCSR6OriginsThatAreNotAllowedGetNothingOfCORS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, s := range map[string]*site{"with tokens": tokenSite(t, setup{}), "without": newSite(t, setup{})} {
			for _, origin := range []string{"https://evil.example", "null", "https://spa.example.evil.example", "https://sub.app.example", "http://spa.example", "https://SPA.example", ""} {
				for _, path := range []string{"/.auth/me", "/.auth/refresh", "/.auth/login/aad", "/.auth/login"} {
					w := preflight(s, path, "GET", origin)
					if w.Code != http.StatusMethodNotAllowed || shared(w) {
						t.Errorf("%s, %q, %s: preflight %d, %v", name, origin, path, w.Code, w.Header())
					}
					if w := s.program("GET", path, "", "Origin", origin); shared(w) {
						t.Errorf("%s, %q, %s: %v", name, origin, path, w.Header())
					}
				}
			}
		}
	})
}

func shared(w *httptest.ResponseRecorder) bool {
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			return true
		}
	}
	return false
}

func TestCSR6OtherRoutesAreSharedWithNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		for _, path := range []string{"/.auth/logout", "/.auth/logout/complete", "/.auth/login/done", "/.auth/login/aad/callback", "/.auth/nothing"} {
			if w := preflight(s, path, "GET", spa); w.Code < 400 || shared(w) {
				t.Errorf("%s: preflight %d, %v", path, w.Code, w.Header())
			}
		}
		if w := preflight(s, "/.auth/me", "DELETE", spa); w.Code != http.StatusMethodNotAllowed || shared(w) {
			t.Errorf("another method: preflight %d, %v", w.Code, w.Header())
		}
	})
}

// A page of an allowed origin signs in, reads, refreshes: by its own token, and
// never by the cookie that the browser has for the application.
func TestCSR6AllowedPagesReadWithTheirTokenAndNeverWithTheCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tokenSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "bob")
		token := s.clientLogin(t, "alice")
		page := []string{"Origin", spa, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}

		for _, path := range []string{"/.auth/me", "/.auth/refresh"} {
			w := v.get(path, page...)
			if w.Code != http.StatusForbidden || reason(t, w) != "cross_site" || strings.Contains(w.Body.String(), "bob") || len(w.Result().Cookies()) != 0 {
				t.Errorf("%s with the cookie: status %d, %s", path, w.Code, w.Body)
			}
		}
		w := v.get("/.auth/me", append(page, "X-ZUMO-AUTH", token)...)
		if w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != spa || !varies(w.Header(), "Origin") || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("with the token: status %d, %v", w.Code, w.Header())
		}
		if !strings.Contains(w.Body.String(), `"user_id":"alice"`) || strings.Contains(w.Body.String(), "bob") {
			t.Errorf("with the token: %s", w.Body)
		}
		w = v.get("/.auth/me", append(page, "X-ZUMO-AUTH", "of.no.use")...)
		if w.Code != http.StatusUnauthorized || w.Header().Get("Access-Control-Allow-Origin") != spa {
			t.Errorf("with a token that is none: status %d, %v", w.Code, w.Header())
		}
		w = s.program("POST", "/.auth/login/aad", `{"access_token":"carol"}`, page...)
		if w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != spa {
			t.Errorf("sign-in: status %d, %v", w.Code, w.Header())
		}
		if w := s.program("POST", "/.auth/login/aad", `{"access_token":"forged"}`, page...); w.Header().Get("Access-Control-Allow-Origin") != spa {
			t.Error("a page cannot read why it was refused")
		}
	})
}

// Without signing keys the header means nothing, and must open no door.
func TestCSR6HeaderWithoutSigningKeysIsNoExcuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for _, path := range []string{"/.auth/me", "/.auth/refresh"} {
			if w := v.get(path, "Sec-Fetch-Site", "cross-site", "X-ZUMO-AUTH", "a.b.c"); w.Code != http.StatusForbidden {
				t.Errorf("%s: status %d", path, w.Code)
			}
		}
		if w := v.do(v.request("POST", "/.auth/logout", "Sec-Fetch-Site", "cross-site", "X-ZUMO-AUTH", "a.b.c")); w.Code != http.StatusForbidden || s.sessionCount(v) != 1 {
			t.Errorf("logout: status %d", w.Code)
		}
	})
}
