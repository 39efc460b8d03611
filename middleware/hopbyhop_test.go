package middleware_test

import (
	"bufio"
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
)

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
