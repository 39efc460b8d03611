package providertest_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

const (
	tellApp   = "https://app.example/told"
	tellOther = "https://other.example/told"
)

// listener is a client's back-channel logout address, and what go-oidc reads
// there.
type listener struct {
	client string

	mu   sync.Mutex
	told []string // "sub sid"
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, err := oidc.NewProvider(r.Context(), "https://op.example")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	token, err := op.Verifier(&oidc.Config{ClientID: l.client, SupportedSigningAlgs: []string{"ES256"}}).VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.told = append(l.told, err.Error())
		return
	}
	l.told = append(l.told, token.Subject+" "+token.SessionID)
}

func TestClientsAreToldOfSignOuts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Clients: []providertest.Registration{
			{ID: "app", Secret: "s", BackChannelLogoutURI: tellApp},
			{ID: "other", Secret: "s", BackChannelLogoutURI: tellOther},
			{ID: "deaf", Secret: "s"},
		}})
		app, other := &listener{client: "app"}, &listener{client: "other"}
		network := providertest.NewNetwork(map[string]http.Handler{c.op.Host(): c.op, "app.example": withKeys(c.op, app), "other.example": withKeys(c.op, other)})
		c.op.ReachClients(network)

		visit := func(clients ...string) *providertest.Browser {
			b := providertest.NewBrowser(network)
			for _, id := range clients {
				c.config.ClientID, c.config.ClientSecret = id, "s"
				if _, err := b.SignIn(c.authURL(), "alice"); err != nil {
					t.Fatal(err)
				}
			}
			return b
		}
		both, one := visit("app", "other", "deaf"), visit("app")
		app.told, other.told = nil, nil // their callbacks are at the same hosts
		time.Sleep(time.Hour)           // the codes have long been forgotten

		if _, err := both.Open(c.op.Issuer() + "/logout"); err != nil {
			t.Fatal(err)
		}
		if len(app.told) != 1 || len(other.told) != 1 || app.told[0] != other.told[0] || app.told[0] == "sub-alice " {
			t.Errorf("told %q and %q: want both of one session", app.told, other.told)
		}
		if _, err := both.Open(c.op.Issuer() + "/logout"); err != nil || len(app.told) != 1 {
			t.Errorf("signed out twice: %v, told %q", err, app.told)
		}
		visit("app")
		app.told = nil
		c.op.SignOut("sub-bob")
		if len(app.told) != 0 {
			t.Errorf("told of somebody who never signed in: %q", app.told)
		}
		c.op.SignOut("sub-alice")
		if !slices.Equal(app.told, []string{"sub-alice "}) || len(other.told) != 1 {
			t.Errorf("told %q and %q: want the first, once, of the subject alone", app.told, other.told)
		}
		if p, err := one.Open(c.authURL()); err != nil || len(p.Forms()) == 0 {
			t.Errorf("the provider still knows the browser: %v", err)
		}
		if got := c.op.Stats(); got.LogoutsTold != 3 || got.LogoutsLost != 0 {
			t.Errorf("%d told, %d lost", got.LogoutsTold, got.LogoutsLost)
		}
	})
}

func TestLogoutsThatNobodyTakesAreLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		for name, at := range map[string]http.Handler{
			"refused":   http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }),
			"not there": nil,
			"too slow":  http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }),
		} {
			c := newClient(t, providertest.Config{Clients: []providertest.Registration{{ID: "app", Secret: "s", BackChannelLogoutURI: tellOther}}})
			c.response()
			c.op.SignOut("sub-nobody")
			hosts := map[string]http.Handler{}
			if at != nil {
				hosts["other.example"] = at
			}
			c.op.ReachClients(providertest.NewNetwork(hosts))
			c.op.SignOut("sub-alice")
			if got := c.op.Stats(); got.LogoutsTold != 0 || got.LogoutsLost != 1 {
				t.Errorf("%s: %d told, %d lost", name, got.LogoutsTold, got.LogoutsLost)
			}
		}
		// Without a network there is nothing to lose.
		c := newClient(t, providertest.Config{Clients: []providertest.Registration{{ID: "app", Secret: "s", BackChannelLogoutURI: tellOther}}})
		c.response()
		c.op.SignOut("sub-alice")
		if got := c.op.Stats(); got.LogoutsTold != 0 || got.LogoutsLost != 0 {
			t.Errorf("without a network: %d told, %d lost", got.LogoutsTold, got.LogoutsLost)
		}
		time.Sleep(time.Minute) // the slow one is done as well
	})
}

func TestLogoutTokenIsAsHonestAsItIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		verify := func(token string) (*oidc.LogoutToken, error) {
			return c.provider.Verifier(&oidc.Config{ClientID: "app", SupportedSigningAlgs: []string{"ES256"}}).VerifyLogout(c.ctx, token)
		}
		token := c.op.LogoutToken("app", "sub-alice", "sid-1")
		got, err := verify(token)
		if err != nil || got.Subject != "sub-alice" || got.SessionID != "sid-1" || got.TokenID == "" || got.Expiry.Sub(got.IssuedAt) != 2*time.Minute {
			t.Errorf("%+v, %v", got, err)
		}
		again, err := verify(c.op.LogoutToken("app", "", "sid-1"))
		if err != nil || again.Subject != "" || again.TokenID == got.TokenID {
			t.Errorf("%+v, %v", again, err)
		}
		if !slices.Contains(c.op.Secrets(), token) {
			t.Error("the token is missing among the secrets")
		}
		c.op.Mutate(providertest.Mutations{LogoutToken: func(d *providertest.Draft) {
			if d.GrantType != "" || d.Header["typ"] != "logout+jwt" {
				t.Errorf("drafted %+v", d)
			}
			d.Claims["nonce"] = "n"
		}})
		if _, err := verify(c.op.LogoutToken("app", "sub-alice", "")); err == nil {
			t.Error("the lie was not told")
		}
	})
}

// withKeys lets a handler reach the provider by the client in its context.
func withKeys(op *providertest.Server, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(oidc.ClientContext(r.Context(), op.Client())))
	})
}

// A person signs out at the provider, and the application is told.
func ExampleServer_ReachClients() {
	op := providertest.New(providertest.Config{Clients: []providertest.Registration{{
		ID: "app", Secret: "secret", BackChannelLogoutURI: "https://app.example/signed-out",
	}}})
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/signed-out" {
			fmt.Println("logout token:", r.PostFormValue("logout_token") != "")
		}
	})
	network := providertest.NewNetwork(map[string]http.Handler{op.Host(): op, "app.example": app})
	op.ReachClients(network)

	browser := providertest.NewBrowser(network)
	browser.SignIn("https://op.example/authorize?client_id=app&response_type=code&scope=openid"+
		"&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&code_challenge_method=S256"+
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "alice")
	browser.Open("https://op.example/logout")
	// Output: logout token: true
}
