package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

func TestTheApplicationIsToldWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(g.Base+"/.auth/login/aad?post_login_redirect_uri=/", "ada")
	s := look(t, ada, g.Base+"/")

	raw, err := base64.StdEncoding.DecodeString(s.Header.Get("X-MS-CLIENT-PRINCIPAL"))
	var principal struct {
		AuthTyp string `json:"auth_typ"`
		NameTyp string `json:"name_typ"`
		Claims  []struct{ Typ, Val string }
	}
	if err != nil || json.Unmarshal(raw, &principal) != nil {
		t.Fatalf("the principal is %q: %v", raw, err)
	}
	var names, oid []string
	for _, claim := range principal.Claims {
		if claim.Typ == principal.NameTyp {
			names = append(names, claim.Val)
		}
		if strings.HasSuffix(claim.Typ, "/objectidentifier") {
			oid = append(oid, claim.Val)
		}
	}
	if principal.AuthTyp != "aad" || !slices.Equal(names, []string{"ada@example.com"}) || len(oid) != 1 {
		t.Errorf("the principal is %s", raw)
	}
	for name, want := range map[string]string{
		"X-MS-CLIENT-PRINCIPAL-ID":   oid[0],
		"X-MS-CLIENT-PRINCIPAL-NAME": "ada@example.com",
		"X-MS-CLIENT-PRINCIPAL-IDP":  "aad",
	} {
		if got := s.Header.Values(name); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"ACCESS-TOKEN", "ID-TOKEN", "REFRESH-TOKEN", "EXPIRES-ON"} {
		if s.Header.Get("X-MS-TOKEN-AAD-"+name) == "" {
			t.Errorf("no X-MS-TOKEN-AAD-%s", name)
		}
	}
	if session := ada.Cookies(g.Base)[0]; !strings.Contains(s.Header.Get("Cookie"), session.Name+"="+session.Value) {
		t.Error("the session cookie is kept from the application, whose own SDK reads it (contract 2.1)")
	}
}

// forged are headers by which a client says that it is somebody: HDR1 to HDR4.
var forged = []string{
	"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "x-ms-client-principal-name", "X-Ms-Client-Principal-Idp",
	"X_MS_CLIENT_PRINCIPAL_ID", "X-MS_CLIENT.PRINCIPAL-NAME", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-MS-TOKEN-MADE-UP",
	"x_ms_token_google_id_token",
}

func TestHDR1ForgedHeadersReachTheApplicationOnNoWay(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(g.Base+"/.auth/login/google?post_login_redirect_uri=/", "ada")
	cookie := ada.Cookies(g.Base)[0]

	for name, change := range map[string]func(*http.Request){
		"a stranger":           func(*http.Request) {},
		"a preflight":          func(r *http.Request) { r.Method = http.MethodOptions },
		"a bad cookie":         func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookie.Name, Value: "forged"}) },
		"HDR5 with Connection": func(r *http.Request) { r.Header.Set("Connection", "keep-alive, X-MS-CLIENT-PRINCIPAL-ID") },
	} {
		r := get(t, g.Base+"/")
		for _, header := range forged {
			r.Header[header] = []string{"mallory", "mallory"}
		}
		change(r)
		var s seen
		read(t, do(t, r), &s)
		if own := s.own(); len(own) > 0 {
			t.Errorf("%s: the application sees %q", name, own)
		}
	}

	t.Run("a user who forges is still only that user", func(t *testing.T) {
		r := get(t, g.Base+"/")
		r.AddCookie(cookie)
		for _, header := range forged {
			r.Header[header] = []string{"mallory"}
		}
		// HDR5: a proxy drops what Connection names.
		r.Header["Connection"] = []string{"close, X-MS-CLIENT-PRINCIPAL-ID", "x-ms-client-principal, X-MS-TOKEN-GOOGLE-ACCESS-TOKEN"}
		var s seen
		read(t, do(t, r), &s)
		for _, name := range s.own() {
			if strings.Contains(strings.Join(s.Header[name], " "), "mallory") || http.CanonicalHeaderKey(name) != name {
				t.Errorf("%s: %q", name, s.Header[name])
			}
		}
		for _, name := range []string{"X-MS-CLIENT-PRINCIPAL", "X-MS-CLIENT-PRINCIPAL-ID", "X-MS-CLIENT-PRINCIPAL-NAME", "X-MS-CLIENT-PRINCIPAL-IDP", "X-MS-TOKEN-GOOGLE-ACCESS-TOKEN"} {
			if len(s.Header.Values(name)) != 1 {
				t.Errorf("HDR5: %s is %q", name, s.Header.Values(name))
			}
		}
	})
}

func TestHDR6OnlyHonestTrailersReachTheApplication(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	conn := dial(t, g.Base)
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nTrailer: X-Checksum, X-MS-CLIENT-PRINCIPAL-ID\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"2\r\nhi\r\n0\r\nX-MS-CLIENT-PRINCIPAL-ID: forged\r\nX_MS_TOKEN_AAD: forged\r\nX-Checksum: 1\r\n\r\n")
	var s seen
	read(t, answer(t, conn), &s)
	if len(s.Trailer) != 1 || s.Trailer.Get("X-Checksum") != "1" {
		t.Errorf("the application sees the trailer %v", s.Trailer)
	}
}

