package providertest

// Registration is one client as the provider knows it.
type Registration struct {
	ID     string
	Secret string // empty: a public client, which must use PKCE

	// AuthMethod is the one way in which the client must authenticate:
	// client_secret_basic, client_secret_post or none. Default: as it likes.
	AuthMethod string

	// RedirectURIs and PostLogoutRedirectURIs are compared exactly. Where none
	// is given, any absolute URI is accepted, which a real provider must never do.
	RedirectURIs           []string
	PostLogoutRedirectURIs []string

	// BackChannelLogoutURI is where the client wants to be told of sign-outs
	// (OpenID Connect Back-Channel Logout 1.0), over the network that
	// [Server.ReachClients] names. Default: nowhere.
	BackChannelLogoutURI string
}
