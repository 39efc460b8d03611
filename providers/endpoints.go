package providers

import (
	"cmp"

	"golang.org/x/oauth2"
)

// Endpoints are the addresses of a provider that publishes no discovery
// document, or a wrong one. Authorization, Token and Keys are required where any
// is set; what is left empty beyond them, the provider does not have.
type Endpoints struct {
	Authorization string
	Token         string
	Keys          string // of the published keys, jwks_uri
	UserInfo      string
	Revocation    string
	EndSession    string
}

// metadata is what a discovery document with these addresses would say. One
// that does not name a way to authenticate means client_secret_basic (OpenID
// Connect Discovery 3).
func (e Endpoints) metadata(style oauth2.AuthStyle) *metadata {
	style = cmp.Or(style, oauth2.AuthStyleInHeader)
	return &metadata{
		endpoint:       oauth2.Endpoint{AuthURL: e.Authorization, TokenURL: e.Token, AuthStyle: style},
		keysURL:        e.Keys,
		userInfoURL:    e.UserInfo,
		revocationURL:  e.Revocation,
		revocationAuth: style,
		endSessionURL:  e.EndSession,
	}
}
