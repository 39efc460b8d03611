package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// app is an application with easyauth around it, served by this process.
type app struct {
	URL  string
	logs logs
	t    testing.TB
	jars []*visitor
}

// startApp serves an application that signs in at op. change may set more of
// the configuration. When the test ends, the application's log is searched for
// every secret that the provider issued and every cookie that a visitor got.
func startApp(t testing.TB, op *oidcProvider, change func(*easyauth.Config)) *app {
	t.Helper()
	a := &app{t: t}
	server := httptest.NewUnstartedServer(nil)
	a.URL = "http://" + server.Listener.Addr().String()
	server.Config.ErrorLog = log.New(&a.logs, "", 0)

	provider, err := providers.NewOIDC(providers.OIDCConfig{
		Name:         "oidc",
		Issuer:       op.Issuer,
		ClientID:     clientID,
		ClientSecret: providers.NewSecret(clientSecret),
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := easyauth.Config{
		BaseURL:   a.URL,
		Providers: []providers.Provider{provider},
		Keys:      []providers.Secret{easyauth.NewKey()},
		Logger:    slog.New(slog.NewTextHandler(&a.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&cfg)
	}
	auth, err := easyauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = auth.Wrap(routes(auth))
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := auth.Close(); err != nil {
			t.Error(err)
		}
		a.logs.mustNotHold(t, op, a.jars)
	})
	return a
}

// routes are what an application has: a public page, a page and an API for
// signed-in people, and two that cannot do without a token.
func routes(auth *easyauth.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		if s, ok := session.FromContext(r.Context()); ok {
			fmt.Fprintf(w, "signed in as %s", s.User.ID)
			return
		}
		fmt.Fprint(w, "stranger")
	})
	mux.Handle("GET /account", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		fmt.Fprintf(w, "account of %s", s.User.ID)
	})))
	mux.Handle("GET /token", auth.RequireToken(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		token, err := s.Token(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot) // RequireToken let it pass
			return
		}
		fmt.Fprint(w, fingerprint(token.AccessToken))
	})))
	mux.Handle("GET /token-for", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		token, err := s.TokenFor(r.Context(), grant.Resource(r.FormValue("resource")))
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		fmt.Fprint(w, token.AccessToken)
	})))
	return mux
}

// Visitor is somebody with a browser of their own.
func (a *app) Visitor() *visitor {
	v := newVisitor(a.t)
	a.jars = append(a.jars, v)
	return v
}

// SignedIn is a visitor who has signed in.
func (a *app) SignedIn(name string) *visitor {
	a.t.Helper()
	v := a.Visitor()
	if p := v.SignInAt(a.URL, name); p.Text != "signed in as "+name {
		a.t.Fatalf("after the login the page says %q", p.Text)
	}
	return v
}

// logs is what a program wrote; safe for concurrent use.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// mustNotHold searches the log for every secret of the provider and every
// cookie value of the visitors (LEA2).
func (l *logs) mustNotHold(t testing.TB, op *oidcProvider, visitors []*visitor) {
	t.Helper()
	text := l.String()
	if text == "" {
		t.Error("nothing was logged at debug level, so nothing was searched")
	}
	secrets := op.Secrets()
	for _, v := range visitors {
		secrets = append(secrets, v.seen.Values()...)
	}
	for i, secret := range secrets {
		if len(secret) >= 16 && strings.Contains(text, secret) {
			t.Errorf("LEA2: secret %d of %d is in the log: %s...", i, len(secrets), secret[:6])
		}
	}
}

// fingerprint tells tokens apart without showing them.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// pass waits until d has gone by: what the provider's clock counts cannot be made virtual.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	case <-time.After(d):
	}
}

// justRenewed is how long tokens count as just renewed: until then, asking for
// a refresh gets them as they are (CSR4).
const justRenewed = 5200 * time.Millisecond

// freeAddr is a loopback address that nobody listens on right now.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
