package middleware_test

import (
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
)

func keepingFragments(m *middleware.Config, _ *session.Config) { m.PreserveFragments = true }

// preserveUrlFragmentsForLogins: the target is the last thing in the address, so
// that the script can add to it.
func TestFragmentIsKeptByAPage(t *testing.T) {
	a := newApp(t, keepingFragments, gated(middleware.Gate{Unauthenticated: middleware.RedirectToLogin, Provider: "google"}))
	rec, seen := visit(a.Authenticate, page("/account?tab=1"))
	if seen != nil || rec.Code != 200 || rec.Header().Get("Location") != "" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d, %v", rec.Code, rec.Header())
	}
	if link := `<a id="go" href="/.auth/login/google?post_login_redirect_uri=%2Faccount%3Ftab%3D1">`; !strings.Contains(rec.Body.String(), link) {
		t.Errorf("no %s in\n%s", link, rec.Body)
	}

}

func TestProgramsGetNoPageToKeepAFragment(t *testing.T) {
	a := newApp(t, keepingFragments)
	if rec, _ := visit(a.Require, request("GET", "/api")); rec.Code != 401 || reason(rec) != "sign_in_required" {
		t.Errorf("a program: %d", rec.Code)
	}
	// RED5: nothing to come back to, so nothing to keep.
	if rec, _ := visit(a.Require, page("//evil.example/")); rec.Code != 302 || rec.Header().Get("Location") != "/.auth/login" {
		t.Errorf("%d to %q", rec.Code, rec.Header().Get("Location"))
	}
}
