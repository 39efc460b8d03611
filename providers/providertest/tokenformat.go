package providertest

// TokenFormat is how access tokens look.
type TokenFormat int

const (
	// Opaque access tokens are random strings.
	Opaque TokenFormat = iota
	// JWT access tokens are those of RFC 9068, of type at+jwt.
	JWT
)
