package respond_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/internal/respond"
)

// The policy lets the one script run that is in the page, byte for byte.
func TestLeadRunsItsOwnScriptOnly(t *testing.T) {
	rec := httptest.NewRecorder()
	respond.Lead(rec, httptest.NewRequest("GET", "/", nil), `/.auth/login?post_login_redirect_uri=%2F%22%3E%3Cscript%3E"><script>alert(1)</script>`)
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(rec.Body.String(), -1)
	if len(scripts) != 1 {
		t.Fatalf("%d scripts in\n%s", len(scripts), rec.Body)
	}
	sum := sha256.Sum256([]byte(scripts[0][1]))
	policy := rec.Header().Get("Content-Security-Policy")
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.HasSuffix(policy, want) || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s, want %s", policy, want)
	}
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy %s", policy)
	}
}
