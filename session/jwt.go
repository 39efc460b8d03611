package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// tokenClaims is the payload of a session token, in the order of the contract
// (3.2), and the session's id after it.
type tokenClaims struct {
	Subject   string `json:"sub"`
	Provider  string `json:"idp"`
	Version   string `json:"ver"`
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	ExpiresAt int64  `json:"exp"`
	NotBefore int64  `json:"nbf"`
	SessionID string `json:"jti"`
}

const (
	// minSigningKey is what HS256 asks for (RFC 7518 section 3.2).
	minSigningKey = 32
	// maxToken is the longest session token that is looked at.
	maxToken = 4096
)

// signer signs session tokens with one key, and knows its own signature again.
//
// The algorithm belongs to the key. It is never read from a token: the header of
// a token is compared with the only one that the key ever writes, so that there
// is no other to talk us into (docs/threats.md JWT1-JWT4).
type signer struct {
	key    []byte
	hash   func() hash.Hash
	header string // encoded, the dot after it included
}

// newSigner chooses the algorithm by the length of the key, as App Service does.
func newSigner(key []byte) (signer, error) {
	if len(key) < minSigningKey {
		return signer{}, fmt.Errorf("session: signing key of %d bytes refused: at least %d are needed", len(key), minSigningKey)
	}
	alg, h := "HS512", sha512.New
	switch {
	case len(key) <= 32:
		alg, h = "HS256", sha256.New
	case len(key) <= 48:
		alg, h = "HS384", sha512.New384
	}
	return signer{key, h, encode64([]byte(`{"typ":"JWT","alg":"`+alg+`"}`)) + "."}, nil
}

// newSigners makes one for each key, in their order.
func newSigners(keys [][]byte) ([]signer, error) {
	list := make([]signer, len(keys))
	var errs []error
	for i, key := range keys {
		s, err := newSigner(key)
		list[i], errs = s, append(errs, err)
	}
	return list, errors.Join(errs...)
}

// sign returns the token of claims.
func (s signer) sign(claims tokenClaims) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := s.header + encode64(payload)
	return text + "." + s.signature(text), nil
}

// read returns the claims of a token that this key signed. There is one spelling
// of each token, because the signature is compared as text.
func (s signer) read(token string) (claims tokenClaims, ok bool) {
	dot := strings.LastIndexByte(token, '.')
	if dot < len(s.header) || !strings.HasPrefix(token, s.header) {
		return claims, false
	}
	text, signature := token[:dot], token[dot+1:]
	if !hmac.Equal([]byte(signature), []byte(s.signature(text))) {
		return claims, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(text[len(s.header):])
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		return claims, false
	}
	return claims, true
}

func (s signer) signature(text string) string {
	mac := hmac.New(s.hash, s.key)
	mac.Write([]byte(text))
	return encode64(mac.Sum(nil))
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
