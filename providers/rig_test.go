package providers_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

const (
	appHost  = "app.example"
	callback = "https://app.example/.auth/login/op/callback"
)

// rig is one provider under test, an OpenID provider for it to talk to, and a
// browser that carries alice from one to the other.
type rig struct {
	t       *testing.T
	op      *providertest.Server
	network *providertest.Network
	browser *providertest.Browser
	*providers.OIDC

	returned url.Values // what the application's callback got last
	params   url.Values // the caller's parameters of the next attempts
}

// newRig makes a rig. The OpenID provider signs with ES256 unless cfg says
// otherwise, because an RSA key takes a tenth of a second to make.
func newRig(t *testing.T, cfg providertest.Config, change ...func(*providers.OIDCConfig)) *rig {
	t.Helper()
	if cfg.Algorithm == "" {
		cfg.Algorithm = "ES256"
	}
	r := &rig{t: t, op: providertest.New(cfg)}
	r.network = providertest.NewNetwork(map[string]http.Handler{r.op.Host(): r.op, appHost: http.HandlerFunc(r.receive)})
	r.browser = providertest.NewBrowser(r.network)
	r.OIDC = newOIDC(t, append([]func(*providers.OIDCConfig){func(c *providers.OIDCConfig) {
		c.Issuer = r.op.Issuer()
		c.Scopes = []string{"openid", "profile", "email", "offline_access"}
		c.HTTPClient = &http.Client{Transport: r.network}
	}}, change...)...)
	return r
}

// newOIDC makes a provider named "op" at https://op.example.
func newOIDC(t testing.TB, change ...func(*providers.OIDCConfig)) *providers.OIDC {
	t.Helper()
	p, err := providers.NewOIDC(config(change...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func config(change ...func(*providers.OIDCConfig)) providers.OIDCConfig {
	cfg := providers.OIDCConfig{
		Name:         "op",
		Issuer:       "https://op.example",
		ClientID:     providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret),
	}
	for _, c := range change {
		c(&cfg)
	}
	return cfg
}

// receive is the application's callback.
func (r *rig) receive(w http.ResponseWriter, req *http.Request) {
	_ = req.ParseForm()
	r.returned = req.Form
}

// begin begins an attempt.
func (r *rig) begin() (providers.Flow, string) {
	r.t.Helper()
	flow := providers.NewFlow("op", callback, "/")
	address, err := r.Begin(r.t.Context(), &flow, r.params)
	if err != nil {
		r.t.Fatal(err)
	}
	return flow, address
}

// respond begins an attempt, signs alice in, and returns what came back.
func (r *rig) respond() (providers.Flow, url.Values) {
	r.t.Helper()
	flow, address := r.begin()
	r.returned = nil
	if _, err := r.browser.SignIn(address, "alice"); err != nil {
		r.t.Fatal(err)
	}
	if r.returned == nil {
		r.t.Fatal("nothing came back to the application")
	}
	return flow, r.returned
}

// attempt signs alice in from beginning to end.
func (r *rig) attempt() (*providers.Login, error) {
	r.t.Helper()
	flow, response := r.respond()
	return r.Complete(r.t.Context(), flow, response)
}

// signIn is an attempt that succeeds.
func (r *rig) signIn() *providers.Login {
	r.t.Helper()
	login, err := r.attempt()
	if err != nil {
		r.t.Fatal(err)
	}
	return login
}

// refresh presents a refresh token.
func (r *rig) refresh(token providers.Secret) (*providers.Tokens, error) {
	return r.Refresh(r.t.Context(), providers.RefreshRequest{RefreshToken: token})
}

// mutateIDToken makes the provider lie in its ID tokens.
func (r *rig) mutateIDToken(f func(*providertest.Draft)) {
	r.op.Mutate(providertest.Mutations{IDToken: f})
}

// wantError demands an *Error of this kind whose text holds reason.
func wantError(t testing.TB, err error, kind providers.Kind, reason string) *providers.Error {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, want %v: %s", err, kind, reason)
	}
	if e.Kind != kind || !strings.Contains(e.Error(), reason) {
		t.Fatalf("error is %q (%v), want %v: %s", e, e.Kind, kind, reason)
	}
	if e.Provider != "op" || e.Op == "" {
		t.Errorf("error does not say where: %#v", e)
	}
	return e
}

// roundTrip is a transport in a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func parseURL(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// discard takes what a test server has to complain about.
var discard = log.New(io.Discard, "", 0)
