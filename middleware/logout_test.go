package middleware_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// login.routes.logoutEndpoint.
func TestLogoutEndpointIsTheLogout(t *testing.T) {
	var asked *http.Request
	a := newApp(t, gated(middleware.Gate{Unauthenticated: middleware.Return401}), func(m *middleware.Config, _ *session.Config) {
		m.LogoutEndpoint = "/Account/SignOut"
		m.Logout = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r })
	})
	r := with(request("GET", "/Account/SignOut?post_logout_redirect_uri=%2Fbye"), "X-MS-CLIENT-PRINCIPAL-ID", "admin")
	if _, seen := visit(a.Authenticate, r); seen != nil || asked == nil {
		t.Fatal("the application was asked, or nobody")
	}
	if asked.URL.Path != "/.auth/logout" || asked.URL.Query().Get("post_logout_redirect_uri") != "/bye" || r.URL.Path != "/Account/SignOut" {
		t.Errorf("asked for %s", asked.URL)
	}
	if asked.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") != "" {
		t.Error("HDR7: a forged header")
	}
	for _, target := range []string{"/account/signout", "/Account/SignOut/", "/Account%2FSignOut", "/Account//SignOut", "/Account/./SignOut"} {
		asked = nil
		if visit(a.Authenticate, request("GET", target)); asked != nil {
			t.Errorf("%s signs out", target)
		}
	}
}

func TestLogoutEndpointsThatAreRefused(t *testing.T) {
	m, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	base, _ := url.Parse("https://app.example")
	for _, tt := range []struct {
		path   string
		logout http.Handler
	}{
		{"/signout", nil}, {"", http.NotFoundHandler()}, {"signout", http.NotFoundHandler()}, {"/a b", http.NotFoundHandler()},
		{"/a/../b", http.NotFoundHandler()}, {"/a%2fb", http.NotFoundHandler()}, {"https://x.example/", http.NotFoundHandler()},
	} {
		g, err := middleware.New(middleware.Config{Sessions: m, BaseURL: base, LogoutEndpoint: tt.path, Logout: tt.logout})
		if g != nil || err == nil || !strings.Contains(err.Error(), "LogoutEndpoint") {
			t.Errorf("%q: %v", tt.path, err)
		}
	}
}
