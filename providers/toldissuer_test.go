package providers_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// byDocument knows nothing of the provider but where its document is, as an
// auth.json with wellKnownOpenIdConfiguration.
func byDocument(c *providers.OIDCConfig) {
	c.Issuer, c.DiscoveryURL = "", "https://op.example/.well-known/openid-configuration"
}

// TestDocumentTellsTheIssuer for whichever way in comes first.
func TestDocumentTellsTheIssuer(t *testing.T) {
	for name, use := range map[string]func(*rig) (providers.Identity, error){
		"redirect": func(r *rig) (providers.Identity, error) { return r.signIn().Identity, nil },
		"bearer": func(r *rig) (providers.Identity, error) {
			id, _, err := r.VerifyBearer(r.t.Context(), idTokenOf(nil)(r).IDToken)
			return id, err
		},
		"client": func(r *rig) (providers.Identity, error) {
			login, err := r.LoginWithTokens(r.t.Context(), idTokenOf(nil)(r))
			if err != nil {
				return providers.Identity{}, err
			}
			return login.Identity, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, providertest.Config{}, byDocument, func(c *providers.OIDCConfig) {
				c.ClientLogin.Tokens = []providers.ClientToken{providers.ClientIDToken}
			})
			if identity, err := use(r); err != nil || identity.Issuer != "https://op.example" {
				t.Errorf("%v: %+v", err, identity)
			}
		})
	}
}

// TestContract5AddressOfB2C has the policy in it, which the issuer has not.
func TestContract5AddressOfB2C(t *testing.T) {
	r := newRig(t, providertest.Config{Issuer: "https://op.example/B2C_1_in/v2.0"}, func(c *providers.OIDCConfig) {
		b2c := providers.EntraIDIssuer("https://op.example/B2C_1_in/v2.0/", c.ClientID, c.ClientSecret)
		b2c.Name, b2c.HTTPClient = c.Name, c.HTTPClient
		*c = b2c
	})
	const issuer = "https://op.example/11111111-2222-3333-4444-555555555555/v2.0/"
	r.op.Mutate(providertest.Mutations{
		Discovery: func(doc map[string]any) {
			doc["issuer"] = issuer
			doc["authorization_response_iss_parameter_supported"] = false
		},
		Callback: func(v url.Values) { v.Del("iss") },
		IDToken:  set("iss", issuer),
	})
	if identity := r.signIn().Identity; identity.Issuer != issuer {
		t.Errorf("%+v", identity)
	}
}

// TestDocumentIsTheProvidersOwn is MIX5 where the issuer is not configured.
func TestDocumentIsTheProvidersOwn(t *testing.T) {
	for name, row := range map[string]struct{ issuer, reason string }{
		"MIX5 the issuer of another host":  {"https://accounts.example", "is at another host"},
		"MIX5 the issuer of a host within": {"https://op.example.evil.example", "is at another host"},
		"MIX5 plain http":                  {"http://op.example", "is http on a host that is not loopback"},
		"MIX5 none":                        {"", "is empty"},
		"JWT8 the issuer of every tenant":  {"https://op.example/{tenantid}/v2.0", "stands for every tenant"},
		"MIX5 an issuer with a query":      {"https://op.example/?a=b", "has a user, query or fragment part"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, providertest.Config{}, byDocument)
			r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) { doc["issuer"] = row.issuer }})
			_, _, err := r.VerifyBearer(t.Context(), secretly(r.op.IssueIDToken("alice", providertest.ClientID, set("iss", row.issuer))))
			wantError(t, err, providers.Misconfigured, row.reason)
		})
	}
}

// TestDocumentMayNotChangeItsMind: whose users they are stays what it was.
func TestDocumentMayNotChangeItsMind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{IDTokenLifetime: 4 * time.Hour}, byDocument)
		r.signIn()
		r.op.Mutate(providertest.Mutations{Discovery: func(doc map[string]any) {
			doc["issuer"], doc["authorization_endpoint"] = "https://op.example/other", "https://op.example/other/authorize"
		}})
		time.Sleep(2 * time.Hour)
		r.begin() // has the document read again, behind it
		synctest.Wait()
		if _, address := r.begin(); strings.Contains(address, "other") {
			t.Errorf("goes to %s", address)
		}
		token := func(iss string) providers.Secret {
			return secretly(r.op.IssueIDToken("alice", providertest.ClientID, set("iss", iss)))
		}
		_, _, err := r.VerifyBearer(t.Context(), token("https://op.example/other"))
		wantError(t, err, providers.Invalid, "iss is not the provider's issuer")
		if _, _, err := r.VerifyBearer(t.Context(), token("https://op.example")); err != nil {
			t.Error(err)
		}
	})
}

// TestNobodySignsUntilTheDocumentIsRead: a token without an issuer is not that of
// a provider without one.
func TestNobodySignsUntilTheDocumentIsRead(t *testing.T) {
	r := newRig(t, providertest.Config{}, byDocument)
	token := secretly(r.op.IssueIDToken("alice", providertest.ClientID, set("iss", "")))
	r.op.Fail(providertest.Discovery, providertest.Fault{Status: 503})
	_, _, err := r.VerifyBearer(t.Context(), token)
	wantError(t, err, providers.Unready, "status 503")
	r = newRig(t, providertest.Config{}, byDocument)
	_, _, err = r.VerifyBearer(t.Context(), secretly(r.op.IssueIDToken("alice", providertest.ClientID, set("iss", ""))))
	wantError(t, err, providers.Invalid, "iss is not the provider's issuer")
}

func TestIssuerMistakes(t *testing.T) {
	for reason, change := range map[string]func(*providers.OIDCConfig){
		"Issuer: is empty":                          func(c *providers.OIDCConfig) { c.Issuer = "" },
		"Issuer: is empty: copy":                    func(c *providers.OIDCConfig) { endpoints(c); byDocument(c) },
		"DiscoveryURL: is not an https URL":         func(c *providers.OIDCConfig) { c.Issuer, c.DiscoveryURL = "", "http://op.example/d" },
		"DiscoveryURL: is not an absolute URL":      func(c *providers.OIDCConfig) { c.Issuer, c.DiscoveryURL = "", "://" },
		"DiscoveryURL: has a user or fragment part": func(c *providers.OIDCConfig) { c.Issuer, c.DiscoveryURL = "", "https://a@op.example/d" },
	} {
		if _, err := providers.NewOIDC(config(change)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("error %v, want %s", err, reason)
		}
	}
}
