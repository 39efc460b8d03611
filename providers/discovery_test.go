package providers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestDiscoveryDocumentIsRefused: one defect makes the whole provider unusable,
// and no authorization request leaves.
func TestDiscoveryDocumentIsRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		member string
		value  any // nil: missing
		reason string
	}{
		{"MIX5 issuer of somebody else", "issuer", "https://other.example", "is not the configured one"},
		{"MIX5 no issuer", "issuer", nil, "is not the configured one"},
		{"MIX5 trailing slash", "issuer", "https://op.example/", "trailing slash"},
		{"no authorization_endpoint", "authorization_endpoint", nil, "has no authorization_endpoint"},
		{"no token_endpoint", "token_endpoint", nil, "has no token_endpoint"},
		{"no jwks_uri", "jwks_uri", nil, "has no jwks_uri"},
		{"token_endpoint of the wrong type", "token_endpoint", 7, "has no token_endpoint"},
		{"G12 authorization_endpoint javascript", "authorization_endpoint", "javascript:alert(1)", "the authorization_endpoint is not an absolute URL"},
		{"G12 token_endpoint link-local", "token_endpoint", "http://169.254.169.254/t", "the token_endpoint is not an https URL"},
		{"G12 jwks_uri file", "jwks_uri", "file:///etc/passwd", "the jwks_uri is not an absolute URL"},
		{"IDP2 http", "userinfo_endpoint", "http://op.example/userinfo", "the userinfo_endpoint is not an https URL"},
		{"IDP2 http on loopback for an issuer that is not", "token_endpoint", "http://127.0.0.1/t", "the token_endpoint is not an https URL"},
		{"IDP2 IP literal", "token_endpoint", "https://10.0.0.1/t", "has an IP address"},
		{"IDP2 IPv6 literal", "token_endpoint", "https://[fd00::1]/t", "has an IP address"},
		{"IDP2 IP in decimal", "token_endpoint", "https://2130706433/t", "has an IP address"},
		{"IDP2 IP in hexadecimal parts", "token_endpoint", "https://0x7f.1/t", "has an IP address"},
		{"IDP2 IP with a dot at its end", "token_endpoint", "https://127.1./t", "has an IP address"},
		{"IDP2 userinfo part", "revocation_endpoint", "https://op.example@evil.example/r", "has a user or fragment part"},
		{"IDP2 fragment", "end_session_endpoint", "https://op.example/logout#x", "has a user or fragment part"},
		{"IDP2 relative", "authorization_endpoint", "/authorize", "is not an absolute URL"},
		{"IDP2 no URL", "authorization_endpoint", "https://op.example/%zz", "is not an absolute URL"},
		{"neither way to authenticate", "token_endpoint_auth_methods_supported", []string{"private_key_jwt"}, "takes neither"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
				if doc[row.member] = row.value; row.value == nil {
					delete(doc, row.member)
				}
			}})
			flow := providers.NewFlow("op", callback, "/")
			address, err := r.Begin(t.Context(), &flow, nil)
			wantError(t, err, providers.Misconfigured, row.reason)
			if address != "" {
				t.Errorf("an address came with the error")
			}
			wantError(t, r.Ready(t.Context()), providers.Misconfigured, row.reason)
		})
	}
}

