package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
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

	"github.com/chromedp/chromedp"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/e2e/internal/webapp"
	"github.com/goeasyauth/easyauth/providers"
)

// app is an application with easyauth around it, served by this process.
type app struct {
	URL    string
	logs   logs
	t      testing.TB
	server *httptest.Server
	jars   []*visitor
}

// setup is what a test chooses about its application; everything has a default.
type setup struct {
	Provider func(*providers.OIDCConfig) // the registration at the provider
	App      func(*easyauth.Config)
	TLS      bool // with a certificate that nobody vouches for
}

// startApp serves an application that signs in at op. change may set more of
// the configuration.
func startApp(t testing.TB, op *oidcProvider, change func(*easyauth.Config)) *app {
	t.Helper()
	return startAppWith(t, op, setup{App: change})
}

// startAppWith serves an application that signs in at op. When the test ends,
// the application's log is searched for every secret that the provider issued
// and every cookie that a visitor got.
func startAppWith(t testing.TB, op *oidcProvider, with setup) *app {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	a := &app{t: t, server: server, URL: "http://" + server.Listener.Addr().String()}
	if with.TLS {
		a.URL = "https://" + server.Listener.Addr().String()
	}
	server.Config.ErrorLog = log.New(&a.logs, "", 0)

	registration := providers.OIDCConfig{
		Name:         "oidc",
		Issuer:       op.Issuer,
		ClientID:     clientID,
		ClientSecret: providers.NewSecret(clientSecret),
		Scopes:       []string{"openid", "profile", "email", "offline_access"},
	}
	if with.Provider != nil {
		with.Provider(&registration)
	}
	provider, err := providers.NewOIDC(registration)
	if err != nil {
		t.Fatal(err)
	}
	cfg := easyauth.Config{
		BaseURL:   a.URL,
		Providers: []providers.Provider{provider},
		Keys:      []providers.Secret{easyauth.NewKey()},
		Logger:    slog.New(slog.NewTextHandler(&a.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if with.App != nil {
		with.App(&cfg)
	}
	auth, err := easyauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = auth.Wrap(webapp.Routes(auth))
	if with.TLS {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.Close()
		if err := auth.Close(); err != nil {
			t.Error(err)
		}
		a.logs.mustNotHold(t, op, a.jars)
	})
	return a
}

// Visitor is somebody with a browser of their own, who trusts the application's
// certificate.
func (a *app) Visitor() *visitor {
	network := newTransport(a.t)
	if cert := a.server.Certificate(); cert != nil {
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		network.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	v := newVisitorOn(a.t, network)
	a.jars = append(a.jars, v)
	return v
}

// Trusted lets a chromium trust the application's certificate.
func (a *app) Trusted() chromedp.ExecAllocatorOption {
	sum := sha256.Sum256(a.server.Certificate().RawSubjectPublicKeyInfo)
	return chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:]))
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
