package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/providers"
)

func TestEveryRouteNamesItsMethods(t *testing.T) {
	two := newSite(t, setup{providers: []providers.Provider{&stub{name: "aad"}, &stub{name: "google"}}, config: handlers.Config{StrictCookie: true}})
	one := newSite(t, setup{})
	for _, row := range []struct {
		site  *site
		path  string
		allow string
	}{
		{two, "/.auth/login", "GET, HEAD"},
		{one, "/.auth/login", "GET"},
		{two, "/.auth/login/aad", "GET"},
		{two, "/.auth/login/aad/callback", "GET, POST"},
		{two, "/.auth/login/aad/done", "GET, HEAD"},
		{two, "/.auth/logout", "GET, POST"},
		{two, "/.auth/logout/complete", "GET"},
		{two, "/.auth/logout/done", "GET"},
		{two, "/.auth/me", "GET"},
		{two, "/.auth/refresh", "GET, POST"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
			w := row.site.visitor().do(row.site.visitor().request(method, row.path))
			allowed := strings.Contains(", "+row.allow+",", ", "+method+",")
			if !allowed && (w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != row.allow) {
				t.Errorf("%s %s: status %d, Allow %q, want %q", method, row.path, w.Code, w.Header().Get("Allow"), row.allow)
			}
			if allowed && w.Code == http.StatusMethodNotAllowed {
				t.Errorf("%s %s: status 405", method, row.path)
			}
		}
	}
}

// PTH6.
func TestPTH6HeadAndOverriddenMethodsChangeNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for _, path := range []string{"/.auth/logout", "/.auth/refresh", "/.auth/login/aad", "/.auth/login/aad/callback", "/.auth/me", "/.auth/logout/complete"} {
			if w := v.do(v.request(http.MethodHead, path)); w.Code != 405 || len(w.Result().Cookies()) != 0 {
				t.Errorf("HEAD %s: status %d, cookies %v", path, w.Code, w.Result().Cookies())
			}
		}
		v.get("/.auth/me?_method=DELETE", "X-HTTP-Method-Override", "POST")
		if s.sessionCount(v) != 1 {
			t.Error("the session is gone")
		}
	})
}

func TestUnknownRoutesAndSpellingsAre404(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		for _, path := range []string{
			"/.auth", "/.auth/", "/.auth/unknown", "/.auth/login/", "/.auth/login/unknown", "/.auth/login/aad/", "/.auth/login/aad/x",
			"/.auth/login/aad/callback/x", "/.auth/logins/aad", "/.auth/aad", "/.auth/xaad", "/.auth/complete", "/other", "/",
			"//.auth/me", "/.auth//me", "/./.auth/me", "/x/../.auth/me", // PTH1
			"/.auth%2fme", "/%2eauth/me", "/.auth/%6de", "/%252eauth/me", // PTH2
			"/.AUTH/me", "/.auth/ME", "/.auth/Login/aad", "/.auth/me/", "/.auth/me;x=1", "/.auth/me%00", "/.auth/me%20", "/.auth%5Cme", // PTH5
			"/.auth/login/google%2f..%2faad/callback", "/.auth/login/" + strings.Repeat("a", 10<<10), // MIX6
			"/.auth/me/x.css", "/.auth/me.css", "/.auth/me%0a.css", // CAC4
		} {
			if w := v.get(path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "alice") {
				t.Errorf("%s: status %d", path, w.Code)
			}
		}
	})
}

func TestBeforePassesOnOnlyWhatNobodyReadsAsOurs(t *testing.T) {
	s := newSite(t, setup{})
	reached := ""
	h := s.Before(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = r.URL.Path }))
	for path, passes := range map[string]bool{
		"/": true, "/app": true, "/.authority": true, "/x/.auth": true,
		"/.auth": false, "/.auth/me": false, "/.AUTH/me": false, "//.auth/me": false, "/.auth%2fme": false, "/x/../.auth/me": false,
	} {
		reached = ""
		h.ServeHTTP(httptest.NewRecorder(), s.visitor().request(http.MethodGet, path))
		if (reached != "") != passes {
			t.Errorf("%s: the application was reached: %v", path, reached != "")
		}
	}
}

