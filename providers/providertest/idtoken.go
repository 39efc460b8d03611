package providertest

import (
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"
)

// idToken makes the ID token of one token answer.
func (s *Server) idToken(grantType string, a *issued, now time.Time) string {
	d := s.idDraft(a.grant, a.user, now)
	d.GrantType = grantType
	d.Claims["at_hash"] = HalfHash(s.cfg.Algorithm, a.access.value)
	if a.grant.nonce != "" && grantType == grantCode {
		d.Claims["nonce"] = a.grant.nonce // not repeated at a refresh: OpenID Connect Core 12.2
	}
	return s.mutated(d)
}

// frontToken makes the ID token of an authorization response, with or without a
// code beside it.
func (s *Server) frontToken(g *grant, user User, code string, now time.Time) string {
	d := s.idDraft(g, user, now)
	d.Claims["nonce"] = g.nonce
	if code != "" {
		d.Claims["c_hash"] = HalfHash(s.cfg.Algorithm, code)
	}
	token := s.mutated(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets.add(token)
	return token
}

// mutated is the ID token of a draft, as a lying provider makes it.
func (s *Server) mutated(d *Draft) string {
	if mutate := s.mutation().IDToken; mutate != nil {
		mutate(d)
	}
	return d.token(s.keys.current())
}

// idDraft is what all ID tokens of a grant have.
func (s *Server) idDraft(g *grant, user User, now time.Time) *Draft {
	key := s.keys.current()
	claims := map[string]any{
		"iss":       s.cfg.Issuer,
		"sub":       user.Subject,
		"aud":       g.client,
		"iat":       now.Unix(),
		"exp":       now.Add(s.cfg.IDTokenLifetime).Unix(),
		"auth_time": g.authTime.Unix(),
	}
	if g.login != nil {
		claims["sid"] = g.login.sid
	}
	if !s.cfg.StrictClaims {
		person := user.released(g.scopes)
		maps.Copy(person, claims) // the protocol's claims win
		claims = person
	}
	return &Draft{Header: map[string]any{"alg": key.algorithm, "typ": "JWT", "kid": key.id}, Claims: claims}
}

// accessDraft makes an access token that is a JWT. The caller holds s.mu.
func (s *Server) accessDraft(t *accessToken, now time.Time) *Draft {
	key := s.keys.current()
	user, _ := s.person(t.grant.user)
	d := &Draft{Header: map[string]any{"alg": key.algorithm, "typ": "JWT", "kid": key.id}}
	claims := map[string]any{"iss": s.cfg.Issuer, "sub": user.Subject, "iat": now.Unix(), "exp": t.expires.Unix()}
	switch s.cfg.AccessTokens {
	case EntraV1, EntraV2:
		d.Claims = user.released(t.scopes)
		claims["nbf"], claims["scp"] = now.Unix(), strings.Join(t.scopes, " ")
		claims["aud"], claims["azp"], claims["ver"] = cmp.Or(t.audience, t.grant.client), t.grant.client, "2.0"
		if s.cfg.AccessTokens == EntraV1 {
			delete(claims, "azp")
			claims["iss"], claims["aud"], claims["ver"] = s.cfg.V1Issuer, cmp.Or(t.audience, "api://"+t.grant.client), "1.0"
			claims["appid"], claims["unique_name"] = t.grant.client, user.Claims["preferred_username"]
		}
		maps.Copy(d.Claims, claims)
	default:
		d.Header["typ"] = "at+jwt"
		claims["aud"] = cmp.Or(t.audience, s.endpoint("/userinfo"))
		claims["client_id"], claims["scope"], claims["jti"] = t.grant.client, strings.Join(t.scopes, " "), newID()
		d.Claims = claims
	}
	return d
}

// PublicKey is the current key, as the JWKS publishes it.
func (s *Server) PublicKey() crypto.PublicKey { return s.keys.current().signer.Public() }

// Sign signs input with the current key, as a Draft does by itself.
func (s *Server) Sign(input []byte) []byte { return s.keys.current().sign(input) }

// hint reads an ID token that came back as id_token_hint. Its age does not
// matter (OpenID Connect RP-Initiated Logout 1.0 section 4).
func (s *Server) hint(token string) (claims struct{ Sub, Aud, Sid string }, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, false
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return claims, false
	}
	for _, k := range s.keys.published() {
		if k.verifies([]byte(parts[0]+"."+parts[1]), sig) {
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			return claims, json.Unmarshal(payload, &claims) == nil
		}
	}
	return claims, false
}

// HalfHash is how an ID token that is signed with the algorithm names a value
// beside it: its at_hash of an access token, its c_hash of a code (OpenID Connect
// Core 3.1.3.6, 3.3.2.11). Ed25519 hashes with SHA-512 inside, and so does this.
func HalfHash(algorithm, value string) string {
	if algorithm == "EdDSA" {
		sum := sha512.Sum512([]byte(value))
		return b64(sum[:32])
	}
	sum := sha256.Sum256([]byte(value))
	return b64(sum[:16])
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("providertest: claims: " + err.Error())
	}
	return b
}
