package middleware_test

import (
	"bufio"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func withHeaders(c *middleware.Config, _ *session.Config) {
	c.IdentityHeaders, c.TokenHeaders = true, true
}

func TestIdentityHeadersSayWhatAppServiceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withHeaders)
		r := request("GET", "/", a.signIn(t))
		for _, f := range forged {
			r.Header[f.header] = []string{"forged"}
		}
		_, seen := visit(a.Authenticate, r)
		want := map[string]string{
			"X-Ms-Client-Principal-Id":        "user-1",
			"X-Ms-Client-Principal-Name":      "ada@example.org",
			"X-Ms-Client-Principal-Idp":       "google",
			"X-Ms-Token-Google-Access-Token":  "access-0",
			"X-Ms-Token-Google-Expires-On":    time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.0000000Z"),
			"X-Ms-Token-Google-Id-Token":      "header.payload.signature",
			"X-Ms-Token-Google-Refresh-Token": "refresh-0",
		}
		for name, value := range want {
			if got := seen.Header[name]; !slices.Equal(got, []string{value}) {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		text, err := base64.StdEncoding.DecodeString(seen.Header.Get("X-MS-CLIENT-PRINCIPAL"))
		if err != nil || !strings.HasPrefix(string(text), `{"auth_typ":"google","claims":[{"typ":"iss","val":"https:\/\/id.example"},`) {
			t.Errorf("principal %s, %v", text, err)
		}
		var own []string
		for name := range seen.Header {
			if strings.HasPrefix(strings.ToLower(name), "x-ms-") {
				own = append(own, name)
			}
		}
		if len(own) != len(want)+1 {
			t.Errorf("headers %v; want those, the principal, and no other", own)
		}
	})
}

func TestIdentityHeadersAreOffByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		_, seen := visit(a.Authenticate, request("GET", "/", a.signIn(t)))
		for name := range seen.Header {
			if strings.HasPrefix(name, "X-Ms-") {
				t.Errorf("%s is set", name)
			}
		}
	})
}

// HDR11: what wraps the middleware, an access log for instance, never sees the
// user's tokens, and neither does the answer.
func TestHDR11IdentityHeadersStayInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withHeaders)
		outer := request("GET", "/", a.signIn(t))
		before := maps.Clone(outer.Header)
		rec, seen := visit(a.Authenticate, outer)
		if seen.Header.Get("X-MS-TOKEN-GOOGLE-ACCESS-TOKEN") == "" {
			t.Fatal("no token header inside")
		}
		if !maps.EqualFunc(outer.Header, before, slices.Equal) {
			t.Errorf("the outer request has %v", outer.Header)
		}
		for name := range rec.Header() {
			if strings.HasPrefix(strings.ToLower(name), "x-ms-") {
				t.Errorf("the answer has %s", name)
			}
		}
	})
}

func TestTokenHeadersHoldNothingThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withHeaders)
		cookie := a.signIn(t)
		a.idp.fail(providers.Busy, 0)
		time.Sleep(2 * time.Hour)
		_, seen := visit(a.Authenticate, request("GET", "/", cookie))
		for _, kind := range []string{"ACCESS-TOKEN", "EXPIRES-ON"} {
			if got := seen.Header.Get("X-MS-TOKEN-GOOGLE-" + kind); got != "" {
				t.Errorf("%s: %q of an expired token", kind, got)
			}
		}
		if seen.Header.Get("X-MS-TOKEN-GOOGLE-REFRESH-TOKEN") == "" || seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID") == "" {
			t.Error("more than the expired token is gone")
		}
	})
}

func TestTokenHeadersInventNoExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withHeaders)
		for name, change := range map[string]func(*providers.Login){
			"lifetime unknown": func(l *providers.Login) { l.Tokens.ExpiresIn = 0 },
			"no access token": func(l *providers.Login) {
				l.Tokens.AccessToken, l.Tokens.RefreshToken = providers.Secret{}, providers.Secret{}
			},
		} {
			_, seen := visit(a.Authenticate, request("GET", "/", a.signIn(t, change)))
			if got, there := seen.Header["X-Ms-Token-Google-Expires-On"]; there {
				t.Errorf("%s: %q", name, got)
			}
		}
	})
}

// HDR8: whatever a provider says, the request can be sent on, and says one thing.
func TestHDR8HostileValuesDoNotBreakTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, withHeaders)
		cookie := a.signIn(t, func(l *providers.Login) {
			name := strings.Repeat("Zoë\\r\\nX-Admin: 1\\u0000", 5000)
			c, err := providers.ParseClaims([]byte(`{"iss":"https://id.example","sub":"a\r\nb","name":"` + name + `"}`))
			if err != nil {
				t.Fatal(err)
			}
			l.Identity.Claims, l.Identity.Subject = c, "a\r\nb"
			l.Tokens.AccessToken = providers.NewSecret("opaque\r\nX-Admin: 1")
			l.Tokens.IDToken = providers.NewSecret("zoë")
		})
		_, seen := visit(a.Authenticate, request("GET", "/", cookie))
		if got := seen.Header.Get("X-MS-CLIENT-PRINCIPAL-ID"); got != "a%0D%0Ab" {
			t.Errorf("ID %q", got)
		}
		for _, kind := range []string{"ACCESS-TOKEN", "ID-TOKEN"} {
			if got, there := seen.Header[http.CanonicalHeaderKey("X-MS-TOKEN-GOOGLE-"+kind)]; there {
				t.Errorf("%s: %q, want none", kind, got)
			}
		}
		var wire strings.Builder
		if err := seen.Write(&wire); err != nil {
			t.Fatal(err)
		}
		if sent, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire.String()))); err != nil || sent.Header.Get("X-Admin") != "" {
			t.Errorf("on the wire: %v\n%.200s", err, wire.String())
		}
		for name, values := range seen.Header {
			if len(strings.Join(values, "")) > 16<<10 {
				t.Errorf("%s has %d bytes", name, len(values[0]))
			}
		}
	})
}