// TestDiscoveryAnswerIsUnusable: these may pass, so they mean "later".
func TestDiscoveryAnswerIsUnusable(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  providertest.Fault
		reason string
	}{
		{"IDP1 302 to another host", providertest.Fault{Status: 302, Header: http.Header{"Location": {"https://evil.example/"}}}, "status 302"},
		{"IDP1 307 to a link-local address", providertest.Fault{Status: 307, Header: http.Header{"Location": {"http://169.254.169.254/"}}}, "status 307"},
		{"404", providertest.Fault{Status: 404, Body: "not here"}, "status 404"},
		{"500", providertest.Fault{Status: 500, Body: "stack trace"}, "status 500"},
		{"down", providertest.Fault{Down: true}, "dial"},
		{"cut", providertest.Fault{Cut: true}, "no whole answer"},
		{"G19 never answers", providertest.Fault{Delay: time.Hour}, "deadline exceeded"},
		{"HTML", providertest.Fault{Body: "<html>Welcome</html>"}, "is not a JSON object"},
		{"array", providertest.Fault{Body: "[]"}, "is not a JSON object"},
		{"a member that repeats", providertest.Fault{Body: `{"issuer":"https://op.example","issuer":"https://op.example"}`}, "is not a JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, providertest.Config{})
				r.network.Handle("evil.example", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					t.Error("the redirect was followed")
				}))
				r.op.Fail(providertest.Discovery, row.fault)
				flow := providers.NewFlow("op", callback, "/")
				_, err := r.Begin(t.Context(), &flow, nil)
				e := wantError(t, err, providers.Unready, row.reason)
				if e.RetryAfter != time.Second {
					t.Errorf("RetryAfter %v, want 1s", e.RetryAfter)
				}
				if strings.Contains(e.Error(), "stack trace") {
					t.Error("the body is in the error")
				}
				time.Sleep(time.Hour) // until the last answer has gone nowhere
			})
		})
	}
}

// TestApplicationStartsWhileItsProviderIsDown: nothing is asked at the start;
// meanwhile sign-ins are told when to come back, and the provider is not
// stormed; once it is up the next one succeeds.
func TestApplicationStartsWhileItsProviderIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		up := r.network.Down(r.op.Host())
		if n := asked(r); n != 0 {
			t.Fatalf("%d requests by NewOIDC", n)
		}
		var waits []time.Duration
		for range 9 {
			e := wantError(t, r.Ready(t.Context()), providers.Unready, "dial")
			waits = append(waits, e.RetryAfter)
			time.Sleep(e.RetryAfter)
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
			if waits[i] != want*time.Second {
				t.Errorf("pause %d is %v, want %ds", i, waits[i], want)
			}
		}
		e := wantError(t, r.Ready(t.Context()), providers.Unready, "dial")
		up()
		wantError(t, r.Ready(t.Context()), providers.Unready, "dial") // nobody asks before the pause is over
		time.Sleep(e.RetryAfter)
		r.signIn()
		if err := r.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func asked(r *rig) (n int) {
	for _, requests := range r.op.Stats().Requests {
		n += requests
	}
	return n
}

// TestDiscoveryIsAskedOnceForAll: a thousand sign-ins at the start are one
// request, and who leaves early spoils nothing for the others.
func TestDiscoveryIsAskedOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		release := r.op.Hold(providertest.Discovery)
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if err := r.Ready(first); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		})
		synctest.Wait()
		for range 1000 {
			all.Go(func() {
				flow := providers.NewFlow("op", callback, "/")
				if _, err := r.Begin(t.Context(), &flow, nil); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		leave()
		synctest.Wait()
		release()
		all.Wait()
		if n := r.op.Stats().Requests[providertest.Discovery]; n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestDiscoveryIsRenewedBehindTheCaller: an old document is used while a new
// one is fetched, and kept when that fails.
func TestDiscoveryIsRenewedBehindTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{})
		r.signIn()
		time.Sleep(2 * time.Hour)
		moved := false
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
			if moved {
				doc["authorization_endpoint"] = "https://op.example/moved"
			} else {
				doc["issuer"] = "https://evil.example"
			}
		}})
		release := r.op.Hold(providertest.Discovery)
		if _, address := r.begin(); !strings.HasPrefix(address, "https://op.example/authorize?") {
			t.Errorf("%s", address)
		}
		release()
		synctest.Wait()
		r.signIn() // what came was refused, what was there still holds
		moved = true
		time.Sleep(time.Second)
		r.begin()
		synctest.Wait()
		if _, address := r.begin(); !strings.HasPrefix(address, "https://op.example/moved?") {
			t.Errorf("still %s", address)
		}
	})
}

