package providers

import (
	"crypto"
	_ "crypto/sha256" // registers the hashes of the algorithms below
	_ "crypto/sha512"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

// maxToken bounds a token before anything of it is decoded (docs/threats.md JWT13).
const maxToken = 64 << 10

// use is what a token is for. The provider signs all of them with the same keys
// for the same client, so that each must say, or at least not deny, which it is
// (docs/threats.md G5, JWT12).
type use struct {
	name  string
	types []string // of the header's typ, in lower case; a token without typ denies nothing
}

// keyType is the kind of key that an algorithm verifies with.
type keyType string

const (
	rsaKey    keyType = "RSA"
	p256Key   keyType = "EC P-256"
	p384Key   keyType = "EC P-384"
	p521Key   keyType = "EC P-521"
	edKey     keyType = "OKP Ed25519"
	symmetric keyType = "oct" // the client secret; never a published key
)

// algorithm is what a signature algorithm asks of its key, and the hash it uses
// for at_hash (OpenID Connect Core 3.1.3.6).
type algorithm struct {
	keyType keyType
	hash    crypto.Hash
}

// algorithms are those that can be allowed. "none" is not among them.
var algorithms = map[string]algorithm{
	"RS256": {rsaKey, crypto.SHA256}, "RS384": {rsaKey, crypto.SHA384}, "RS512": {rsaKey, crypto.SHA512},
	"PS256": {rsaKey, crypto.SHA256}, "PS384": {rsaKey, crypto.SHA384}, "PS512": {rsaKey, crypto.SHA512},
	"ES256": {p256Key, crypto.SHA256}, "ES384": {p384Key, crypto.SHA384}, "ES512": {p521Key, crypto.SHA512},
	"HS256": {symmetric, crypto.SHA256}, "HS384": {symmetric, crypto.SHA384}, "HS512": {symmetric, crypto.SHA512},
	"EdDSA": {edKey, crypto.SHA512},
}

// jwt is a token taken apart, before anybody vouches for it.
type jwt struct {
	raw    string
	alg    string
	kid    string
	claims Claims
}

// parseJWT takes apart a JWS in compact serialization, and nothing else
// (docs/threats.md G7, JWT16). An encrypted token is refused: a provider
// encrypts only for a client that registered a key for it, and there is no
// setting for one. The errors hold nothing of the token.
func parseJWT(raw string, allowed []string, wanted use) (jwt, error) {
	if len(raw) > maxToken {
		return jwt{}, errors.New("token is too long")
	}
	parts := strings.SplitN(raw, ".", 6)
	switch len(parts) {
	case 3:
	case 5:
		return jwt{}, errors.New("token is not a JWT in compact form: it is encrypted, and this client registered no key for that")
	default:
		return jwt{}, errors.New("token is not a JWT in compact form")
	}
	header, err := decodePart(parts[0])
	if err != nil {
		return jwt{}, errors.New("token header is malformed")
	}
	alg, err := checkHeader(header, allowed, wanted)
	if err != nil {
		return jwt{}, err
	}
	claims, err := decodePart(parts[1])
	if err != nil {
		return jwt{}, errors.New("token payload is malformed")
	}
	if signature, err := decodeBase64(parts[2]); err != nil || len(signature) == 0 {
		return jwt{}, errors.New("token has no signature")
	}
	return jwt{raw: raw, alg: alg, kid: header.String("kid"), claims: claims}, nil
}

// checkHeader returns the algorithm of a header that may head a token for this
// use. The members that point to a key (jku, jwk, x5u, x5c) are not looked at:
// only published keys verify (docs/threats.md JWT4).
func checkHeader(header Claims, allowed []string, wanted use) (string, error) {
	alg := header.String("alg")
	switch typ := header.String("typ"); {
	case !slices.Contains(allowed, alg):
		return "", errors.New("algorithm is not allowed")
	case header.Has("crit"):
		return "", errors.New("header demands an extension (crit)")
	case header.Has("typ") && !slices.Contains(wanted.types, strings.ToLower(typ)):
		return "", errors.New("typ is not that of " + wanted.name)
	case header.Has("kid") && header.String("kid") == "" && string(header.Raw("kid")) != `""`:
		return "", errors.New("kid is not a string")
	}
	return alg, nil
}

func decodePart(part string) (Claims, error) {
	b, err := decodeBase64(part)
	if err != nil {
		return Claims{}, err
	}
	return ParseClaims(b)
}

func decodeBase64(part string) ([]byte, error) {
	// The decoder skips line breaks; another reader of the same token might not.
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("line break")
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}
