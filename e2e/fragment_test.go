package e2e_test

import (
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/e2e/internal/parts"
	"github.com/goeasyauth/easyauth/middleware"
)

// What stands after "#" is told to no server: only the browser can carry it
// through a sign-in, and a provider's forms lose it.
func TestPersonComesBackToThePartOfThePage(t *testing.T) {
	t.Parallel()
	parts.Chromium.Need(t)
	op := startProvider(t, opConfig{AlwaysRefresh: true})
	for name, row := range map[string]struct {
		preserve bool
		notice   time.Duration // above an hour: every page is near the end of the refresh token
		hash     string
		logins   int
	}{
		"kept by the page with a script":             {true, time.Minute, "#/mail/7?draft=%C3%A4", 1},
		"kept on the way round at the cliff as well": {true, 2 * time.Hour, "#/mail/7?draft=%C3%A4", 2},
		"lost where nothing keeps it":                {false, time.Minute, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			before := op.Stats().Logins
			a := startAppWith(t, op, setup{Provider: dying(time.Hour), App: func(c *easyauth.Config) {
				c.Gate = &middleware.Gate{Unauthenticated: middleware.RedirectToLogin, Provider: "oidc"}
				c.PreserveFragments, c.ReauthNotice = row.preserve, row.notice
			}})
			c := startChromium(t)
			c.Visit(a.URL + "/account?tab=1#/mail/7?draft=%C3%A4")
			c.Approve("ada")
			c.mustArrive(a.URL + "/account?tab=1" + row.hash)
			if got := c.Text("body"); got != "account of ada" {
				t.Errorf("the page says %q", got)
			}
			if got := op.Stats().Logins - before; got != row.logins {
				t.Errorf("%d sign-ins, want %d", got, row.logins)
			}
		})
	}
}
