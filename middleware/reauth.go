package middleware

import (
	"net/http"
	"net/url"
	"time"

	"github.com/goeasyauth/easyauth/internal/principal"
	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// reauthHeader tells a single-page application when to have signed in again.
const reauthHeader = "X-MS-REAUTH-ON"

// reauthEvery is how often a browser is sent round to the provider for it.
const reauthEvery = 10 * time.Minute

// remind sees to a session whose refresh token is near its end. A person who
// opens a page is sent to the provider, once in ten minutes, where it can sign
// them in again without showing anything, and comes back to the same page either
// way; remind then has answered. Every other answer says in a header when the
// time is over, those to programs with a token of their own included: none of
// their requests opens a page.
func (g *Guard) remind(w http.ResponseWriter, r *http.Request, s *session.Session) bool {
	if s.ReauthAt.IsZero() {
		return false
	}
	if target := ownTarget(r); g.silent && target != "" && r.Method == http.MethodGet &&
		respond.Navigation(r) && len(r.CookiesNamed(g.reauthCookie)) == 0 && g.canBeSilent(s.User.Provider) {
		http.SetCookie(w, &http.Cookie{Name: g.reauthCookie, Value: "1", Path: "/", MaxAge: int(reauthEvery / time.Second),
			HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteLaxMode})
		respond.Redirect(w, r, login{provider: s.User.Provider}.at(g.loginPath,
			url.Values{"prompt": {"none"}, loginTarget: {target}}))
		return true
	}
	w.Header().Set(reauthHeader, principal.Time(s.ReauthAt))
	return false
}

// canBeSilent reports whether the provider can sign somebody in again without
// showing anything.
func (g *Guard) canBeSilent(provider string) bool {
	p, _ := g.sessions.Provider(provider)
	silent, ok := p.(interface{ SilentParams() url.Values })
	return ok && len(silent.SilentParams()) > 0
}
