package providertest

import "net/url"

// Mutations make the provider lie. Each function may change what it is given,
// just before that is signed or sent; it may call the methods of the server. A
// nil function changes nothing.
type Mutations struct {
	Discovery     func(doc map[string]any)
	JWKS          func(set map[string]any) // its member keys is a []any of map[string]any
	Callback      func(params url.Values)  // of the authorization response
	TokenResponse func(grantType string, answer map[string]any)
	IDToken       func(*Draft)
	LogoutToken   func(*Draft)
	UserInfo      func(claims map[string]any)
}

// Draft is a token that is about to be signed: an ID token, a logout token, or
// what [Server.IssueAccessToken] issues.
type Draft struct {
	// GrantType, of an ID token, is "authorization_code" at a sign-in,
	// "refresh_token" later, "password" for one, and "" for an ID token in the
	// authorization response.
	GrantType string

	Header map[string]any
	Claims map[string]any

	// Payload replaces the encoded claims, for what a map cannot say: members
	// that repeat, numbers out of range, or no JSON at all.
	Payload []byte

	// Sign replaces the signature; Server.Sign is the honest one. See HMAC and
	// Unsigned.
	Sign func(input []byte) []byte

	// Raw changes the compact token last of all.
	Raw func(token string) string
}

// Mutate replaces all mutations by m. The zero Mutations make an honest
// provider again.
func (s *Server) Mutate(m Mutations) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mutations = m
}

func (s *Server) mutation() Mutations {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mutations
}

// token is the draft signed, by key unless it says otherwise.
func (d *Draft) token(key signingKey) string {
	if d.Payload == nil {
		d.Payload = mustJSON(d.Claims)
	}
	if d.Sign == nil {
		d.Sign = key.sign
	}
	token := compact(d.Header, d.Payload, d.Sign)
	if d.Raw != nil {
		token = d.Raw(token)
	}
	return token
}
