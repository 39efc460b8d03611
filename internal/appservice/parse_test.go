package appservice_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/internal/appservice"
)

func none(string) string { return "" }

func TestWhatIsNoTextOfAFileIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "line 1, column 1: the file ends in the middle"},
		{"white space", " \r\n\t", "line 2, column 2: the file ends in the middle"},
		{"UTF-16 of an editor on Windows", "\xff\xfe{\x00}\x00", "is not UTF-8"},
		{"Latin-1", "{\"platform\":{\"runtimeVersion\":\"\xe9\"}}", "is not UTF-8"},
		{"a log file", "{\"platform\":{}}" + strings.Repeat(" ", 1<<20), "is larger than 1 MiB"},
		{"depth that would cost a stack", strings.Repeat("[", 100_000), "is nested deeper than anything in an auth.json"},
	} {
		_, mistakes := appservice.Parse([]byte(c.text), none)
		if err := mistakes.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestEveryWayToSayNothingMeansTheDefaults: exports have null where nothing is
// set, and editors on Windows begin with a byte order mark.
func TestEveryWayToSayNothingMeansTheDefaults(t *testing.T) {
	want, mistakes := appservice.Parse([]byte(`{}`), none)
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"\ufeff{}",
		`{"platform":null,"globalValidation":null,"httpSettings":null,"login":null,"identityProviders":null,"encryptionSettings":null}`,
		`{"httpSettings":{"requireHttps":null,"routes":{"apiPrefix":""},"forwardProxy":{"convention":"","customHostHeaderName":""}}}`,
		`{"login":{"tokenStore":{"enabled":null,"tokenRefreshExtensionHours":"","azureBlobStorage":{"sasUrlSettingName":""}},"cookieExpiration":{"timeToExpiration":""},"nonce":{"validateNonce":null}}}`,
		`{"identityProviders":{"google":null,"twitter":{},"apple":{"enabled":null,"registration":{"clientId":null}},"azureStaticWebApps":{"registration":{"clientId":null}}}}`,
	} {
		got, mistakes := appservice.Parse([]byte(text), none)
		if err := mistakes.Err(); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", text, got, want)
		}
	}
}

func TestContract4DefaultsAreThoseOfTheTable(t *testing.T) {
	s, mistakes := appservice.Parse([]byte(`{}`), none)
	if err := mistakes.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		member    string
		got, want any
	}{
		{"globalValidation.unauthenticatedClientAction", s.GlobalValidation.Unauthenticated, appservice.RedirectToLoginPage},
		{"httpSettings.requireHttps", s.HTTPSettings.RequireHTTPS, true},
		{"httpSettings.routes.apiPrefix", s.HTTPSettings.Routes.APIPrefix, "/.auth"},
		{"httpSettings.forwardProxy.convention", s.HTTPSettings.ForwardProxy.Convention, appservice.NoProxy},
		{"login.tokenStore.enabled", s.Login.TokenStore.Enabled, false},
		{"login.tokenStore.tokenRefreshExtensionHours", s.Login.TokenStore.RefreshExtension, 72 * time.Hour},
		{"login.preserveUrlFragmentsForLogins", s.Login.PreserveURLFragments, false},
		{"login.cookieExpiration.convention", s.Login.CookieExpiration.Convention, appservice.FixedTime},
		{"login.cookieExpiration.timeToExpiration", s.Login.CookieExpiration.TimeToExpiration, 8 * time.Hour},
		{"login.nonce.validateNonce", s.Login.Nonce.Validate, true},
		{"login.nonce.nonceExpirationInterval", s.Login.Nonce.ExpirationInterval, 5 * time.Minute},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.member, c.got, c.want)
		}
	}
}

// TestAConsequenceIsNotToldBesideItsCause: one slip gives one message, and two
// slips give two.
func TestAConsequenceIsNotToldBesideItsCause(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{`{"identityProviders":{"google":{"registration":{"clientID":"x","clientSecretSettingName":"A_SECRET"}}}}`,
			"identityProviders.google.registration.clientID: unknown member: did you mean clientId?"},
		{`{"globalValidation":{"redirectToProvider":"google"},"identityProviders":{"gogle":{}}}`,
			"identityProviders.gogle: unknown member: did you mean google?"},
		{`{"identityProviders":{"google":{"registration":{"clientId":7}},"gitHub":{"registration":{"clientId":"x"}}}}`,
			"identityProviders.google.registration.clientId: is a number: write a text\n" +
				"identityProviders.gitHub.registration.clientSecretSettingName: is missing: name the app setting that holds the secret"},
		{`{"identityProviders":{"twitter":{"registration":{"consumerKey":"","consumerSecretSettingName":"A_SECRET"}}}}`,
			"identityProviders.twitter.registration.consumerKey: is missing: register the application at the provider, or remove the registration"},
	} {
		_, mistakes := appservice.Parse([]byte(c.file), none)
		if err := mistakes.Err(); err == nil || err.Error() != c.want {
			t.Errorf("%s\n got %v\nwant %s", c.file, err, c.want)
		}
	}
}

// FuzzNoFileIsTooStrange: whatever the bytes, there is an answer, of one line for
// each mistake, each bounded however long the file's names are.
func FuzzNoFileIsTooStrange(f *testing.F) {
	files, err := filepath.Glob("../../testdata/appservice/samples/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"` + strings.Repeat("long", 100) + `":1,"a\nb":{"\u0000":[]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, mistakes := appservice.Parse(text, none)
		if s == nil {
			t.Fatal("no settings")
		}
		err := mistakes.Err()
		if err == nil {
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if line == "" || len(line) > 4<<10 {
				t.Errorf("a line of %d bytes: %.200q", len(line), line)
			}
		}
	})
}
