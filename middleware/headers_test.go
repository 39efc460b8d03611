package middleware_test

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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

// forged are headers that only easyauth may set, in the spellings attackers use.
var forged = []struct{ name, header string }{
	{"HDR1 principal", "X-Ms-Client-Principal"},
	{"HDR1 id", "X-Ms-Client-Principal-Id"},
	{"HDR1 name", "X-Ms-Client-Principal-Name"},
	{"HDR1 provider", "X-Ms-Client-Principal-Idp"},
	{"HDR2 underscores", "X_ms_client_principal_id"},
	{"HDR2 one underscore", "X-Ms_client-Principal-Id"},
	{"HDR2 dots", "X.ms.client.principal.id"},
	{"HDR2 other marks", "X~ms~client~principal"},
	{"HDR3 lower case", "x-ms-client-principal-id"},
	{"HDR3 upper case", "X-MS-CLIENT-PRINCIPAL-ID"},
	{"HDR4 a provider in use", "X-Ms-Token-Google-Access-Token"},
	{"HDR4 another provider", "X-Ms-Token-Aad-Access-Token"},
	{"HDR4 an unknown provider", "x_MS_token_FOO"},
	{"HDR10 allow http", "X-Ms-Allow-Http"},
}

// innocent look a little like them and pass.
var innocent = []string{"X-Ms-Version", "X-Ms-Tokens", "X-Msclient-Principal", "Ms-Client-Principal", "X-Request-Id", "X-Zumo-Auth"}

func TestForgedHeadersReachNobody(t *testing.T) {
	a := newApp(t)
	paths := map[string]*http.Request{ // HDR7: every way out of the middleware
		"a public route":          request("GET", "/"),
		"a preflight":             request("OPTIONS", "/"),
		"a route of easyauth":     request("GET", "/.auth/me"),
		"an upgrade":              request("GET", "/ws"),
		"a forged cookie":         request("GET", "/", &http.Cookie{Name: "__Host-easyauth", Value: strings.Repeat("A", 43)}),
		"a request with a tail":   request("POST", "/upload"),
		"a request that forwards": request("GET", "/proxy"),
	}
	for where, r := range paths {
		for _, f := range forged {
			r.Header[f.header] = []string{"forged", "twice"}
		}
		for _, name := range innocent {
			r.Header[name] = []string{"mine"}
		}
		r.Trailer = http.Header{"X-Ms-Client-Principal-Id": nil, "X-Checksum": nil}
		_, seen := visit(a.Authenticate, r)
		for _, f := range forged {
			if got, there := seen.Header[f.header]; there {
				t.Errorf("%s on %s: %s: %q", f.name, where, f.header, got)
			}
		}
		for _, name := range innocent {
			if seen.Header[name] == nil {
				t.Errorf("%s on %s is gone", name, where)
			}
		}
		if len(seen.Trailer) != 1 {
			t.Errorf("HDR6 on %s: trailer %v", where, seen.Trailer)
		}
	}
}

// HDR7: a handler that recovers from a panic further in, or that a guard calls
// without Authenticate around it, sees the stripped request too.
func TestHDR7GuardsStripOnTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t)
		r := request("GET", "/account", a.signIn(t))
		r.Header.Set("X-MS-CLIENT-PRINCIPAL-ID", "forged")
		if _, seen := visit(a.Require, r); seen == nil || len(seen.Header["X-Ms-Client-Principal-Id"]) != 0 {
			t.Error("Require alone lets a forged header pass")
		}
		for _, target := range []string{"/account", "/.AUTH/me", "/.auth/me"} {
			r := request("GET", target)
			r.Header.Set("X-MS-CLIENT-PRINCIPAL-ID", "forged")
			visit(a.Require, r)
			if len(r.Header["X-Ms-Client-Principal-Id"]) != 0 {
				t.Errorf("%s: the refused request still has a forged header", target)
			}
		}
	})
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

// HDR5, G29: with Connection a client makes a reverse proxy drop a header. It
// must not be one of ours.
func TestHDR5ConnectionCannotDropAnIdentityHeader(t *testing.T) {
	a := newApp(t, withHeaders)
	cookie := a.signIn(t)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %q", r.Header.Get("X-MS-CLIENT-PRINCIPAL-ID"), r.Header.Get("X-Secret"))
	}))
	defer upstream.Close()
	target, _ := url.Parse(upstream.URL)
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	for _, connection := range [][]string{
		{"close, X-MS-CLIENT-PRINCIPAL-ID"},
		{"x-ms-client-principal-id"},
		{"close", "X_MS_CLIENT_PRINCIPAL_ID ,\tx-ms-client-principal-id"},
		{"X-Ms-Client-Principal-Id, X-Secret"},
	} {
		r := request("GET", "/", cookie)
		r.Header["Connection"] = connection
		r.Header.Set("X-Secret", "s")
		rec := httptest.NewRecorder()
		a.Authenticate(proxy).ServeHTTP(rec, r)
		want := `user-1 "s"`
		if strings.Contains(connection[0], "X-Secret") { // the client's own header is the client's to drop
			want = `user-1 ""`
		}
		if rec.Body.String() != want {
			t.Errorf("Connection %q: upstream sees %s, want %s", connection, rec.Body, want)
		}
	}
}