func TestProviderSegmentIsCaseInsensitive(t *testing.T) {
	s := newSite(t, setup{})
	for _, path := range []string{"/.auth/login/aad", "/.auth/login/AAD", "/.auth/login/Aad", "/.auth/login/windowsazureactivedirectory", "/.auth/login/WindowsAzureActiveDirectory"} {
		if w := s.visitor().get(path); w.Code != http.StatusFound {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestCAC2NoAnswerMayBeCachedFramedOrGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		stranger, alice := s.visitor(), s.visitor()
		alice.signIn(t, "alice")
		for _, path := range []string{
			"/.auth/login", "/.auth/login/aad", "/.auth/login/aad?post_login_redirect_uri=/a&post_login_redirect_uri=/b", callbackPath, callbackPath + "?code=c&state=s",
			"/.auth/me", "/.auth/me?provider=google", "/.auth/refresh", "/.auth/unknown", "/.AUTH/me", "/.auth/logout/complete", "/.auth/logout",
		} {
			for _, v := range []*visitor{stranger, alice.clone()} {
				for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS"} {
					checkHeaders(t, method+" "+path, v.do(v.request(method, path)))
					checkHeaders(t, method+" "+path+" cross-site", v.do(v.request(method, path, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example")))
				}
			}
		}
	})
}

func checkHeaders(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	referrer := "no-referrer"
	if strings.Contains(w.Body.String(), "<form") {
		referrer = "same-origin" // or its post would come with Origin: null
	}
	if h.Get("Cache-Control") != "no-store" || h.Get("Vary") != "Cookie" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != referrer {
		t.Errorf("%s: status %d, headers %v", what, w.Code, h)
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") { // CSR6
			t.Errorf("%s: %s is sent", what, name)
		}
	}
	if strings.HasPrefix(h.Get("Content-Type"), "text/html") { // CSR8, LEA1
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy %q", what, policy)
		}
	}
}

func TestLEA1NothingOfTheRequestIsEchoed(t *testing.T) {
	s := newSite(t, setup{})
	v := s.visitor()
	for _, query := range []string{
		"?error=x&error_description=<script>alert(1)</script>&error_uri=javascript:alert(1)",
		"?error=<script>&state=<script>", "?<script>=1", "?code=<script>&code=2",
	} {
		for _, path := range []string{callbackPath, "/.auth/login/aad", "/.auth/logout/complete", "/.auth/me", "/.auth/unknown"} {
			r := v.request(http.MethodGet, path)
			r.URL.RawQuery = query[1:]
			if w := v.do(r); strings.Contains(w.Body.String(), "script>") || strings.Contains(w.Body.String(), "javascript") {
				t.Errorf("%s%s: %s", path, query, w.Body)
			}
		}
	}
}

func TestConfigNamesEveryMistakeAndItsRemedy(t *testing.T) {
	_, err := handlers.New(handlers.Config{
		Providers:        []providers.Provider{&stub{name: "aad"}, &stub{name: "aad"}, &stub{name: "Not-A-Name"}, nil},
		BaseURL:          parse("https://app.example"),
		Keys:             [][]byte{[]byte("short")},
		AllowedRedirects: []string{"nonsense", "http://partner.example"},
	})
	for _, want := range []string{"Sessions is missing", `two providers are named "aad"`, `"Not-A-Name" refused`, "nil entry", "at least 32 random bytes",
		`"nonsense" is no place to redirect to`, "use https"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	for base, want := range map[string]string{
		"":                          "BaseURL: missing",
		"/relative":                 "is not a URL",
		"http://app.example":        "use https",
		"ftp://app.example":         "use https",
		"https://app.example/sub":   "more than scheme and host",
		"https://app.example/?x":    "more than scheme and host",
		"https://u:p@app.example":   "more than scheme and host",
		"http://localhost:8080/":    "Keys",
		"http://[::1]:8080":         "Keys",
		"http://127.0.0.1:8080":     "Keys",
		"https://app.example:8443/": "Keys",
	} {
		_, err := handlers.New(handlers.Config{BaseURL: parse(base), Prefix: "/.auth"})
		if want == "Keys" {
			want = "no key given"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", base, err, want)
		}
	}
	if _, err := handlers.New(handlers.Config{Prefix: "auth"}); err == nil || !strings.Contains(err.Error(), "prefix") {
		t.Errorf("bad prefix: %v", err)
	}
}

func TestPrefixMovesEveryRoute(t *testing.T) {
	s := newSite(t, setup{config: handlers.Config{Prefix: "/accounts/auth"}})
	w := s.visitor().get("/accounts/auth/login/aad")
	if w.Code != http.StatusFound {
		t.Errorf("status %d", w.Code)
	}
	if w := s.visitor().get("/.auth/login/aad"); w.Code != http.StatusNotFound {
		t.Errorf("at the default prefix: status %d", w.Code)
	}
	if w := s.visitor().get("/accounts/auth/logout"); w.Header().Get("Location") != "/accounts/auth/logout/complete" {
		t.Errorf("Location %q", w.Header().Get("Location"))
	}
}
