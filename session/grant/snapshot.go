package grant

import (
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// Snapshot is what is stored of a login's tokens at one moment. Taking it
// refreshes nothing.
type Snapshot struct {
	AccessToken providers.Secret // zero: none, or removed because the grant died
	ExpiresAt   time.Time        // of the access token; zero: unknown
	Phase       Phase            // of the access token
	IDToken     providers.Secret // the last one that verified
	// AccessTokenSecret and AuthenticationToken are the last ones that came: the
	// one of OAuth 1.0a, the other of Microsoft's older account service.
	AccessTokenSecret   providers.Secret
	AuthenticationToken providers.Secret
	RefreshToken        providers.Secret // zero: none
	RefreshExpiresAt    time.Time        // of the refresh token; zero: unknown
	Scope               string           // as granted
	Dead                string           // why the grant died ("revoked", ...); empty: it lives
	RefreshedAt         time.Time        // last time the provider issued tokens
}
