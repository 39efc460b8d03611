package middleware_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

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
	chunked := request("POST", "/upload")
	chunked.Body, chunked.ContentLength = io.NopCloser(strings.NewReader("x")), -1
	upgrade := request("GET", "/ws")
	upgrade.Header.Set("Upgrade", "websocket")
	ways := map[string]*http.Request{ // HDR7
		"a public route":      request("GET", "/"),
		"a preflight":         request("OPTIONS", "/"),
		"a route of easyauth": request("GET", "/.auth/me"),
		"an upgrade":          upgrade,
		"an upload":           chunked,
		"a forged cookie":     request("GET", "/", &http.Cookie{Name: "__Host-easyauth", Value: strings.Repeat("A", 43)}),
	}
	for where, r := range ways {
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

// HDR7: a guard without Authenticate around it strips too, whether it lets the
// request pass or refuses it.
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
