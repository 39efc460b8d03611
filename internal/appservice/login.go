package appservice

import (
	"net/url"
	"strings"
	"time"
)

// Expiration is what decides how long a session lasts.
type Expiration string

// The values of cookieExpiration.convention, the last of which has two spellings.
const (
	FixedTime               Expiration = "FixedTime"
	IdentityProviderDerived Expiration = "IdentityProviderDerived"
	identityDerived         Expiration = "IdentityDerived"
)

// Login is how people sign in and for how long.
type Login struct {
	LogoutEndpoint              string
	TokenStore                  TokenStore
	PreserveURLFragments        bool
	AllowedExternalRedirectURLs []string
	CookieExpiration            CookieExpiration
	Nonce                       Nonce
}

// TokenStore is whether tokens are kept. Where is the program's to say.
type TokenStore struct {
	Enabled          bool
	RefreshExtension time.Duration // the grace period of the session; 0: none
}

// CookieExpiration is how long a session lasts.
type CookieExpiration struct {
	Convention       Expiration
	TimeToExpiration time.Duration
}

// Nonce is how long one attempt to sign in may take.
type Nonce struct {
	Validate           bool
	ExpirationInterval time.Duration
}

func (l *Login) members() []member {
	return []member{
		holding("routes", fields{word("logoutEndpoint", &l.LogoutEndpoint)}),
		holding("tokenStore", &l.TokenStore),
		truth("preserveUrlFragmentsForLogins", &l.PreserveURLFragments),
		words("allowedExternalRedirectUrls", &l.AllowedExternalRedirectURLs),
		holding("cookieExpiration", &l.CookieExpiration),
		holding("nonce", &l.Nonce),
	}
}

const noBlobs = "there is no store for Azure Blob Storage, which writes whole blobs and is slow at many small ones: " +
	"remove it and open one of memstore, sqlitestore, redisstore and pgstore as Config.Store"

func (t *TokenStore) members() []member {
	return []member{
		truth("enabled", &t.Enabled),
		hours("tokenRefreshExtensionHours", &t.RefreshExtension),
		holding("fileSystem", fields{ignored("directory", text)}),
		refused("azureBlobStorage", noBlobs),
	}
}

func (c *CookieExpiration) members() []member {
	return []member{
		choice("convention", &c.Convention, FixedTime, IdentityProviderDerived, identityDerived),
		span("timeToExpiration", &c.TimeToExpiration),
	}
}

func (n *Nonce) members() []member {
	return []member{
		truth("validateNonce", &n.Validate),
		span("nonceExpirationInterval", &n.ExpirationInterval),
	}
}

const alwaysValidated = "is false: the nonce ties the provider's answer to the browser that asked, and is always checked; remove it"

func (l *Login) check(s *Settings, mistakes *Mistakes) {
	if l.CookieExpiration.Convention == identityDerived {
		l.CookieExpiration.Convention = IdentityProviderDerived
	}
	if !l.Nonce.Validate {
		mistakes.Follow(s.At("login.nonce.validateNonce"), alwaysValidated)
	}
	at, prefix := s.At("login.routes.logoutEndpoint"), s.HTTPSettings.Routes.APIPrefix
	switch e := l.LogoutEndpoint; {
	case e == "":
	case !plainPath(e) || (&url.URL{Path: e}).EscapedPath() != e:
		mistakes.Follow(at, `is not a path of the application: write it as "/account/signout"`)
	case strings.HasPrefix(strings.ToLower(e)+"/", strings.ToLower(prefix)+"/"):
		mistakes.Follow(at, "is one of the module's own routes, which have a logout already: write a path of the application")
	}
}

// plainPath reports whether p is a path that has one spelling only.
func plainPath(p string) bool {
	return len(p) > 1 && p[0] == '/' && !strings.HasSuffix(p, "/") && !strings.Contains(p, "//") &&
		!strings.Contains(p+"/", "/./") && !strings.Contains(p+"/", "/../") && !strings.ContainsAny(p, `*?#%\;`)
}
