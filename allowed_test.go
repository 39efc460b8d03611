package easyauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestContract11OneListAllowsEveryPlace: whoever is on the list of allowed
// redirects may be where a sign-in or a sign-out ends, be handed a session token,
// call the routes, and post with the user's cookie; whoever is not may do none of
// that, and fails no sign-in.
func TestContract11OneListAllowsEveryPlace(t *testing.T) {
	const listed = "https://partner.example"
	for from, allowed := range map[string]bool{listed: true, "https://evil.example": false} {
		change := func(c *easyauth.Config) {
			c.AllowedRedirects = []string{listed}
			c.SigningKeys = []providers.Secret{easyauth.NewKey()}
		}
		inAWorld(t, providertest.Config{}, change, func(t *testing.T, w *world) {
			w.network.Handle(strings.TrimPrefix(from, "https://"), http.NotFoundHandler())
			target := url.QueryEscape(from + "/page")
			b := providertest.NewBrowser(w.network)
			page, err := b.SignIn(app+"/.auth/login/op?post_login_redirect_uri="+target, "alice")
			if err != nil {
				t.Fatal(err)
			}
			if got := page.URL.String() == from+"/page"; got != allowed {
				t.Errorf("%s: the sign-in ends at %s", from, page.URL)
			}
			for what, status := range map[string]int{
				"completion_origin": w.asks(b, "GET", "/.auth/login/op?session_mode=token&completion_type=postMessage&completion_origin="+url.QueryEscape(from)),
				"CORS":              w.asks(b, "OPTIONS", "/.auth/refresh", "Origin", from, "Access-Control-Request-Method", "GET"),
				"POST (CSR10)":      w.asks(b, "POST", "/account", "Origin", from, "Sec-Fetch-Site", "cross-site"),
			} {
				if (status < 400) != allowed {
					t.Errorf("%s of %s: status %d", what, from, status)
				}
			}
			if page, err = b.Open(app + "/.auth/logout?post_logout_redirect_uri=" + target); err != nil {
				t.Fatal(err)
			}
			if got := page.URL.String() == from+"/page"; got != allowed || len(b.Cookies(app)) != 0 {
				t.Errorf("%s: the sign-out ends at %s with the cookies %v", from, page.URL, b.Cookies(app))
			}
		})
	}
}

// asks sends one request with the cookies of b, and follows nothing.
func (w *world) asks(b *providertest.Browser, method, path string, headers ...string) (status int) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, app+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range b.Cookies(app) {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := w.network.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}
