package providers

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

const (
	maxKeys    = 100 // of a published set (docs/threats.md G10)
	minRSABits = 2048
)

// key is one published key that may verify signatures.
type key struct {
	id, alg string // as published; either may be empty
	issuer  string // the issuer the key is for, where the provider says so
	keyType keyType
	public  any
}

// parseKeys reads a key set key by key and leaves out those it cannot use: a
// provider may publish kinds of keys that we have never heard of (RFC 7517
// section 5; docs/threats.md G9). A set without any usable key is an error, so
// that it does not replace a good one (docs/threats.md IDP8).
func parseKeys(set []byte) ([]key, error) {
	object, err := ParseClaims(set)
	if err != nil {
		return nil, errors.New("the key set is not a JSON object")
	}
	var raw []json.RawMessage
	if err := object.Decode("keys", &raw); err != nil {
		return nil, errors.New("the key set has no list of keys")
	}
	if len(raw) > maxKeys {
		return nil, errors.New("the key set has too many keys")
	}
	var keys []key
	for _, r := range raw {
		if k, ok := parseKey(r); ok {
			keys = append(keys, k)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no usable key")
	}
	return keys, nil
}

func parseKey(raw []byte) (key, bool) {
	jwk, err := ParseClaims(raw)
	switch use := jwk.String("use"); {
	case err != nil,
		use != "" && use != "sig",
		jwk.Has("key_ops") && !slices.Contains(jwk.Strings("key_ops"), "verify"),
		jwk.Has("d"): // its private half is public: anybody signs with it
		return key{}, false
	}
	keyType, public := publicKey(jwk)
	return key{
		id:      jwk.String("kid"),
		alg:     jwk.String("alg"),
		issuer:  jwk.String("issuer"),
		keyType: keyType,
		public:  public,
	}, public != nil
}

// publicKey builds the key from its numbers alone: certificates and addresses
// in a key are neither needed nor allowed to make it fail.
func publicKey(jwk Claims) (keyType, any) {
	numbers := make(map[string]string)
	for _, name := range []string{"kty", "crv", "x", "y", "n", "e"} {
		if v := jwk.String(name); v != "" {
			numbers[name] = v
		}
	}
	object, err := json.Marshal(numbers)
	if err != nil {
		return "", nil
	}
	var parsed jose.JSONWebKey
	if parsed.UnmarshalJSON(object) != nil {
		return "", nil
	}
	switch k := parsed.Key.(type) {
	case *rsa.PublicKey:
		// go-jose refuses moduli beyond reason and e below 2.
		if k.N.BitLen() >= minRSABits && k.E%2 == 1 {
			return rsaKey, k
		}
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return p256Key, k
		case elliptic.P384():
			return p384Key, k
		case elliptic.P521():
			return p521Key, k
		}
	case ed25519.PublicKey:
		return edKey, k
	}
	return "", nil
}
