package easyauth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestAnAuthJSONSignsPeopleIn runs an application whose only configuration is a
// file, with a provider that the file knows by its discovery document, or by its
// endpoints, and with the client secret in the form of the token request.
func TestAnAuthJSONSignsPeopleIn(t *testing.T) {
	for name, where := range map[string]string{
		"by its discovery document": `"wellKnownOpenIdConfiguration": "%s/.well-known/openid-configuration"`,
		"by its endpoints":          `"issuer": "%[1]s", "authorizationEndpoint": "%[1]s%[2]s", "tokenEndpoint": "%[1]s%[3]s", "certificationUri": "%[1]s%[4]s"`,
	} {
		t.Run(name, func(t *testing.T) {
			var op *providertest.Server
			basic := false
			provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, _, ok := r.BasicAuth(); ok {
					basic = true
				}
				op.ServeHTTP(w, r)
			}))
			defer provider.Close()
			op = providertest.New(providertest.Config{Issuer: provider.URL})
			if strings.Contains(where, "tokenEndpoint") {
				where = fmt.Sprintf(where, op.Issuer(), endpoint(t, op, "authorization_endpoint"), endpoint(t, op, "token_endpoint"), endpoint(t, op, "jwks_uri"))
			} else {
				where = fmt.Sprintf(where, op.Issuer())
			}
			application := fromFile(t, `{
				"globalValidation": {"redirectToProvider": "Staff", "excludedPaths": ["/health"]},
				"httpSettings": {"requireHttps": false},
				"login": {"tokenStore": {"enabled": true}, "routes": {"logoutEndpoint": "/signout"}},
				"identityProviders": {"openIdConnectProviders": {"Staff": {"registration": {
					"clientId": "`+providertest.ClientID+`",
					"clientCredential": {"clientSecretSettingName": "STAFF_SECRET"},
					"openIdConnectConfiguration": {`+where+`}
				}}}}
			}`, func(name string) (string, bool) { return providertest.ClientSecret, name == "STAFF_SECRET" })

			browser := providertest.NewBrowser(http.DefaultTransport)
			if page, err := browser.Open(application + "/health"); err != nil || page.Status != 200 || string(page.Body) != "nobody" {
				t.Errorf("a stranger on an excluded path: %v, %v", page, err)
			}
			page, err := browser.SignIn(application+"/orders", "ada")
			if err != nil || page.Status != 200 || string(page.Body) != "staff with a token" {
				t.Fatalf("after the sign-in: %v, %v", page, err)
			}
			if basic {
				t.Error("the client secret went by Basic: an auth.json knows ClientSecretPost only")
			}
			if page, err := browser.Open(application + "/.auth/me"); err != nil || !strings.Contains(string(page.Body), `"provider_name":"staff"`) {
				t.Errorf("/.auth/me: %v, %v", page, err)
			}
		})
	}
}

// fromFile serves an application that has the file and nothing else, and returns
// its address.
func fromFile(t *testing.T, text string, setting func(string) (string, bool)) string {
	t.Helper()
	l, err := loadFrom(t, text, setting)
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	cfg := l.Config
	cfg.BaseURL = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // cookies ignore the port
	cfg.Keys = append(cfg.Keys, easyauth.NewKey())
	auth, err := easyauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { auth.Close() })
	handler = auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch idp := r.Header.Get("X-MS-CLIENT-PRINCIPAL-IDP"); {
		case idp == "":
			io.WriteString(w, "nobody")
		case r.Header.Get("X-MS-TOKEN-"+strings.ToUpper(idp)+"-ACCESS-TOKEN") == "":
			io.WriteString(w, idp)
		default:
			io.WriteString(w, idp+" with a token")
		}
	}))
	return cfg.BaseURL
}

// endpoint is the path of an address that the provider's document names.
func endpoint(t *testing.T, op *providertest.Server, member string) string {
	t.Helper()
	w := httptest.NewRecorder()
	op.ServeHTTP(w, httptest.NewRequest("GET", op.Issuer()+"/.well-known/openid-configuration", nil))
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	address, _ := doc[member].(string)
	return strings.TrimPrefix(address, op.Issuer())
}
