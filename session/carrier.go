package session

// Carrier is how a request brought its session along.
type Carrier uint8

const (
	None   Carrier = iota // it did not: the session was started, opened by its id, or made by hand
	Cookie                // by the session cookie, which a browser sends whoever caused the request
	Token                 // by a session token, which only a program can send (X-ZUMO-AUTH)
	Bearer                // by an access token of the provider (RFC 6750): there is no session beyond the request
)

// String returns the lower-case name.
func (c Carrier) String() string { return [...]string{"none", "cookie", "token", "bearer"}[c] }

// Carrier tells how the request brought the session along.
func (s *Session) Carrier() Carrier { return s.carrier }
