package azureclient_test

import (
	"net/http"
	"strings"
	"testing"
)

// A page that the service trusts with session tokens, on the service's own host,
// where the browser sends the session cookie along: what it gets by that cookie
// is nothing (CSR2, CSR6, CSR7). A list of allowed origins is no list of those who
// may act for whoever happens to be signed in.
func TestCSR6PageOfAnAllowedOriginGetsNothingByTheCookie(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at := strings.Replace(startSite(t, &cert), "localhost", "127.0.0.1", 1)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert)
	b.Visit(s.URL + "/.auth/login/google?post_login_redirect_uri=/api/whoami")
	b.SignIn("ada", "allow")
	if text := await[string](b, "location.pathname === '/api/whoami' && document.body.innerText"); !strings.Contains(text, "sub-ada") {
		t.Fatalf("not signed in: %s", text)
	}
	me := s.Last(http.MethodGet, "/api/whoami").Header.Get("Cookie")

	b.Visit(at + "/#" + s.URL)
	for _, row := range []struct{ name, fetch, want string }{
		{"CSR7: read who is signed in", "service + '/.auth/me', {credentials: 'include'}", "refused by the browser"},
		{"CSR7: the same without the cookie", "service + '/.auth/me'", "40"},
		{"CSR2: refresh for the user", "service + '/.auth/refresh', {credentials: 'include', mode: 'no-cors'}", "0"},
		{"CSR5: sign the user in as somebody else", "service + '/.auth/login', {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'}, body: '{}'}", "refused by the browser"},
		{"CSR1: sign the user out", "service + '/.auth/logout', {method: 'POST', credentials: 'include', mode: 'no-cors'}", "0"},
	} {
		if got := evaluate[string](b, "fetch("+row.fetch+").then(r => String(r.status), () => 'refused by the browser')"); !strings.HasPrefix(got, row.want) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	for _, path := range []string{"/.auth/refresh", "/.auth/logout"} {
		method := map[string]string{"/.auth/refresh": http.MethodGet, "/.auth/logout": http.MethodPost}[path]
		if sent := s.Last(method, path); sent.Header.Get("Cookie") != me || len(sent.Cookies) > 0 {
			t.Errorf("%s: the cookie was sent: %t; it set %d", path, sent.Header.Get("Cookie") == me, len(sent.Cookies))
		}
	}
	if got := s.Identity.Stats().Refreshes; got != 0 {
		t.Errorf("the provider was asked %d times", got)
	}
	b.Visit(s.URL + "/api/whoami")
	if text := evaluate[string](b, "document.body.innerText"); !strings.Contains(text, "sub-ada") {
		t.Errorf("the user was signed out: %s", text)
	}
}
