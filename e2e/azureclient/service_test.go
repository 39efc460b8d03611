package azureclient_test

import (
	"cmp"
	"crypto/tls"
	"encoding/json"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

// page is the origin of pages that only programs speak of.
const page = "https://page.example"

// appScheme is what opens the mobile application, as it is registered at the service.
const appScheme = "zumoe2etest://easyauth.callback"

// signingKey is WEBSITE_AUTH_SIGNING_KEY, which the service shares with what
// stands behind it.
const signingKey = "5f0c2d9a4b7e8136a1d2c3b4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718"

// service is an application with easyauth around it, on another origin than the
// pages that call it.
type service struct {
	URL      string
	Page     string // the origin that it allows
	Identity *identity
	Sessions *session.Manager
	cert     certificate
	watch
}

// setup is what a test chooses about its service; everything has a default.
type setup struct {
	Cert   certificate            // one of its own
	Page   string                 // the origin that it allows: page
	App    http.Handler           // what easyauth is around: an API with whoami
	Change func(*easyauth.Config) // nothing
}

// startService serves one on TLS.
func startService(t testing.TB, with setup) *service {
	t.Helper()
	if with.Cert.Leaf == nil {
		with.Cert = newCertificate(t)
	}
	s := &service{watch: watch{t: t}, Page: cmp.Or(with.Page, page), Identity: startIdentity(t), cert: with.Cert}
	server := httptest.NewUnstartedServer(nil)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{s.cert.Certificate}}
	server.Config.ErrorLog = log.New(&s.logs, "", 0)
	s.URL = "https://" + server.Listener.Addr().String()

	cfg := easyauth.Config{
		BaseURL:          s.URL,
		Providers:        s.providers(),
		Keys:             []providers.Secret{easyauth.NewKey()},
		SigningKeys:      []providers.Secret{providers.NewSecret(signingKey)},
		AllowedRedirects: []string{s.Page, appScheme},
		Logger:           slog.New(slog.NewTextHandler(&s.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if with.Change != nil {
		with.Change(&cfg)
	}
	auth, err := easyauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Sessions = auth.Sessions()
	if with.App == nil {
		mux := http.NewServeMux()
		mux.Handle("GET /api/whoami", auth.Require(http.HandlerFunc(whoami)))
		with.App = mux
	}
	server.Config.Handler = s.Around(s.share(auth.Wrap(with.App)))
	server.StartTLS()
	t.Cleanup(func() {
		server.Close()
		if err := auth.Close(); err != nil {
			t.Error(err)
		}
		s.MustKeep(s.Identity.Secrets())
	})
	return s
}

// providers are the same place under two aliases: aad takes what its users' SDK
// calls an access token, google wants the ID token.
func (s *service) providers() []providers.Provider {
	takes := map[string]providers.ClientLoginPolicy{
		"aad":    {Tokens: []providers.ClientToken{providers.ClientAccessToken, providers.ClientIDToken}},
		"google": {Tokens: []providers.ClientToken{providers.ClientIDToken}, AuthorizationCode: true},
	}
	var all []providers.Provider
	for _, name := range slices.Sorted(maps.Keys(takes)) {
		p, err := providers.NewOIDC(providers.OIDCConfig{
			Name:         name,
			Issuer:       s.Identity.Issuer(),
			ClientID:     providertest.ClientID,
			ClientSecret: providers.NewSecret(providertest.ClientSecret),
			ClientLogin:  takes[name],
			Refresh:      providers.RefreshPolicy{Class: providers.Strict},
		})
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// whoami is the API: who asks, as the service has it.
func whoami(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"userId": s.User.SID(), "subject": s.User.ID, "provider": s.User.Provider})
}

// share lets the scripts of the page call the API, as App Service's own switch
// for CORS does. What is under /.auth easyauth shares by itself.
func (s *service) share(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") && r.Header.Get("Origin") == s.Page {
			w.Header().Set("Access-Control-Allow-Origin", s.Page)
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
				w.Header().Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
