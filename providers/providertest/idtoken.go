package providertest

import (
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
	key := s.keys.current()
	claims := map[string]any{
		"iss":       s.cfg.Issuer,
		"sub":       a.user.Subject,
		"aud":       a.grant.client,
		"iat":       now.Unix(),
		"exp":       now.Add(s.cfg.IDTokenLifetime).Unix(),
		"auth_time": a.grant.authTime.Unix(),
		"sid":       a.grant.login.sid,
		"at_hash":   leftHalf(key.algorithm, a.access.value),
	}
	if a.grant.nonce != "" && grantType == grantCode {
		claims["nonce"] = a.grant.nonce // not repeated at a refresh: OpenID Connect Core 12.2
	}
	if !s.cfg.StrictClaims {
		person := a.user.released(a.grant.scopes)
		maps.Copy(person, claims) // the protocol's claims win
		claims = person
	}
	d := &Draft{GrantType: grantType, Header: map[string]any{"alg": key.algorithm, "typ": "JWT", "kid": key.id}, Claims: claims}
	if mutate := s.mutation().IDToken; mutate != nil {
		mutate(d)
	}
	return d.token(key)
}

// accessJWT makes an access token as RFC 9068 describes it. The caller holds
// s.mu.
func (s *Server) accessJWT(t *accessToken, now time.Time) string {
	key := s.keys.current()
	user, _ := s.person(t.grant.user)
	audience := t.audience
	if audience == "" {
		audience = s.endpoint("/userinfo")
	}
	return compact(map[string]any{"alg": key.algorithm, "typ": "at+jwt", "kid": key.id}, mustJSON(map[string]any{
		"iss":       s.cfg.Issuer,
		"sub":       user.Subject,
		"aud":       audience,
		"client_id": t.grant.client,
		"scope":     strings.Join(t.scopes, " "),
		"iat":       now.Unix(),
		"exp":       t.expires.Unix(),
		"jti":       newID(),
	}), key.sign)
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

// leftHalf is the at_hash of a value (OpenID Connect Core 3.1.3.6). Ed25519
// hashes with SHA-512 inside, and so does its at_hash.
func leftHalf(algorithm, value string) string {
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
