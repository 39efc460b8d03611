package easyauth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// world is an application, a provider and a network between them and the
// browsers, all in one process and in virtual time.
type world struct {
	t       *testing.T
	op      *providertest.Server
	network *providertest.Network
	store   *storetest.Faulty
	auth    *easyauth.Auth
	log     *bytes.Buffer
	mu      sync.Mutex // of log
}

const app = "https://app.example"

// inAWorld tells one story. The application has three pages: / for
// everybody, /account for users, /token for users with a fresh token.
func inAWorld(t *testing.T, op providertest.Config, change func(*easyauth.Config), tell func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, op: providertest.New(op), store: storetest.NewFaulty(memstore.New()), log: new(bytes.Buffer)}
		w.network = providertest.NewNetwork(map[string]http.Handler{w.op.Host(): w.op})
		idp, err := providers.NewOIDC(providers.OIDCConfig{
			Name: "op", Issuer: w.op.Issuer(), ClientID: providertest.ClientID,
			ClientSecret: providers.NewSecret(providertest.ClientSecret),
			Scopes:       []string{"openid", "profile", "email", "offline_access"},
			HTTPClient:   &http.Client{Transport: w.network},
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg := easyauth.Config{
			BaseURL: app, Providers: []providers.Provider{idp}, Store: w.store,
			Keys:   []providers.Secret{easyauth.NewKey()},
			Logger: slog.New(slog.NewJSONHandler(locked{&w.mu, w.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		if change != nil {
			change(&cfg)
		}
		w.auth, err = easyauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/{$}", func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "welcome") })
		mux.Handle("/account", w.auth.Require(http.HandlerFunc(accountPage)))
		mux.Handle("/token", w.auth.RequireToken(http.HandlerFunc(tokenPage)))
		w.network.Handle("app.example", w.auth.Wrap(mux))
		tell(t, w)
		if err := w.auth.Close(); err != nil {
			t.Error(err)
		}
	})
}

type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func accountPage(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	fmt.Fprintf(w, "hello %s", s.User.Name)
}

func tokenPage(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	t, err := s.Token(r.Context())
	switch {
	case errors.Is(err, grant.ErrReauthRequired):
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		io.WriteString(w, t.AccessToken)
	}
}

// alice returns a browser in which alice has just signed in.
func (w *world) alice() *providertest.Browser {
	w.t.Helper()
	b := providertest.NewBrowser(w.network)
	page, err := b.SignIn(app+"/account", "alice")
	if err != nil || page.Status != 200 || !strings.HasPrefix(string(page.Body), "hello ") || page.URL.String() != app+"/account" {
		w.t.Fatalf("after the sign-in: %v, %v", page, err)
	}
	return b
}

func (w *world) open(b *providertest.Browser, path string, status int) *providertest.Page {
	w.t.Helper()
	page, err := b.Open(app + path)
	if err != nil {
		w.t.Fatal(err)
	}
	if page.Status != status {
		w.t.Fatalf("%s: %d %s, want %d", path, page.Status, page.Body, status)
	}
	return page
}

// fetch is what a script of the page does.
func (w *world) fetch(b *providertest.Browser, path string, status int) *providertest.Page {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", app+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	page, err := b.Fetch(r)
	if err != nil {
		w.t.Fatal(err)
	}
	if page.Status != status {
		w.t.Fatalf("%s: %d %s, want %d", path, page.Status, page.Body, status)
	}
	return page
}

func TestSignInAndStaySignedIn(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		if cookies := b.Cookies(app + "/"); len(cookies) != 1 || cookies[0].Name != "__Host-easyauth" {
			t.Errorf("cookies %v: want the one that only this host can set", cookies)
		}
		var me []struct {
			Provider string `json:"provider_name"`
			Token    string `json:"access_token"`
			Expires  string `json:"expires_on"`
		}
		if err := json.Unmarshal(w.fetch(b, "/.auth/me", 200).Body, &me); err != nil || len(me) != 1 || me[0].Provider != "op" || me[0].Token == "" {
			t.Errorf("me %+v, %v", me, err)
		}
		before := string(w.fetch(b, "/token", 200).Body)
		for range 20 { // twenty working days, every page an hour after the last
			for range 7 {
				time.Sleep(time.Hour)
				w.open(b, "/account", 200)
			}
			time.Sleep(17 * time.Hour) // the session expires over night
		}
		if after := string(w.fetch(b, "/token", 200).Body); after == before {
			t.Error("the access token is still the first one")
		}
		if reuse := w.op.Stats().ReuseDetected; reuse != 0 {
			t.Errorf("%d refresh tokens used twice", reuse)
		}
	})
}

func TestSessionThatExpiredASecondAgo(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		time.Sleep(8*time.Hour + time.Second)
		page := w.open(b, "/account", 200)
		if len(page.Hops) != 1 {
			t.Errorf("%d hops, want the page itself without a redirect", len(page.Hops))
		}
		if page.Header.Get("Set-Cookie") == "" || !strings.Contains(strings.Join(page.Header.Values("Cache-Control"), ","), "no-store") {
			t.Errorf("header %v: want the cookie with its new end, kept out of caches", page.Header)
		}
		time.Sleep(7 * time.Hour)
		w.open(b, "/account", 200)
	})
}

func TestSessionPastItsGrace(t *testing.T) {
	inAWorld(t, providertest.Config{}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		time.Sleep(80*time.Hour + time.Second)
		if p := w.fetch(b, "/account", 401); p.Header.Get("WWW-Authenticate") == "" || p.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("header %v", p.Header)
		}
		w.fetch(b, "/.auth/refresh", 401)
		b.StopAt = func(next *url.URL) bool { return true }
		if p := w.open(b, "/account?x=1", 302); p.Header.Get("Location") != "/.auth/login?post_login_redirect_uri=%2Faccount%3Fx%3D1" {
			t.Errorf("sent to %s", p.Header.Get("Location"))
		}
	})
}

