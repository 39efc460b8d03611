package easyauth

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/goeasyauth/easyauth/internal/appservice"
	"github.com/goeasyauth/easyauth/internal/origin"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
)

// LoadAppService reads the configuration of an application that was made for App
// Service authentication: an auth.json, or the properties of authsettingsV2 as
// Azure Resource Manager shows them, with the spellings of either (contract 4).
// docs/auth.schema.json describes the file, docs/configuration.md says what
// becomes of each member.
//
// Secrets are never in the file. It names app settings, and lookupSetting, such
// as os.LookupEnv, finds their values; it finds these, too, where they are set:
//
//   - WEBSITE_AUTH_ENCRYPTION_KEY and WEBSITE_AUTH_SIGNING_KEY, in hexadecimal or
//     Base64, become Keys and SigningKeys;
//   - WEBSITE_HOSTNAME becomes BaseURL, by https;
//   - WEBSITE_AUTH_AAD_ALLOWED_TENANTS lists the tenants whose users may sign in;
//   - the settings of the first version that have a twin in the file, such as
//     WEBSITE_AUTH_TOKEN_REFRESH_HOURS, count where the file is silent.
//
// The rest is the caller's: Store, without which sessions and tokens are in
// memory whatever directory the file names; BaseURL, Keys and SigningKeys where
// the settings do not tell; ForwardProxy.Trusted where the file says that a proxy
// is in front, because the addresses of proxies have no place in it; and for plain
// http on loopback Gate.RequireHTTPS, which is true unless the file says otherwise.
//
// The error tells every mistake, each with its path in the file and its remedy,
// and shows no value: a secret may stand where it does not belong.
func LoadAppService(path string, lookupSetting func(name string) (value string, ok bool)) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("easyauth: auth.json not read: %w", err)
	}
	a := &appService{setting: func(name string) string {
		if lookupSetting == nil {
			return ""
		}
		if value, ok := lookupSetting(name); ok {
			return value
		}
		return ""
	}}
	a.Settings, a.Mistakes = appservice.Parse(text, a.setting)
	cfg := a.config()
	if err := a.Err(); err != nil {
		return Config{}, inFile(path, err)
	}
	return cfg, nil
}

// appService turns the tree of a file into a Config. What is wrong with it is
// noted, and the next thing looked at.
type appService struct {
	*appservice.Settings
	*appservice.Mistakes
	setting func(name string) string // "": not set
}

func (a *appService) config() Config {
	return Config{
		BaseURL:              a.baseURL(),
		Providers:            a.providers(),
		Keys:                 a.key("WEBSITE_AUTH_ENCRYPTION_KEY"),
		SigningKeys:          a.key("WEBSITE_AUTH_SIGNING_KEY"),
		SessionLifetime:      a.Login.CookieExpiration.TimeToExpiration,
		LifetimeFromProvider: a.Login.CookieExpiration.Convention == appservice.IdentityProviderDerived,
		GracePeriod:          a.gracePeriod(),
		AttemptLifetime:      a.attemptLifetime(),
		AllowedRedirects:     a.allowedRedirects(),
		IdentityHeaders:      true,
		TokenHeaders:         a.Login.TokenStore.Enabled,
		RefreshTokenInMe:     a.Login.TokenStore.Enabled,
		DiscardTokens:        !a.Login.TokenStore.Enabled,
		BearerProviders:      a.bearerProviders(),
		Prefix:               a.HTTPSettings.Routes.APIPrefix,
		LogoutEndpoint:       a.Login.LogoutEndpoint,
		PreserveFragments:    a.Login.PreserveURLFragments,
		Gate:                 a.gate(),
		ForwardProxy:         a.forwardProxy(),
	}
}

// gracePeriod is that of Config, where zero is the default.
func (a *appService) gracePeriod() time.Duration {
	if d := a.Login.TokenStore.RefreshExtension; d > 0 {
		return d
	}
	return -1
}

func (a *appService) attemptLifetime() time.Duration {
	d := a.Login.Nonce.ExpirationInterval
	if d > providers.FlowLifetime {
		a.Follow(a.At("login.nonce.nonceExpirationInterval"), "is longer than an attempt to sign in can take here: at most %s", providers.FlowLifetime)
	}
	return d
}

func (a *appService) allowedRedirects() []string {
	urls := a.Login.AllowedExternalRedirectURLs
	for i, u := range urls {
		if _, err := origin.NewList([]string{u}); err != nil {
			a.Follow(appservice.Item(a.At("login.allowedExternalRedirectUrls"), i),
				"is no place to redirect to: write https://partner.example for an origin, https://partner.example/page for a page of it, "+
					"or myapp://easyauth.callback for an application of that scheme; http is for loopback only, and there are no patterns")
		}
	}
	return urls
}

// actions are the values of unauthenticatedClientAction.
var actions = map[appservice.Action]middleware.Action{
	appservice.AllowAnonymous:      middleware.AllowAnonymous,
	appservice.RedirectToLoginPage: middleware.RedirectToLogin,
	appservice.Return401:           middleware.Return401,
	appservice.Return403:           middleware.Return403,
	appservice.Return404:           middleware.Return404,
}

func (a *appService) gate() *middleware.Gate {
	return &middleware.Gate{
		Unauthenticated: actions[a.GlobalValidation.Unauthenticated],
		Provider:        a.GlobalValidation.RedirectToProvider,
		ExcludedPaths:   a.GlobalValidation.ExcludedPaths,
		RequireHTTPS:    a.HTTPSettings.RequireHTTPS,
		HideChallenge:   a.HidesChallenge(),
	}
}

// forwardProxy names the headers. Whose are believed is the caller's to say.
func (a *appService) forwardProxy() *middleware.ForwardProxy {
	switch f := a.HTTPSettings.ForwardProxy; f.Convention {
	case appservice.Standard:
		return &middleware.ForwardProxy{HostHeader: "X-Forwarded-Host", ProtoHeader: "X-Forwarded-Proto"}
	case appservice.Custom:
		return &middleware.ForwardProxy{
			HostHeader:  http.CanonicalHeaderKey(f.HostHeaderName),
			ProtoHeader: http.CanonicalHeaderKey(f.ProtoHeaderName),
		}
	}
	return nil
}

// inFile puts the file's name before every mistake.
func inFile(path string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("easyauth: %s: %w", path, err)
	}
	var errs []error
	for _, e := range joined.Unwrap() {
		errs = append(errs, fmt.Errorf("easyauth: %s: %w", path, e))
	}
	return errors.Join(errs...)
}
