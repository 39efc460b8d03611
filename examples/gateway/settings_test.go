package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

// registered is an auth.json with every provider of App Service and one more.
const registered = `{
	"globalValidation": {
		"requireAuthentication": true,
		"unauthenticatedClientAction": "RedirectToLoginPage",
		"redirectToProvider": "contoso",
		"excludedPaths": ["/public/*"]
	},
	"httpSettings": {"routes": {"apiPrefix": "/.session"}, "forwardProxy": {"convention": "Standard"}},
	"login": {"tokenStore": {"enabled": true}, "routes": {"logoutEndpoint": "/signout"}},
	"identityProviders": {
		"azureActiveDirectory": {"registration": {
			"openIdIssuer": "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
			"clientId": "c", "clientSecretSettingName": "AAD_SECRET"}},
		"google": {"registration": {"clientId": "c", "clientSecretSettingName": "GOOGLE_SECRET"}},
		"facebook": {"registration": {"appId": "c", "appSecretSettingName": "FACEBOOK_SECRET"}},
		"gitHub": {"registration": {"clientId": "c", "clientSecretSettingName": "GITHUB_SECRET"}},
		"twitter": {"registration": {"consumerKey": "c", "consumerSecretSettingName": "TWITTER_SECRET"}},
		"apple": {"registration": {"clientId": "c", "clientSecretSettingName": "APPLE_SECRET"}},
		"openIdConnectProviders": {"contoso": {"registration": {
			"clientId": "c", "clientCredential": {"clientSecretSettingName": "CONTOSO_SECRET"},
			"openIdConnectConfiguration": {"wellKnownOpenIdConfiguration": "https://id.contoso.example/.well-known/openid-configuration"}}}}
	}
}`

// In development the auth.json of the application in the cloud works on this
// computer as it is: no secret is there, no proxy and no https.
func TestAuthJSONOfTheCloudWorksInDevelopment(t *testing.T) {
	t.Parallel()
	g := start(t, mirror, "-config", authJSON(t, registered))
	ada := apptest.NewBrowser(t)
	if page := ada.SignedIn(g.Base+"/orders?x=1", "ada"); page.Status != http.StatusOK || page.URL.RequestURI() != "/orders?x=1" {
		t.Fatalf("a stranger who opens a page and signs in ends with %d at %s", page.Status, page.URL)
	}
	if who := look(t, ada, g.Base+"/").Header.Get("X-MS-CLIENT-PRINCIPAL-IDP"); who != "contoso" {
		t.Errorf("she is sent to %q, and not to redirectToProvider", who)
	}
	for _, name := range []string{"aad", "google", "facebook", "github", "twitter", "apple"} {
		b := apptest.NewBrowser(t)
		b.SignedIn(g.Base+"/.session/login/"+name+"?post_login_redirect_uri=/", "ada")
		if who := look(t, b, g.Base+"/").Header.Get("X-MS-CLIENT-PRINCIPAL-IDP"); who != name {
			t.Errorf("signed in with %s, the application is told %q", name, who)
		}
	}

	stranger := apptest.NewBrowser(t)
	if page := stranger.Ask(http.MethodGet, g.Base+"/api/orders", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("a stranger's program is answered %d", page.Status)
	}
	if page := stranger.Ask(http.MethodGet, g.Base+"/public/health", nil); page.Status != http.StatusOK {
		t.Errorf("on an excluded path a stranger is answered %d", page.Status)
	}
	if page := ada.Visit(g.Base + "/signout"); page.URL.Path != "/.session/logout/complete" || page.Status != http.StatusOK {
		t.Errorf("the application's own way out ends with %d at %s", page.Status, page.URL)
	}
	if page := ada.Ask(http.MethodGet, g.Base+"/", nil); page.Status != http.StatusUnauthorized {
		t.Errorf("signed out, she is answered %d", page.Status)
	}
}

// Behind a proxy that ends TLS, what that says counts, and what others say does not.
func TestBehindAProxyOnlyItsWordCountsForHTTPS(t *testing.T) {
	setSecrets(t)
	for name, row := range map[string]struct {
		proxies string
		proto   string
		status  int
	}{
		"by https":               {"127.0.0.1", "https", http.StatusOK},
		"by http":                {"127.0.0.1", "http", http.StatusMovedPermanently},
		"by another's https":     {"192.0.2.1", "https", http.StatusMovedPermanently},
		"by a doubtful one":      {"127.0.0.1", "https, http", http.StatusMovedPermanently},
		"without a word of what": {"127.0.0.1", "", http.StatusMovedPermanently},
	} {
		g := startAs(t, mirror, "-config", authJSON(t, registered), "-base-url", "https://app.example", "-trusted-proxies", row.proxies)
		r := get(t, g+"/public/health")
		r.Host = "app.example"
		if row.proto != "" {
			r.Header.Set("X-Forwarded-Proto", row.proto)
		}
		resp := do(t, r)
		if resp.StatusCode != row.status {
			t.Errorf("%s: %d, want %d", name, resp.StatusCode, row.status)
			continue
		}
		if to := resp.Header.Get("Location"); to != "" {
			if to != "https://app.example/public/health" {
				t.Errorf("%s: sent to %s", name, to)
			}
			continue
		}
		var s seen
		read(t, resp, &s)
		if s.Header.Get("X-Forwarded-Proto") != "https" || s.Header.Get("X-Forwarded-Host") != "app.example" {
			t.Errorf("%s: the application is told %v", name, s.Header)
		}
	}
}

func TestAnAuthJSONThatCannotWorkIsRefusedLineByLine(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		args []string
		says string
	}{
		"not JSON":           {"{", nil, "auth.json"},
		"a mistake":          {strings.Replace(registered, "excludedPaths", "excludePaths", 1), []string{"-dev"}, "globalValidation.excludePaths"},
		"a missing secret":   {registered, nil, "APPLE_SECRET"},
		"https and no proxy": {strings.Replace(registered, "Standard", "NoProxy", 1), []string{"-base-url", "https://localhost"}, "-trusted-proxies"},
		"a proxy and no one": {registered, []string{"-base-url", "https://localhost"}, "-trusted-proxies"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "a missing secret" {
				setSecrets(t)
			} else {
				setSecrets(t, "APPLE_SECRET")
			}
			args := append([]string{"-addr", "127.0.0.1:0", "-upstream", "http://127.0.0.1:9000", "-config", authJSON(t, row.text)}, row.args...)
			mustComplain(t, args, row.says)
		})
	}
}

// setSecrets sets the secrets of registered, except these.
func setSecrets(t *testing.T, except ...string) {
	t.Helper()
	for _, name := range []string{"AAD", "GOOGLE", "FACEBOOK", "GITHUB", "TWITTER", "APPLE", "CONTOSO"} {
		if len(except) == 0 || except[0] != name+"_SECRET" {
			t.Setenv(name+"_SECRET", "hush, "+name)
		}
	}
}

func authJSON(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
