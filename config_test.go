package easyauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
)

// good is a configuration without a mistake.
func good(t *testing.T) easyauth.Config {
	t.Helper()
	return easyauth.Config{BaseURL: app, Providers: []providers.Provider{named(t, "op")}, Keys: []providers.Secret{easyauth.NewKey()}}
}

func named(t *testing.T, name string) providers.Provider {
	t.Helper()
	p, err := providers.NewOIDC(providers.OIDCConfig{Name: name, Issuer: "https://op.example", ClientID: "app", ClientSecret: providers.NewSecret("secret")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryMistakeIsNamedWithItsRemedy(t *testing.T) {
	secret := "not-a-key-but-secret-all-the-same"
	for _, tt := range []struct {
		name    string
		spoil   func(*easyauth.Config)
		field   string
		mistake string
		remedy  string
	}{
		{"no base URL", func(c *easyauth.Config) { c.BaseURL = "" }, "BaseURL", "missing", "https://app.example"},
		{"base URL without scheme", func(c *easyauth.Config) { c.BaseURL = "app.example" }, "BaseURL", "not a URL", "https://app.example"},
		{"base URL with a path", func(c *easyauth.Config) { c.BaseURL = app + "/x" }, "BaseURL", "more than scheme and host", "https://app.example"},
		{"base URL with a query", func(c *easyauth.Config) { c.BaseURL = app + "?x" }, "BaseURL", "more than scheme and host", "https://app.example"},
		{"base URL of another scheme", func(c *easyauth.Config) { c.BaseURL = "ftp://app.example" }, "BaseURL", "ftp", "use https"},
		{"COO2 http on a public host", func(c *easyauth.Config) { c.BaseURL = "http://app.example" }, "BaseURL", "not loopback", "use https"},
		{"no provider", func(c *easyauth.Config) { c.Providers = nil }, "Providers", "none", "providers.NewOIDC"},
		{"nil provider", func(c *easyauth.Config) { c.Providers = append(c.Providers, nil) }, "Providers", "number 1 is nil", "constructor"},
		{"two providers of one name", func(c *easyauth.Config) { c.Providers = append(c.Providers, c.Providers[0]) }, "Providers", `"op" is used twice`, "name of its own"},
		{"no key", func(c *easyauth.Config) { c.Keys = nil }, "Keys", "none", "easyauth.NewKey"},
		{"short key", func(c *easyauth.Config) { c.Keys[0] = providers.NewSecret("c2hvcnQ=") }, "Keys", "5 bytes", "easyauth.NewKey"},
		{"key in no known spelling", func(c *easyauth.Config) { c.Keys[0] = providers.NewSecret("!" + secret) }, "Keys", "neither Base64 nor hexadecimal", "easyauth.NewKey"},
		{"negative session", func(c *easyauth.Config) { c.SessionLifetime = -1 }, "SessionLifetime", "negative", "use 0"},
		{"negative idle timeout", func(c *easyauth.Config) { c.IdleTimeout = -1 }, "IdleTimeout", "negative", "use 0"},
		{"negative ceiling", func(c *easyauth.Config) { c.AbsoluteLifetime = -1 }, "AbsoluteLifetime", "negative", "use 0"},
		{"negative budget", func(c *easyauth.Config) { c.WaitBudget = -1 }, "WaitBudget", "negative", "use 0"},
		{"negative cap", func(c *easyauth.Config) { c.MaxProviderCalls = -1 }, "MaxProviderCalls", "negative", "use 0"},
		{"negative notice", func(c *easyauth.Config) { c.ReauthNotice = -1 }, "ReauthNotice", "negative", "use 0"},
		{"ceiling below the session", func(c *easyauth.Config) { c.SessionLifetime, c.AbsoluteLifetime = 2*time.Hour, time.Hour }, "AbsoluteLifetime", "shorter", "raise the one"},
		{"ceiling below the default session", func(c *easyauth.Config) { c.AbsoluteLifetime = time.Hour }, "AbsoluteLifetime", "shorter", "raise the one"},
		{"redirect target that is no origin", func(c *easyauth.Config) { c.AllowedRedirects = []string{"partner.example"} }, "AllowedRedirects", "no place to redirect to", "https://partner.example"},
		{"redirect target with a path of two readings", func(c *easyauth.Config) { c.AllowedRedirects = []string{"https://partner.example/a/../b"} }, "AllowedRedirects", "read in different ways", "without dots"},
		{"redirect target that is a script", func(c *easyauth.Config) { c.AllowedRedirects = []string{"javascript://x"} }, "AllowedRedirects", "opens no application", "use https"},
		{"short signing key", func(c *easyauth.Config) { c.SigningKeys = []providers.Secret{providers.NewSecret("c2hvcnQ=")} }, "SigningKeys", "5 bytes", "easyauth.NewKey"},
		{"redirect target not in ASCII", func(c *easyauth.Config) { c.AllowedRedirects = []string{"https://münchen.example"} }, "AllowedRedirects", "no place to redirect to", "in ASCII"},
		{"redirect target with an odd port", func(c *easyauth.Config) { c.AllowedRedirects = []string{"https://partner.example:0443"} }, "AllowedRedirects", "no place to redirect to", "write it as"},
		{"redirect target over http", func(c *easyauth.Config) { c.AllowedRedirects = []string{"http://partner.example"} }, "AllowedRedirects", "http://partner.example", "use https"},
		{"prefix", func(c *easyauth.Config) { c.Prefix = "auth" }, "Prefix", "refused", "such as /.auth"},
		{"attempt that takes too long", func(c *easyauth.Config) { c.AttemptLifetime = time.Hour }, "AttemptLifetime", "too long", "at most 10m"},
		{"bearer tokens of nobody", func(c *easyauth.Config) { c.BearerProviders = []string{"nobody"} }, "BearerProviders", `no provider "nobody"`, "give the name"},
		{"gate to nobody", func(c *easyauth.Config) { c.Gate = &middleware.Gate{Provider: "nobody"} }, "Gate", `no provider "nobody"`, "give the name"},
		{"gate open to all that is below nothing", func(c *easyauth.Config) { c.Gate = &middleware.Gate{ExcludedPaths: []string{"public"}} }, "Gate.ExcludedPaths", `"public" refused`, "such as /health"},
		{"HST4 proxies that are everybody", func(c *easyauth.Config) { c.ForwardProxy = &middleware.ForwardProxy{} }, "ForwardProxy.Trusted", "empty", "give the addresses"},
		{"logout endpoint that is no path", func(c *easyauth.Config) { c.LogoutEndpoint = "signout" }, "LogoutEndpoint", "refused", "/signout"},
		{"contradiction", func(c *easyauth.Config) { c.RefreshTokenInMe, c.HideTokens = true, true }, "RefreshTokenInMe", "contradicts HideTokens", "choose one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := good(t)
			tt.spoil(&c)
			err := c.Validate()
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range []string{"easyauth: Config." + tt.field + ": ", tt.mistake, tt.remedy} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q\ndoes not say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q shows a key", err)
			}
			if _, again := easyauth.New(c); again == nil || again.Error() != err.Error() {
				t.Errorf("New: %v, want what Validate says", again)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	err := easyauth.Config{SessionLifetime: -1}.Validate()
	for _, field := range []string{"BaseURL", "Providers", "Keys", "SessionLifetime"} {
		if err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("%v\ndoes not name %s", err, field)
		}
	}
}

func TestGoodConfigurationsAreAccepted(t *testing.T) {
	for name, change := range map[string]func(*easyauth.Config){
		"the least":            func(*easyauth.Config) {},
		"http on loopback":     func(c *easyauth.Config) { c.BaseURL = "http://127.0.0.1:8080" },
		"http on localhost":    func(c *easyauth.Config) { c.BaseURL = "http://localhost:8080/" },
		"no grace period":      func(c *easyauth.Config) { c.GracePeriod = -1 },
		"ceiling at 8 hours":   func(c *easyauth.Config) { c.AbsoluteLifetime = 8 * time.Hour },
		"an allowed origin":    func(c *easyauth.Config) { c.AllowedRedirects = []string{"https://partner.example:8443"} },
		"a key in hexadecimal": func(c *easyauth.Config) { c.Keys[0] = providers.NewSecret(strings.Repeat("0f", 32)) },
	} {
		c := good(t)
		change(&c)
		auth, err := easyauth.New(c)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		auth.Close()
	}
}

func TestParseKeys(t *testing.T) {
	first, second := easyauth.NewKey(), easyauth.NewKey()
	keys, err := easyauth.ParseKeys("# newest first\n" + first.Reveal() + "\n\n  " + strings.TrimRight(second.Reveal(), "=") + " \r\n")
	if err != nil || len(keys) != 2 || !keys[0].Equal(first) {
		t.Errorf("keys %v, %v", keys, err)
	}
	for text, wanted := range map[string]string{
		"":                                 "no key found",
		"# nothing but a comment":          "no key found",
		first.Reveal() + "\nshort":         "line 2",
		"x y z " + strings.Repeat("a", 64): "neither Base64 nor hexadecimal",
		strings.Repeat("ab", 31):           "31 bytes",
	} {
		if _, err := easyauth.ParseKeys(text); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("error %v, want one that says %q", err, wanted)
		}
	}
	if a, b := easyauth.NewKey(), easyauth.NewKey(); a.Equal(b) {
		t.Error("two new keys are the same")
	}
}

func TestLEA5ConfigurationShowsNoSecret(t *testing.T) {
	c := good(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if dump := fmt.Sprintf(verb, c); strings.Contains(dump, c.Keys[0].Reveal()) {
			t.Errorf("%s shows a key", verb)
		}
	}
}
