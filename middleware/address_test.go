package middleware_test

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// behind puts a proxy before the application.
func behind(p middleware.ForwardProxy) func(*middleware.Config, *session.Config) {
	return func(m *middleware.Config, _ *session.Config) { m.ForwardProxy = &p }
}

var tenNet = middleware.ForwardProxy{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}

// from is a request of plain http by this peer.
func from(peer, method, target string, headers ...string) *http.Request {
	r := request(method, target)
	r.RemoteAddr, r.TLS = peer, nil
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestRequireHTTPS(t *testing.T) {
	const proxy, stranger = "10.1.2.3:40000", "203.0.113.9:40000"
	custom := tenNet
	custom.ProtoHeader = "x-original-proto"
	for _, tt := range []struct {
		name   string
		proxy  *middleware.ForwardProxy
		r      *http.Request
		passes bool
	}{
		{"http", nil, from(stranger, "GET", "/a?b=c"), false},
		{"https", nil, func() *http.Request { r := from(stranger, "GET", "/"); r.TLS = new(tls.ConnectionState); return r }(), true},
		{"HST3 no proxy is configured", nil, from(proxy, "GET", "/a?b=c", "X-Forwarded-Proto", "https"), false},
		{"HST3 an untrusted peer", &tenNet, from(stranger, "GET", "/a?b=c", "X-Forwarded-Proto", "https"), false},
		{"the proxy says https", &tenNet, from(proxy, "GET", "/", "X-Forwarded-Proto", "https"), true},
		{"the proxy says http", &tenNet, from(proxy, "GET", "/a?b=c", "X-Forwarded-Proto", "http"), false},
		{"the proxy says nothing", &tenNet, from(proxy, "GET", "/a?b=c"), false},
		{"HST5 the client said https before", &tenNet, from(proxy, "GET", "/a?b=c", "X-Forwarded-Proto", "https, http"), false},
		{"HST5 in a header of its own", &tenNet, from(proxy, "GET", "/a?b=c", "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"), false},
		{"HST5 the client said http before", &tenNet, from(proxy, "GET", "/", "X-Forwarded-Proto", "http,HTTPS"), true},
		{"HST5 an alias", &tenNet, from(proxy, "GET", "/a?b=c", "X_Forwarded_Proto", "https"), false},
		{"HST3 another convention", &tenNet, from(proxy, "GET", "/a?b=c", "Forwarded", "proto=https", "X-Original-Proto", "https"), false},
		{"a header of one's own", &custom, from(proxy, "GET", "/", "X-Original-Proto", "https"), true},
		{"and then no other", &custom, from(proxy, "GET", "/a?b=c", "X-Forwarded-Proto", "https"), false},
		{"HST6 IPv4 in IPv6", &tenNet, from("[::ffff:10.0.0.1]:1", "GET", "/", "X-Forwarded-Proto", "https"), true},
		{"HST6 a zone", &tenNet, from("[fd00::1%eth0]:1", "GET", "/", "X-Forwarded-Proto", "https"), true},
		{"HST6 another IPv4 in IPv6", &tenNet, from("[::ffff:203.0.113.9]:1", "GET", "/a?b=c", "X-Forwarded-Proto", "https"), false},
		{"HST6 a Unix socket", &tenNet, from("@", "GET", "/a?b=c", "X-Forwarded-Proto", "https"), false},
		{"HDR10 a header of App Service's own", nil, from(stranger, "GET", "/a?b=c", "X-MS-ALLOW-HTTP", "true"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t, gated(middleware.Gate{RequireHTTPS: true}), func(m *middleware.Config, _ *session.Config) { m.ForwardProxy = tt.proxy })
			tt.r.Host = "evil.example" // HST1
			rec, seen := visit(a.Authenticate, tt.r)
			if (seen != nil) != tt.passes {
				t.Fatalf("passes: %v, status %d", seen != nil, rec.Code)
			}
			if got := rec.Header().Get("Location"); !tt.passes && (rec.Code != 301 || got != "https://app.example/a?b=c" || rec.Header().Get("Cache-Control") != "no-store") {
				t.Errorf("%d to %q", rec.Code, got)
			}
		})
	}
}

func TestRequireHTTPSHoldsForEveryRoute(t *testing.T) {
	a := newApp(t, gated(middleware.Gate{RequireHTTPS: true, ExcludedPaths: []string{"/open"}}))
	for _, tt := range []struct {
		method, target string
		location       string // "": 403
	}{
		{"GET", "/.auth/login/google?a=b", "https://app.example/.auth/login/google?a=b"},
		{"HEAD", "/open", "https://app.example/open"},
		{"GET", "//evil.example/x", "https://app.example//evil.example/x"}, // G33
		{"GET", "http://evil.example/x", "https://app.example/x"},          // HST2
		{"POST", "/api", ""},
		{"OPTIONS", "*", ""},
	} {
		rec, seen := visit(a.Authenticate, from("203.0.113.9:1", tt.method, tt.target))
		if seen != nil || rec.Header().Get("Location") != tt.location || tt.location == "" && (rec.Code != 403 || reason(rec) != "https_required") {
			t.Errorf("%s %s: %d to %q", tt.method, tt.target, rec.Code, rec.Header().Get("Location"))
		}
	}
}

func TestCanonicalHost(t *testing.T) {
	a := newApp(t, gated(middleware.Gate{CanonicalHost: true}), behind(tenNet))
	for _, tt := range []struct {
		name, host, forwarded string
		passes                bool
	}{
		{"ours", "app.example", "", true},
		{"ours with its port", "App.Example:443", "", true},
		{"another", "www.app.example", "", false},
		{"another port", "app.example:8443", "", false},
		{"ours by the proxy", "internal:8080", "app.example", true},
		{"another by the proxy", "app.example", "old.example", false},
		{"HST5 what the client said before", "internal:8080", "evil.example, app.example", true},
	} {
		r := page("/a?b=c")
		r.Host, r.RemoteAddr = tt.host, "10.0.0.1:1"
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-Host", tt.forwarded)
		}
		rec, seen := visit(a.Authenticate, r)
		if (seen != nil) != tt.passes || !tt.passes && rec.Header().Get("Location") != "https://app.example/a?b=c" {
			t.Errorf("%s: %d to %q", tt.name, rec.Code, rec.Header().Get("Location"))
		}
	}
	r := request("GET", "/healthz") // a load balancer asks by address
	r.Host = "10.0.0.9:8080"
	if _, seen := visit(a.Authenticate, r); seen == nil {
		t.Error("a program is redirected")
	}
}

// HST4: nobody, or everybody, is no list of proxies.
func TestHST4ForwardProxiesThatAreRefused(t *testing.T) {
	m, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	base, _ := url.Parse("https://app.example")
	for name, trusted := range map[string][]netip.Prefix{
		"none": nil, "everybody": {netip.MustParsePrefix("0.0.0.0/0")}, "everybody by IPv6": {netip.MustParsePrefix("::/0")}, "no prefix": {{}},
	} {
		g, err := middleware.New(middleware.Config{Sessions: m, BaseURL: base, ForwardProxy: &middleware.ForwardProxy{Trusted: trusted}})
		if g != nil || err == nil || !strings.Contains(err.Error(), "ForwardProxy.Trusted") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
