package easyauth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/middleware"
)

const keyOfZeros = "0000000000000000000000000000000000000000000000000000000000000000"

// TestContract4EachSampleRoundTrips loads every sample in the form of a file and
// in that of Azure Resource Manager, and with the other spelling of what has two.
func TestContract4EachSampleRoundTrips(t *testing.T) {
	files, err := filepath.Glob("testdata/appservice/samples/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := read(t, file)
			plain, err := loadWith(t, text, samples)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := easyauth.New(ready(plain.Config)); err != nil {
				t.Errorf("the configuration is refused: %v", err)
			}
			if filepath.Base(file) != "export.json" {
				same(t, plain, `{"id":"/subscriptions/0/config/authsettingsV2","name":"authsettingsV2","type":"Microsoft.Web/sites/config","kind":null,"properties":`+text+`}`)
			}
			for _, spellings := range [][2]string{
				{`"openIdConnectProviders"`, `"customOpenIdConnectProviders"`},
				{`"disableWWWAuthenticate"`, `"disableWwwAuthenticate"`},
				{`"IdentityDerived"`, `"IdentityProviderDerived"`},
			} {
				same(t, plain, strings.ReplaceAll(text, spellings[0], spellings[1]))
				same(t, plain, strings.ReplaceAll(text, spellings[1], spellings[0]))
			}
		})
	}
}

func TestContract4SampleOfEachProviderOffersIt(t *testing.T) {
	for file, want := range map[string]string{
		"aad": "[aad]", "google": "[google]", "facebook": "[facebook]", "github": "[github]", "twitter": "[twitter]", "apple": "[apple]",
		"microsoftaccount": "[microsoftaccount]", "openidconnect": "[genericoauth legacy]", "export": "[aad]",
		"complete": "[aad google facebook github twitter apple contoso]",
	} {
		l, err := loadWith(t, read(t, "testdata/appservice/samples/"+file+".json"), samples)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := fmt.Sprint(l.names()); got != want {
			t.Errorf("%s: offers %s, want %s", file, got, want)
		}
	}
}

func TestContract11BearerTokensAreTakenOfEntraIDAndOwnProvidersOnly(t *testing.T) {
	l, err := load(t, everyProvider)
	if want := []string{"aad", "contoso"}; err != nil || !slices.Equal(l.BearerProviders, want) {
		t.Errorf("got %v, %v, want %v", l.BearerProviders, err, want)
	}
}

// TestStrangersAreAskedToSignInWhereNobodyDecidedOtherwise: what an empty file
// says is the strict reading of the reference.
func TestStrangersAreAskedToSignInWhereNobodyDecidedOtherwise(t *testing.T) {
	for _, c := range []struct {
		file string
		want middleware.Action
	}{
		{`{}`, middleware.RedirectToLogin},
		{`{"globalValidation":{"requireAuthentication":true}}`, middleware.RedirectToLogin},
		{`{"globalValidation":{"requireAuthentication":false}}`, middleware.AllowAnonymous},
		{`{"globalValidation":{"requireAuthentication":false,"unauthenticatedClientAction":"Return401"}}`, middleware.AllowAnonymous},
		{`{"globalValidation":{"requireAuthentication":null,"unauthenticatedClientAction":"Return403"}}`, middleware.Return403},
	} {
		l, err := load(t, c.file)
		if err != nil || l.Gate.Unauthenticated != c.want {
			t.Errorf("%s: %v, want %s", c.file, err, c.want)
		}
	}
}

func TestSettingsOfThePlatformFillTheConfig(t *testing.T) {
	l, err := loadWith(t, everyProvider, settings{
		"WEBSITE_AUTH_ENCRYPTION_KEY": keyOfZeros, "WEBSITE_AUTH_SIGNING_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
		"WEBSITE_HOSTNAME":                 "orders.azurewebsites.net",
		"WEBSITE_AUTH_AAD_ALLOWED_TENANTS": "72F988BF-86F1-41AF-91AB-2D7CD011DB47, 9188040d-6c67-4c5b-b112-36a304b66dad",
	})
	if err != nil {
		t.Fatal(err)
	}
	if l.BaseURL != "https://orders.azurewebsites.net" || len(l.Keys) != 1 || l.Keys[0].Reveal() != keyOfZeros || len(l.SigningKeys) != 1 {
		t.Errorf("got %s, %d keys, %d signing keys", l.BaseURL, len(l.Keys), len(l.SigningKeys))
	}
	if got := l.OIDC["aad"].Tenants; !slices.Equal(got, []string{"72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"}) {
		t.Errorf("tenants %v", got)
	}
	if err := l.Config.Validate(); err != nil {
		t.Error(err)
	}
	if l, err := load(t, everyProvider); err != nil || l.BaseURL != "" || l.Keys != nil || l.SigningKeys != nil {
		t.Errorf("without the settings: %v, %s, %v, %v", err, l.BaseURL, l.Keys, l.SigningKeys)
	}
}

