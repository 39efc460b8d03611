package providertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
)

var algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}

// keyring holds the signing keys, newest first. Keys are made when they are
// first needed: an RSA key costs tens of milliseconds, and many tests never
// sign anything.
type keyring struct {
	algorithm string

	mu   sync.Mutex
	keys []signingKey
}

type signingKey struct {
	id        string
	algorithm string
	signer    crypto.Signer
}

// current is the key that signs now.
func (k *keyring) current() signingKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		k.keys = []signingKey{newKey(k.algorithm)}
	}
	return k.keys[0]
}

// rotate makes a new key current; the older ones stay published.
func (k *keyring) rotate() {
	k.current() // so that there is an older one
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = append([]signingKey{newKey(k.algorithm)}, k.keys...)
}

// retire unpublishes all keys but the current one.
func (k *keyring) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = k.keys[:min(1, len(k.keys))]
}

// published is every key that still verifies, newest first.
func (k *keyring) published() []signingKey {
	k.current()
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]signingKey(nil), k.keys...)
}

func newKey(algorithm string) signingKey {
	key := signingKey{id: rand.Text()[:8], algorithm: algorithm}
	var err error
	switch algorithm {
	case "RS256", "PS256":
		key.signer, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		key.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, key.signer, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil || key.signer == nil {
		panic(fmt.Sprintf("providertest: no %s key: %v", algorithm, err))
	}
	return key
}

// sign returns the JWS signature of input (RFC 7518 section 3).
func (k signingKey) sign(input []byte) []byte {
	digest := sha256.Sum256(input)
	var sig []byte
	var err error
	switch key := k.signer.(type) {
	case *rsa.PrivateKey:
		if k.algorithm == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			sig, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
		}
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, key, digest[:]); err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case ed25519.PrivateKey:
		sig = ed25519.Sign(key, input)
	}
	if err != nil {
		panic("providertest: sign: " + err.Error())
	}
	return sig
}

// verifies reports whether sig is this key's signature of input.
func (k signingKey) verifies(input, sig []byte) bool {
	digest := sha256.Sum256(input)
	switch key := k.signer.Public().(type) {
	case *rsa.PublicKey:
		if k.algorithm == "PS256" {
			return rsa.VerifyPSS(key, crypto.SHA256, digest[:], sig, nil) == nil
		}
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], sig) == nil
	case *ecdsa.PublicKey:
		return verifyES256(key, string(input), sig)
	case ed25519.PublicKey:
		return ed25519.Verify(key, input, sig)
	}
	return false
}

func verifyES256(key *ecdsa.PublicKey, input string, sig []byte) bool {
	digest := sha256.Sum256([]byte(input))
	return len(sig) == 64 && ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// jwk returns the public key as RFC 7517 writes it.
func (k signingKey) jwk() map[string]any {
	m := map[string]any{"kid": k.id, "use": "sig", "alg": k.algorithm}
	switch key := k.signer.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(key.N.Bytes()), b64(big.NewInt(int64(key.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := key.Bytes() // 0x04, x, y
		if err != nil {
			panic("providertest: " + err.Error())
		}
		m["kty"], m["crv"], m["x"], m["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(key)
	}
	return m
}

// HMAC returns a function for Draft.Sign that signs with HS256 under key: what
// an attacker does who hopes that a public key is taken for a shared secret.
func HMAC(key []byte) func(input []byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

// Unsigned is a function for Draft.Sign that signs nothing: the signature of a
// token with alg "none".
func Unsigned([]byte) []byte { return nil }

// compact writes a JWS in its compact form.
func compact(header map[string]any, payload []byte, sign func([]byte) []byte) string {
	h, err := json.Marshal(header)
	if err != nil {
		panic("providertest: token header: " + err.Error())
	}
	input := b64(h) + "." + b64(payload)
	return input + "." + b64(sign([]byte(input)))
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// replace makes keys, newest first, the ring; none leaves it as it is.
func (k *keyring) replace(keys []signingKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(keys) > 0 {
		k.keys = keys
	}
}