// TestG15AuthStyleIsFixed: how the client authenticates follows from discovery
// or the configuration; a refusal is not tried again the other way.
func TestG15AuthStyleIsFixed(t *testing.T) {
	for _, row := range []struct {
		name       string
		listed     any // nil: not told
		configured oauth2.AuthStyle
		works      string // the only method the provider takes
	}{
		{"not told means basic", nil, 0, "client_secret_basic"},
		{"both told", []string{"client_secret_post", "client_secret_basic"}, 0, "client_secret_basic"},
		{"post told", []string{"private_key_jwt", "client_secret_post"}, 0, "client_secret_post"},
		{"configured post", []string{"client_secret_basic"}, oauth2.AuthStyleInParams, "client_secret_post"},
		{"configured basic", []string{"client_secret_post"}, oauth2.AuthStyleInHeader, "client_secret_basic"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, works := range []bool{true, false} {
				takes := row.works
				if !works {
					takes = map[string]string{"client_secret_basic": "client_secret_post", "client_secret_post": "client_secret_basic"}[takes]
				}
				r := newRig(t, onlyAuth(takes), func(c *providers.OIDCConfig) { c.AuthStyle = row.configured })
				r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
					if doc["token_endpoint_auth_methods_supported"] = row.listed; row.listed == nil {
						delete(doc, "token_endpoint_auth_methods_supported")
					}
				}})
				_, err := r.attempt()
				if works && err != nil {
					t.Error(err)
				}
				if !works {
					wantError(t, err, providers.Misconfigured, `"invalid_client"`)
				}
				if n := r.op.Stats().Requests[providertest.Token]; n != 1 {
					t.Errorf("%d token requests, want 1", n)
				}
			}
		})
	}
}

// TestClientCredentialsAreEncoded: RFC 6749 section 2.3.1 wants the parts of
// the Basic header form-encoded.
func TestClientCredentialsAreEncoded(t *testing.T) {
	for _, method := range []string{"client_secret_basic", "client_secret_post"} {
		t.Run(method, func(t *testing.T) {
			const id, secret = "app:1/ä", "s%c ret:+&="
			r := newRig(t, providertest.Config{Clients: []providertest.Registration{{ID: id, Secret: secret, AuthMethod: method}}},
				func(c *providers.OIDCConfig) {
					c.ClientID, c.ClientSecret = id, providers.NewSecret(secret)
					if method == "client_secret_post" {
						c.AuthStyle = oauth2.AuthStyleInParams
					}
				})
			r.signIn()
		})
	}
}

// TestLoopbackIssuerMayBeHTTP: development providers only.
func TestLoopbackIssuerMayBeHTTP(t *testing.T) {
	for issuer, reason := range map[string]string{
		"http://127.0.0.1:9000":    "",
		"http://localhost:9000":    "",
		"http://op.localhost:9000": "",
		"http://[::1]:9000":        "",
	} {
		op := providertest.New(providertest.Config{Issuer: issuer, Algorithm: "ES256"})
		network := providertest.NewNetwork(map[string]http.Handler{op.Host(): op})
		p := newOIDC(t, func(c *providers.OIDCConfig) {
			c.Issuer, c.HTTPClient = issuer, &http.Client{Transport: network}
		})
		if err := p.Ready(t.Context()); err != nil || reason != "" {
			t.Errorf("%s: %v", issuer, err)
		}
		op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { doc["token_endpoint"] = "http://10.0.0.1/token" }})
		fresh := newOIDC(t, func(c *providers.OIDCConfig) {
			c.Issuer, c.HTTPClient = issuer, &http.Client{Transport: network}
		})
		wantError(t, fresh.Ready(t.Context()), providers.Misconfigured, "the token_endpoint is not an https URL")
	}
}

// TestDiscoveryURL: the document may be elsewhere, its issuer may not.
func TestDiscoveryURL(t *testing.T) {
	r := newRig(t, providertest.Config{Issuer: "https://op.example/tenant"}, func(c *providers.OIDCConfig) {
		c.DiscoveryURL = "https://meta.example/configuration"
	})
	r.network.Handle("meta.example", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/configuration" {
			t.Errorf("asked for %s", req.URL.Path)
		}
		forwarded := req.Clone(req.Context())
		forwarded.URL = &url.URL{Path: "/tenant/.well-known/openid-configuration"}
		r.op.ServeHTTP(w, forwarded)
	}))
	r.signIn()
}