// TestContract4SettingsOfTheFirstVersionCountWhereTheFileIsSilent has a row for
// each of them that has a twin in the file.
func TestContract4SettingsOfTheFirstVersionCountWhereTheFileIsSilent(t *testing.T) {
	for _, c := range []struct {
		setting, value, path, member string
		got                          func(loaded) any
		want, byMember               string
	}{
		{"WEBSITE_AUTH_NONCE_DURATION", "00:02:00", "login.nonce.nonceExpirationInterval", `"00:03:00"`, func(l loaded) any { return l.AttemptLifetime }, "2m0s", "3m0s"},
		{"WEBSITE_AUTH_PRESERVE_URL_FRAGMENT", "True", "login.preserveUrlFragmentsForLogins", `false`, func(l loaded) any { return l.PreserveFragments }, "true", "false"},
		{"WEBSITE_AUTH_TOKEN_REFRESH_HOURS", "24", "login.tokenStore.tokenRefreshExtensionHours", `48`, func(l loaded) any { return l.GracePeriod }, "24h0m0s", "48h0m0s"},
		{"WEBSITE_AUTH_DISABLE_WWWAUTHENTICATE", "true", aad + "login.disableWWWAuthenticate", `false`, hideChallenge, "true", "false"},
		{"WEBSITE_AUTH_STATE_DIRECTORY", "/state", "login.tokenStore.fileSystem.directory", `"/tokens"`, names, fmt.Sprint(every), fmt.Sprint(every)},
	} {
		l, err := loadWith(t, everyProvider, settings{c.setting: c.value})
		if err != nil || fmt.Sprint(c.got(l)) != c.want {
			t.Errorf("%s: got %v, %v, want %s", c.setting, c.got(l), err, c.want)
		}
		l, err = loadWith(t, with(t, everyProvider, c.path, c.member), settings{c.setting: c.value})
		if err != nil || fmt.Sprint(c.got(l)) != c.byMember {
			t.Errorf("%s beside %s: got %v, %v, want %s", c.setting, c.path, c.got(l), err, c.byMember)
		}
	}
}

func TestSettingsThatAreWrongAreNamed(t *testing.T) {
	for _, c := range []struct{ setting, value, reason string }{
		{"WEBSITE_AUTH_ENCRYPTION_KEY", "c2hvcnQ=", "5 bytes, at least 32"},
		{"WEBSITE_AUTH_SIGNING_KEY", "not a key", "neither Base64 nor hexadecimal"},
		{"WEBSITE_HOSTNAME", "https://orders.example/", "is not the name of a host"},
		{"WEBSITE_AUTH_AAD_ALLOWED_TENANTS", "contoso.onmicrosoft.com", "is no tenant ID"},
		{"WEBSITE_AUTH_AAD_REQUIRE_CLIENT_SERVICE_PRINCIPAL", "true", "allowedApplications"},
		{"WEBSITE_AUTH_NONCE_DURATION", "5", "is not a time span"},
		{"WEBSITE_AUTH_VALIDATE_NONCE", "maybe", "is not true or false"},
		{"WEBSITE_AUTH_VALIDATE_NONCE", "False", "is always checked"},
		{"WEBSITE_AUTH_TOKEN_CONTAINER_SASURL", "https://contoso.blob.core.windows.net/tokens?sig=abc", "memstore, sqlitestore, redisstore and pgstore"},
		{"WEBSITE_AUTH_PRESERVE_URL_FRAGMENT", "yes", "is not true or false"},
		{"WEBSITE_AUTH_TOKEN_REFRESH_HOURS", "72:00:00", "is not a number of hours"},
		{"WEBSITE_AUTH_DISABLE_WWWAUTHENTICATE", "on", "is not true or false"},
	} {
		_, err := loadWith(t, everyProvider, settings{c.setting: c.value})
		if err == nil || !strings.Contains(err.Error(), "app setting "+c.setting+": ") || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: got %v, want %q", c.setting, err, c.reason)
		} else if strings.Contains(err.Error(), c.value) && len(c.value) > 5 {
			t.Errorf("%s: shows its value: %v", c.setting, err)
		}
	}
}