func TestConnectionKeepsWhatIsNotOurs(t *testing.T) {
	a := newApp(t)
	for before, after := range map[string][]string{
		"Upgrade":                        {"Upgrade"},
		"keep-alive, Upgrade":            {"keep-alive, Upgrade"},
		"close,x-ms-token-aad-id-token ": {"close"},
		"X-MS-CLIENT-PRINCIPAL":          nil,
	} {
		r := request("GET", "/")
		r.Header["Connection"] = []string{before}
		if _, seen := visit(a.Authenticate, r); !slices.Equal(seen.Header["Connection"], after) {
			t.Errorf("Connection %q becomes %q, want %q", before, seen.Header["Connection"], after)
		}
	}
}

// HDR6, G30, over real connections: a trailer comes after the headers were
// judged.
func TestHDR6ForgedTrailersReachNobody(t *testing.T) {
	a := newApp(t)
	h := a.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, slices.Sorted(maps.Keys(r.Trailer)))
	}))
	t.Run("HTTP/1.1", func(t *testing.T) {
		srv := httptest.NewServer(h)
		defer srv.Close()
		for announced, want := range map[string]string{
			"Trailer: X-MS-CLIENT-PRINCIPAL-ID, X-Checksum\r\n": "[X-Checksum]",
			"Trailer: X-Checksum\r\n":                           "[X-Checksum]",
			"":                                                  "[]",
		} {
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: app.example\r\n%sTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"+
				"2\r\nhi\r\n0\r\nX-MS-CLIENT-PRINCIPAL-ID: forged\r\nX_MS_TOKEN_AAD: forged\r\nX-Checksum: 1\r\n\r\n", announced)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			if string(body) != want {
				t.Errorf("%q: the handler sees the trailer %s, want %s", announced, body, want)
			}
			conn.Close()
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(h)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		defer srv.Close()
		r, _ := http.NewRequest("POST", srv.URL, strings.NewReader("hi"))
		r.ContentLength = -1
		r.Trailer = http.Header{"X-Ms-Client-Principal-Id": {"forged"}, "X-Checksum": {"1"}}
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.ProtoMajor != 2 || string(body) != "[X-Checksum]" {
			t.Errorf("%s: the handler sees the trailer %s", resp.Proto, body)
		}
	})
}

// FuzzNoSpellingOfAnIdentityHeaderPasses is F12: nothing that a CGI, a proxy or
// a careless reader could take for one of our headers reaches the application.
func FuzzNoSpellingOfAnIdentityHeaderPasses(f *testing.F) {
	for _, forgery := range forged {
		f.Add(forgery.header, forgery.header)
	}
	f.Add("X-Ms-Version", "close, x_ms_token")
	a := newApp(f)
	f.Fuzz(func(t *testing.T, name, connection string) {
		r := request("GET", "/")
		r.Header[name] = []string{"forged"}
		r.Trailer = http.Header{name: nil}
		r.Header["Connection"] = []string{connection}
		_, seen := visit(a.Authenticate, r)
		for _, h := range []http.Header{seen.Header, seen.Trailer} {
			for name := range h {
				if reserved(name) {
					t.Errorf("%q reaches the application", name)
				}
			}
		}
		for option := range strings.SplitSeq(seen.Header.Get("Connection"), ",") {
			if reserved(strings.TrimSpace(option)) {
				t.Errorf("Connection still says %q", option)
			}
		}
	})
}

// reserved reads a name as a CGI does, and PHP, and a proxy that allows
// underscores: independently of the code under test.
func reserved(name string) bool {
	cgi := strings.Map(func(c rune) rune {
		if strings.ContainsRune("-_.~!#$%&'*+^`|", c) {
			return '_'
		}
		return c
	}, strings.ToUpper(name))
	return strings.HasPrefix(cgi, "X_MS_CLIENT_") || strings.HasPrefix(cgi, "X_MS_TOKEN_") || strings.HasPrefix(cgi, "X_MS_ALLOW_HTTP")
}