// HST3, HST5, PTH7: only proxies say how a request came to them, and only those
// that the gateway was told of.
func TestTheApplicationLearnsItsPublicAddressFromTheGatewayOnly(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		args []string
		from string // X-Forwarded-For as the application sees it
	}{
		"nobody is trusted":      {nil, "127.0.0.1"},
		"another one is trusted": {[]string{"-trusted-proxies", "10.0.0.0/8, 192.0.2.1"}, "127.0.0.1"},
		"the peer is trusted":    {[]string{"-trusted-proxies", "192.0.2.1,127.0.0.0/8"}, "198.51.100.7, 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, mirror, row.args...)
			r := get(t, g.Base+"/here")
			r.Host = "localhost"
			for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Uri",
				"X-Forwarded-Port", "X_Forwarded_Host", "X-Forwarded_Proto", "X-Original-URL", "X-Rewrite-URL", "X-Real-IP", "x_client_ip"} {
				r.Header[h] = []string{"/admin"}
			}
			r.Header["X-Forwarded-For"] = []string{"198.51.100.7"}
			var s seen
			read(t, do(t, r), &s)
			got := make(http.Header)
			for name, values := range s.Header {
				if name = strings.ToLower(strings.ReplaceAll(name, "_", "-")); strings.HasPrefix(name, "x-") || name == "forwarded" {
					got[name] = append(got[name], values...)
				}
			}
			want := http.Header{"x-forwarded-for": {row.from}, "x-forwarded-host": {strings.TrimPrefix(g.Base, "http://")}, "x-forwarded-proto": {"http"}}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("the application sees %v, want %v", got, want)
			}
			if s.Host != "localhost" {
				t.Errorf("Host %q: it is the client's, which the application must be able to refuse", s.Host)
			}
		})
	}
}

func TestARequestIsPassedOnAsItWasWritten(t *testing.T) {
	t.Parallel()
	g := start(t, mirror)
	for _, uri := range []string{"/", "/a%2Fb/c", "//x", "/a;b=c", "/caf%C3%A9", "/x?a=1;b=2&%zz&c", "/x?", "/?redirect=https://example.org/%2F"} {
		conn := dial(t, g.Base)
		fmt.Fprintf(conn, "BREW %s HTTP/1.1\r\nHost: localhost\r\nX-Zumo-Auth: a.b.c\r\nConnection: close\r\n\r\n", uri)
		var s seen
		read(t, answer(t, conn), &s)
		if s.Method != "BREW" || s.URI != uri || s.Host != "localhost" {
			t.Errorf("BREW %s of localhost becomes %s %s of %s", uri, s.Method, s.URI, s.Host)
		}
		if s.Header["Accept-Encoding"] != nil || s.Header.Get("X-Zumo-Auth") != "a.b.c" || s.Header["User-Agent"] != nil {
			t.Errorf("%s: the headers become %v", uri, s.Header)
		}
	}
}

func TestTheAnswerIsPassedBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	const zipped = "\x1f\x8bnot really"
	g := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "app=1; Path=/; Domain=app.example")
		w.Header().Add("Set-Cookie", "app=2; Path=/x")
		w.Header().Set("Location", "http://"+r.Host+"/elsewhere?a=b")
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("WWW-Authenticate", `Basic realm="application"`)
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusFound)
		_, _ = w.Write([]byte(zipped))
		w.Header().Set("X-Sum", "1")
	}))
	r := get(t, g.Base+"/")
	r.Header.Set("Accept-Encoding", "gzip") // or the client unpacks it
	resp := do(t, r)
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusFound || string(body) != zipped || resp.Trailer.Get("X-Sum") != "1" {
		t.Errorf("%d %q %v %v", resp.StatusCode, body, resp.Trailer, err)
	}
	for name, want := range map[string][]string{
		"Location":         {g.Base + "/elsewhere?a=b"},
		"Set-Cookie":       {"app=1; Path=/; Domain=app.example", "app=2; Path=/x"},
		"Content-Encoding": {"gzip"},
		"Www-Authenticate": {`Basic realm="application"`},
	} {
		if got := resp.Header[name]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestNoSuchRouteOfTheGatewayIsAskedOfTheApplication(t *testing.T) {
	t.Parallel()
	g := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the application is asked for %s", r.RequestURI)
	}))
	for _, uri := range []string{"/.auth", "/.auth/nothing", "/.auth%2fme", "//.auth/me", "/x/../.auth/me", "/.AUTH/me"} {
		conn := dial(t, g.Base)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", uri)
		if resp := answer(t, conn); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", uri, resp.StatusCode)
		}
	}
}

func TestAnAddressOfAProxyIsTheSameInEverySpelling(t *testing.T) {
	trusted, err := parseProxies("10.0.0.0/8,2001:db8::/32,fe80::1")
	if err != nil {
		t.Fatal(err)
	}
	p := passOn{proxies: trusted}
	for remote, want := range map[string]bool{ // HST6
		"10.1.2.3:9": true, "[::ffff:10.1.2.3]:9": true, "[2001:db8::9]:9": true, "[fe80::1%eth0]:9": true,
		"11.1.2.3:9": false, "[2001:db9::9]:9": false, "@": false, "": false, "10.1.2.3": false,
	} {
		if got := p.trusts(remote); got != want {
			t.Errorf("%q is trusted: %v", remote, got)
		}
	}
}

func dial(t *testing.T, base string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