func TestGrantRevokedAtTheProvider(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		w.op.RevokeAll()
		w.fetch(b, "/.auth/refresh", 403)
		w.fetch(b, "/token", 401)
		w.fetch(b, "/account", 200) // who she is, is another question
		if n := w.op.Stats().Refreshes; n != 1 {
			t.Errorf("the dead refresh token was presented %d times", n)
		}
	})
}

func TestProviderDown(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		up := w.network.Down(w.op.Host())
		time.Sleep(2 * time.Hour)
		for _, path := range []string{"/.auth/refresh", "/token"} {
			if p := w.fetch(b, path, 503); p.Header.Get("Retry-After") == "" || p.Header.Get("Set-Cookie") != "" {
				t.Errorf("%s: header %v: want Retry-After and the cookie untouched", path, p.Header)
			}
		}
		w.fetch(b, "/account", 200)
		time.Sleep(7 * time.Hour) // into the grace period
		w.fetch(b, "/account", 503)
		up()
		time.Sleep(time.Minute)
		w.fetch(b, "/account", 200)
	})
}

func TestStoreDown(t *testing.T) {
	inAWorld(t, providertest.Config{}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		w.store.Fail(errors.New("connection refused"))
		for range 60 {
			before := time.Now()
			p := w.fetch(b, "/account", 503)
			if p.Header.Get("Retry-After") == "" || p.Header.Get("Set-Cookie") != "" || time.Since(before) > time.Second {
				t.Fatalf("header %v after %v", p.Header, time.Since(before))
			}
			w.fetch(b, "/", 200) // R7: public pages go on
			time.Sleep(time.Second)
		}
		w.store.Heal()
		w.fetch(b, "/account", 200)
	})
}

func TestTwoHundredRequestsOnAnExpiredToken(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		time.Sleep(2 * time.Hour)
		w.op.Fail(providertest.Token, providertest.Fault{Times: 1, Delay: 2 * time.Second})
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() { w.fetch(b, "/token", 200) })
		}
		wg.Wait()
		if n := w.op.Stats().Refreshes; n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
		time.Sleep(2 * time.Hour)
		w.fetch(b, "/token", 200)
	})
}

func TestStoreGoesToAnotherProcess(t *testing.T) {
	rows, key := memstore.New(), easyauth.NewKey()
	var b *providertest.Browser
	inAWorld(t, providertest.Config{}, func(c *easyauth.Config) { c.Store, c.Keys = rows, []providers.Secret{key} }, func(t *testing.T, w *world) {
		b = w.alice()
		second, err := easyauth.New(easyauth.Config{
			BaseURL: app, Store: rows, Keys: []providers.Secret{easyauth.NewKey(), key}, // rotated
			Providers: []providers.Provider{mustOIDC(t, w)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer second.Close()
		w.network.Handle("app.example", second.Wrap(second.Require(http.HandlerFunc(accountPage))))
		w.fetch(b, "/account", 200)
		w.fetch(b, "/.auth/refresh", 200)

		stranger, err := easyauth.New(easyauth.Config{ // STO3: the key is gone
			BaseURL: app, Store: rows, Keys: []providers.Secret{easyauth.NewKey()}, Providers: []providers.Provider{mustOIDC(t, w)},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		w.network.Handle("app.example", stranger.Wrap(stranger.Require(http.HandlerFunc(accountPage))))
		w.fetch(b, "/account", 401)
	})
}

func mustOIDC(t *testing.T, w *world) *providers.OIDC {
	t.Helper()
	p, err := providers.NewOIDC(providers.OIDCConfig{Name: "op", Issuer: w.op.Issuer(), ClientID: providertest.ClientID,
		ClientSecret: providers.NewSecret(providertest.ClientSecret), HTTPClient: &http.Client{Transport: w.network}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// LEA2: a full run at debug level, and then a search for everything secret in it.
func TestNoSecretInAnyLog(t *testing.T) {
	inAWorld(t, providertest.Config{AccessTokenLifetime: time.Hour}, nil, func(t *testing.T, w *world) {
		b := w.alice()
		cookies := b.Cookies(app + "/")
		time.Sleep(2 * time.Hour)
		w.fetch(b, "/token", 200)
		w.fetch(b, "/.auth/me", 200)
		for _, f := range []providertest.Fault{{Times: 1, Status: 500, Body: "secret page"}, {Times: 1, Status: 429}, {Times: 1, Status: 200, Body: "not JSON"}} {
			w.op.Fail(providertest.Token, f)
			time.Sleep(time.Hour)
			w.fetch(b, "/.auth/me", 200)
			time.Sleep(5 * time.Minute)
			w.fetch(b, "/account", 200)
		}
		other := providertest.NewBrowser(w.network)
		w.open(other, "/.auth/login/op/callback?code=stolen-code&state=forged-state", 400)
		w.open(b, "/.auth/logout", 200)

		w.mu.Lock()
		defer w.mu.Unlock()
		log := w.log.String()
		if !strings.Contains(log, "signed in") || !strings.Contains(log, "refreshed") {
			t.Fatalf("the log says too little to be searched:\n%s", log)
		}
		secrets := append(w.op.Secrets(), "stolen-code", "forged-state", providertest.ClientSecret)
		for _, c := range cookies {
			secrets = append(secrets, c.Value)
		}
		for _, secret := range secrets {
			if len(secret) >= 8 && strings.Contains(log, secret) {
				t.Errorf("%q is in the log", secret)
			}
		}
	})
}
