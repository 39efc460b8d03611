// Package providertest is an OpenID provider for tests and for development,
// and a browser to sign in with.
//
// It proves nothing about anybody: whoever types a name is believed, and
// callers can make it lie, fail and forget. Never let it vouch for real people,
// and never put it where others than you can reach it.
//
// # A provider without sockets
//
// [New] makes a provider out of a [Config] whose zero value is ready to use:
//
//	op := providertest.New(providertest.Config{})
//	application.HTTPClient = op.Client()   // reaches https://op.example in memory
//
// Issuer, client and secret are op.Issuer(), [ClientID] and [ClientSecret].
// The provider has discovery, key rotation, the code flow with PKCE, a sign-in
// page with single sign-on, userinfo, refresh tokens under every kind of
// [Rotation] with reuse detection, revocation, RP-initiated and back-channel
// logout. Time is that of package time, so a week of refreshes fits into a
// testing/synctest bubble and takes milliseconds.
//
// # A browser and a network
//
// A [Network] reaches handlers by host name, and a [Browser] walks through it
// as a person's browser does, cookies, redirects and forms included:
//
//	network := providertest.NewNetwork(map[string]http.Handler{
//		op.Host():     op,
//		"app.example": application,
//	})
//	alice := providertest.NewBrowser(network)
//	page, err := alice.SignIn("https://app.example/account", "alice")
//
// A test that is only about what follows may skip the pages: [Server.Authorize]
// turns an authorization URL into the parameters of its response.
//
// # The ways of one provider or another
//
// Config says what a provider is known for: FrontChannel and the formats EntraV1
// and EntraV2 for Microsoft Entra ID, RefreshOnce for Google, NameOnce and
// Registration.SecretKey for Apple, PasswordGrant for what should be gone.
// [Server.IssueIDToken], [Server.IssueAccessToken] and [Server.IssueCode] are what
// a mobile application has that used the provider's own SDK.
//
// # When things go wrong
//
// [Server.Fail] makes an endpoint fail: refuse, delay, cut the connection
// before or after the work is done, answer nonsense. [Server.Hold] stops
// requests in the middle, to bring races about. [Server.Mutate] makes the
// provider lie, one function for each thing that it signs or sends.
// [Server.RevokeUser], [Server.RejectAccessTokens] and [Server.RotateKeys] do
// what administrators do. Afterwards [Server.Stats] says what was asked for how
// often, and [Server.Secrets] what must not be found in any log.
//
// # A provider for development
//
// A [Server] is an [http.Handler]. Served on a real listener whose address is
// in Config.Issuer, it signs people in who use a real browser:
//
//	ln, err := net.Listen("tcp", "127.0.0.1:9000")
//	op := providertest.New(providertest.Config{
//		Issuer:              "http://127.0.0.1:9000",
//		AccessTokenLifetime: time.Minute,
//	})
//	go http.Serve(ln, op)
package providertest
