package providers_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestG9KeySetWithKeysOfOtherWorlds: a set is read key by key, and keys that
// are not for verifying do not.
func TestG9KeySetWithKeysOfOtherWorlds(t *testing.T) {
	own := func(set map[string]any) map[string]any { return set["keys"].([]any)[0].(map[string]any) }
	beside := func(keys ...any) func(map[string]any) {
		return func(set map[string]any) { set["keys"] = append(keys, set["keys"].([]any)...) }
	}
	for _, row := range []struct {
		name   string
		mutate func(map[string]any)
		reason string // empty: accepted
	}{
		{"G9 secp256k1 key without alg", beside(secp256k1Key()), ""},
		{"G9 key that is no key", beside(map[string]any{"kty": "RSA", "n": "!", "e": "AQAB"}, "text", 7, nil, []any{}), ""},
		{"G9 unknown kty", beside(map[string]any{"kty": "PQC", "use": "sig"}), ""},
		{"G9 own key with a bad x5c", func(set map[string]any) { own(set)["x5c"] = []string{"AAAA"} }, ""},
		{"G9 own key with x5u", func(set map[string]any) { own(set)["x5u"] = "::" }, ""},
		{"own key twice, the first one broken", func(set map[string]any) {
			broken := map[string]any{}
			for k, v := range own(set) {
				broken[k] = v
			}
			broken["x"] = broken["y"]
			beside(broken)(set)
		}, ""},
		{"own key without use and alg", func(set map[string]any) { delete(own(set), "use"); delete(own(set), "alg") }, ""},
		{"own key with key_ops verify", func(set map[string]any) { own(set)["key_ops"] = []string{"verify"} }, ""},

		{"G10 own key for encryption", func(set map[string]any) { own(set)["use"] = "enc"; spare(set) }, "signature does not verify"},
		{"G10 own key with other key_ops", func(set map[string]any) { own(set)["key_ops"] = []string{"encrypt"}; spare(set) }, "signature does not verify"},
		{"own key for another algorithm", func(set map[string]any) { own(set)["alg"] = "ES384"; spare(set) }, "signature does not verify"},
		{"own key under another kid", func(set map[string]any) { own(set)["kid"] = "other"; spare(set) }, "signature does not verify"},
		{"own key published with its private half", func(set map[string]any) { own(set)["d"] = "AAAA"; spare(set) }, "signature does not verify"},
		{"own key with a name that repeats", func(set map[string]any) { own(set)["X"] = "AAAA"; spare(set) }, "signature does not verify"},
		{"the client secret's kind of key", func(set map[string]any) {
			set["keys"] = []any{map[string]any{"kty": "oct", "k": "AAAA"}}
		}, "key set has no usable key"},
		{"JWT15 RSA of 512 bits alone", func(set map[string]any) {
			set["keys"] = []any{map[string]any{"kty": "RSA", "n": b64(make([]byte, 64)), "e": "AQAB"}}
		}, "key set has no usable key"},
		{"IDP8 empty set", func(set map[string]any) { set["keys"] = []any{} }, "key set has no usable key"},
		{"no list of keys", func(set map[string]any) { set["keys"] = "keys" }, "key set has no list of keys"},
		{"G10 R13 101 keys", func(set map[string]any) {
			for len(set["keys"].([]any)) <= 100 {
				beside(secp256k1Key())(set)
			}
		}, "key set has too many keys"},
		{"100 keys", func(set map[string]any) {
			for len(set["keys"].([]any)) < 100 {
				beside(secp256k1Key())(set)
			}
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{JWKS: row.mutate})
			_, err := r.attempt()
			switch {
			case row.reason == "" && err != nil:
				t.Error(err)
			case strings.HasPrefix(row.reason, "key set"):
				wantError(t, err, providers.Unready, row.reason)
			case row.reason != "":
				wantError(t, err, providers.Invalid, row.reason)
			}
		})
	}
}

// spare adds a usable key that signed nothing, so that the set is not refused
// as a whole.
func spare(set map[string]any) {
	op := providertest.New(providertest.Config{Algorithm: "ES256"})
	set["keys"] = append(set["keys"].([]any), jwkOf(op, "spare"))
}

func jwkOf(op *providertest.Server, kid string) map[string]any {
	point, err := op.PublicKey().(interface{ Bytes() ([]byte, error) }).Bytes()
	if err != nil {
		panic(err)
	}
	return map[string]any{"kty": "EC", "crv": "P-256", "kid": kid, "x": b64(point[1:33]), "y": b64(point[33:])}
}

// TestJWT15WeakRSAKeysVerifyNothing: the provider signs correctly, with a key
// that anybody can break.
func TestJWT15WeakRSAKeysVerifyNothing(t *testing.T) {
	for _, row := range []struct {
		name string
		n, e string
	}{
		{"1024 bits", b64(weakModulus(t)), "AQAB"},
		{"e=1", b64(append([]byte{0xc1}, make([]byte, 255)...)), "AQ"},
		{"e even", b64(append([]byte{0xc1}, make([]byte, 255)...)), "Ag"},
		{"20000 bits", b64(append([]byte{0xc1}, make([]byte, 2499)...)), "AQAB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{})
			r.op.Mutate(providertest.Mutations{JWKS: func(set map[string]any) {
				set["keys"] = []any{map[string]any{"kty": "RSA", "n": row.n, "e": row.e}}
			}})
			_, err := r.attempt()
			wantError(t, err, providers.Unready, "no usable key")
		})
	}
}

func weakModulus(t *testing.T) []byte {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this toolchain refuses to make one")
	}
	return k.N.Bytes()
}
