package handlers_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// Contract 1.10: routes and cookies of Static Web Apps, and routes that only
// emulators have, are nothing here.
func TestContract110RoutesOfOthersAreNotThere(t *testing.T) {
	s := tokenSite(t, setup{})
	for _, path := range []string{
		"/.auth/complete", "/.auth/purge/aad", "/.auth/swagger", "/.auth/health", "/.auth/providers", "/.auth/login/select",
		"/.auth/.well-known/oauth-protected-resource",
	} {
		for _, method := range []string{"GET", "POST"} {
			if w := s.program(method, path, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s %s: status %d", method, path, w.Code)
			}
		}
	}
	for _, name := range []string{"StaticWebAppsAuthCookie", "StaticWebAppsAuthContextCookie", "AppServiceAuthSession"} {
		v := s.visitor()
		v.cookies[name] = strings.Repeat("A", 43)
		if w := v.get("/.auth/me"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "clientPrincipal") {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
		}
	}
}

// Contract 1.7: who took the permissions back is still signed in. The tokens are
// refused where they are asked for, by /.auth/refresh.
func TestContract17MeAfterTheUserTookThePermissionsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{AccessTokenLifetime: 20 * time.Minute})
		s := tokenSite(t, setup{op: op})
		b := signedIn(t, s)
		time.Sleep(time.Minute)
		op.RevokeAll()
		if p := fetch(t, b, http.MethodGet, "/.auth/refresh"); p.Status != http.StatusForbidden {
			t.Errorf("refresh: status %d", p.Status)
		}
		p := fetch(t, b, http.MethodGet, "/.auth/me")
		if p.Status != http.StatusOK || meOf(t, p.Body).ProviderName != "aad" {
			t.Errorf("me: status %d, %s", p.Status, p.Body)
		}
		time.Sleep(20 * time.Minute)
		if p := fetch(t, b, http.MethodGet, "/.auth/me"); p.Status != http.StatusOK || strings.Contains(string(p.Body), "access_token") {
			t.Errorf("me, when the access token is over: status %d, %s", p.Status, p.Body)
		}
	})
}

// Contract 1.1, host#1602: a target that is not allowed fails no sign-in.
func TestContract11TargetThatIsNotAllowedCostsTheTargetOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		for _, target := range []string{"https://evil.example/", "//evil.example", "myapp://easyauth.callback"} {
			v := s.visitor()
			w := land(t, v, "/.auth/login/aad?post_login_redirect_uri="+target)
			if w.Code != http.StatusFound || w.Header().Get("Location") != "/" || s.sessionCount(v) != 1 {
				t.Errorf("%s: status %d, Location %q, %d sessions", target, w.Code, w.Header().Get("Location"), s.sessionCount(v))
			}
		}
	})
}
