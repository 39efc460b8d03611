package e2e_test

import (
	"bytes"
	"log"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/e2e/internal/webapp"
	"github.com/goeasyauth/easyauth/providers"
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
	server.Config.Handler = auth.Wrap(webapp.Routes(auth))
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
func (l *logs) mustNotHold(t testing.TB, op interface{ Secrets() []string }, visitors []*visitor) {
	t.Helper()
	text := l.String()
	if text == "" {
		t.Error("nothing was logged at debug level, so nothing was searched")
	}
	secrets := op.Secrets()
	for _, v := range visitors {
		secrets = append(secrets, v.seen.Values()...)
	}
	const known = 16 // bytes by which a secret is recognized: there may be very many, in much text
	byStart := make(map[string][]string)
	for _, secret := range secrets {
		if len(secret) >= known {
			byStart[secret[:known]] = append(byStart[secret[:known]], secret)
		}
	}
	for i := range max(len(text)-known, 0) {
		for _, secret := range byStart[text[i:i+known]] {
			if strings.HasPrefix(text[i:], secret) {
				t.Errorf("LEA2: a secret is in the log: %s...", secret[:6])
			}
		}
	}
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

// freeAddr is a loopback address that nobody listens on right now. Its port is
// below those that the system gives to outgoing connections: a program that is
// killed finds it free when it starts again.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(20_000+rand.N(10_000)))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}
