package providertest

import (
	"crypto/ecdsa"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// Registration is one client as the provider knows it.
type Registration struct {
	ID     string
	Secret string // empty: a public client, which must use PKCE

	// SecretKey, where set, takes the place of Secret as at Apple: the client's
	// secret is then a JWT that it signs with the private half (ES256), about
	// itself, for https://appleid.apple.com, good for six months at most.
	SecretKey *ecdsa.PublicKey

	// AuthMethod is the one way in which the client must authenticate:
	// client_secret_basic, client_secret_post or none. Default: as it likes.
	AuthMethod string

	// RedirectURIs and PostLogoutRedirectURIs are compared exactly. Where none
	// is given, any absolute URI is accepted, which a real provider must never do.
	RedirectURIs           []string
	PostLogoutRedirectURIs []string

	// BackChannelLogoutURI is where the client wants to be told of sign-outs
	// (OpenID Connect Back-Channel Logout 1.0), over the network that
	// [Server.ReachClients] names. Default: nowhere.
	BackChannelLogoutURI string
}

// maxSecretAge is the longest that Apple takes a client's secret for.
const maxSecretAge = 15777000 * time.Second

// knows reports whether secret is the client's.
func (r Registration) knows(secret string, now time.Time) bool {
	if r.SecretKey == nil {
		return subtle.ConstantTimeCompare([]byte(r.Secret), []byte(secret)) == 1
	}
	parts := strings.Split(secret, ".")
	if len(parts) != 3 {
		return false
	}
	header, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	payload, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	sig, err3 := base64.RawURLEncoding.DecodeString(parts[2])
	var head struct{ Alg, Kid string }
	var claims struct {
		Iss, Sub, Aud string
		Iat, Exp      int64
	}
	if err1 != nil || err2 != nil || err3 != nil || json.Unmarshal(header, &head) != nil || json.Unmarshal(payload, &claims) != nil {
		return false
	}
	issued, expires := time.Unix(claims.Iat, 0), time.Unix(claims.Exp, 0)
	return head.Alg == "ES256" && head.Kid != "" && verifyES256(r.SecretKey, parts[0]+"."+parts[1], sig) &&
		claims.Iss != "" && claims.Sub == r.ID && claims.Aud == "https://appleid.apple.com" &&
		!issued.After(now) && now.Before(expires) && expires.Sub(issued) <= maxSecretAge
}