// TestASecretThatIsNotSetIsNamedWithItsPath and what stands in the place of the
// setting's name is not, where it may be the secret itself.
func TestASecretThatIsNotSetIsNamedWithItsPath(t *testing.T) {
	const path = "identityProviders.google.registration.clientSecretSettingName"
	for _, c := range []struct{ name, want string }{
		{"GOOGLE_PROVIDER_AUTHENTICATION", "the app setting GOOGLE_PROVIDER_AUTHENTICATION is not set"},
		{"genericOAuth_AUTHENTICATION", "the app setting genericOAuth_AUTHENTICATION is not set"},
		{"myGoogleSecret", "the app setting myGoogleSecret is not set"},
		{"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", "the app setting that is named here is not set"},
		{"f2a1ed52710d4533bde25be6da03b6e3f2a1ed52", "the app setting that is named here is not set"},
		{"~8Q8Q~ZkkyxF4uV3oUkj0A-secret~", "the app setting that is named here is not set"},
	} {
		_, err := load(t, with(t, everyProvider, path, `"`+c.name+`"`))
		if err == nil || !strings.Contains(err.Error(), path+": "+c.want) {
			t.Errorf("%s: got %v", c.name, err)
		} else if !strings.Contains(c.want, c.name) && strings.Contains(err.Error(), c.name) {
			t.Errorf("what may be a secret is shown: %v", err)
		}
	}
	_, err := loadWith(t, with(t, everyProvider, path, `"VAULTED"`), settings{"VAULTED": "@Microsoft.KeyVault(SecretUri=https://contoso.vault.azure.net/secrets/google)"})
	if err == nil || !strings.Contains(err.Error(), "refers to a key vault") || strings.Contains(err.Error(), "contoso.vault") {
		t.Errorf("a reference to a key vault: %v", err)
	}
}

// TestAllMistakesAreToldAtOnce: those of the form, of the meaning, of settings
// and of what providers want, each in a line of its own.
func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := load(t, `{
		"globalValidation": {"excludedPath": [], "redirectToProvider": "gogle"},
		"login": {"nonce": {"nonceExpirationInterval": "5m"}, "allowedExternalRedirectUrls": ["javascript:alert(1)"]},
		"identityProviders": {
			"azureActiveDirectory": {"registration": {"openIdIssuer": "contoso", "clientId": "app", "clientSecretSettingName": "A_SECRET"}, "login": {"loginParameters": ["state=fixed"]}},
			"google": {"registration": {"clientId": "app", "clientSecretSettingName": "GOOGLE_KEY"}}
		}
	}`)
	if err == nil {
		t.Fatal("the file is taken")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{
		"globalValidation.excludedPath: unknown member: did you mean excludedPaths?",
		"login.nonce.nonceExpirationInterval: is not a time span",
		"globalValidation.redirectToProvider: names none",
		"identityProviders.azureActiveDirectory: providers: ",
		"identityProviders.azureActiveDirectory: providers: ",
		"identityProviders.google.registration.clientSecretSettingName: the app setting GOOGLE_KEY is not set",
		"login.allowedExternalRedirectUrls[0]: is no place to redirect to",
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], "easyauth: ") || !strings.Contains(lines[i], "auth.json: "+want) {
			t.Errorf("line %d of\n%v\nwant %s", i+1, err, want)
		}
	}
}

func TestAFileThatIsNotThereIsNamed(t *testing.T) {
	_, err := easyauth.LoadAppService("testdata/appservice/none.json", os.LookupEnv)
	if err == nil || !strings.HasPrefix(err.Error(), "easyauth: auth.json not read: ") || !strings.Contains(err.Error(), "none.json") {
		t.Errorf("got %v", err)
	}
}

// settings is a place where app settings are looked up, besides those of secrets.
type settings map[string]string

func (s settings) lookup(name string) (string, bool) {
	if value, ok := s[name]; ok {
		return value, true
	}
	return secrets(name)
}

// samples are the settings that the samples name beyond those that end in _SECRET.
var samples = settings{}

func loadWith(t *testing.T, text string, s settings) (loaded, error) {
	t.Helper()
	return loadFrom(t, text, s.lookup)
}

// same loads another way to write a file and expects the same of it.
func same(t *testing.T, want loaded, text string) {
	t.Helper()
	got, err := loadWith(t, text, samples)
	if err != nil {
		t.Error(err)
		return
	}
	want.Config.Providers, got.Config.Providers = nil, nil // compared by their configurations
	if !reflect.DeepEqual(got, want) {
		t.Errorf("what this file means differs from the sample:\n%s", text)
	}
}

// ready is the configuration with what the caller has to add to any file.
func ready(cfg easyauth.Config) easyauth.Config {
	cfg.BaseURL = "https://app.example"
	cfg.Keys = append(cfg.Keys, easyauth.NewKey())
	if cfg.ForwardProxy != nil {
		proxy := *cfg.ForwardProxy
		proxy.Trusted, cfg.ForwardProxy = loopback, &proxy
	}
	return cfg
}
