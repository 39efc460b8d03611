package providertest

// TokenFormat is how access tokens look.
type TokenFormat int

const (
	// Opaque access tokens are random strings.
	Opaque TokenFormat = iota
	// JWT access tokens are those of RFC 9068, of type at+jwt.
	JWT
	// EntraV1 access tokens are those that Microsoft Entra ID calls version 1.0:
	// of Config.V1Issuer, for api:// and the client's ID, with appid and the claims
	// about the person.
	EntraV1
	// EntraV2 access tokens are those of version 2.0: for the client's ID, with azp
	// and the claims about the person.
	EntraV2
)
