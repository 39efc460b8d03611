package providers

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// FlowLifetime is how long a login attempt may take, from leaving for the
// provider to coming back (docs/threats.md LOG11).
const FlowLifetime = 10 * time.Minute

// Flow is the secret half of one login attempt. It travels sealed in a cookie
// of its own, so that an attempt costs the server no memory and can only be
// finished by the browser that began it. State, nonce and PKCE verifier are
// derived from one seed of 256 random bits.
type Flow struct {
	Provider    string    `json:"p"`
	Seed        []byte    `json:"s"`
	ReturnTo    string    `json:"r,omitempty"` // a target that was allowed when the attempt began
	RedirectURI string    `json:"u"`           // of this attempt; the token request repeats it
	Session     string    `json:"b,omitempty"` // id of the session that the browser had when the attempt began
	CreatedAt   time.Time `json:"t"`
	Silent      bool      `json:"q,omitempty"` // nobody is to be asked: if that cannot be, all stays as it is
	Token       bool      `json:"z,omitempty"` // session_mode=token: the sign-in ends with a session token, not a cookie
	Completion  string    `json:"o,omitempty"` // the origin of the window that waits for the session token by postMessage
	Challenge   string    `json:"x,omitempty"` // the code challenge of an application that waits for a one-time code
	Memo        string    `json:"n,omitempty"` // what Begin wants Complete to know, such as the secret of an OAuth 1.0a request token
	FormPost    bool      `json:"f,omitempty"` // Begin asked for response_mode=form_post
	MaxAge      *int64    `json:"m,omitempty"` // max_age in seconds, where Begin asked for it
}

// NewFlow begins an attempt.
func NewFlow(provider, redirectURI, returnTo string) Flow {
	seed := make([]byte, 32)
	rand.Read(seed) // never fails: crypto/rand aborts the program instead
	return Flow{Provider: provider, Seed: seed, RedirectURI: redirectURI, ReturnTo: returnTo, CreatedAt: time.Now()}
}

// State is the value that ties the response to this attempt.
func (f Flow) State() string { return f.derive("state") }

// Nonce is the value that ties the ID token to this attempt.
func (f Flow) Nonce() string { return f.derive("nonce") }

// Verifier is the PKCE code verifier: 43 characters, 256 bits (RFC 7636 section 7.1).
func (f Flow) Verifier() string { return f.derive("verifier") }

// ID names the attempt without giving its state away; it is safe in cookie
// names and in the store.
func (f Flow) ID() string { return FlowID(f.State()) }

// FlowID is the ID of the attempt that has this state.
func FlowID(state string) string {
	sum := sha256.Sum256([]byte("easyauth flow " + state))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// Expired reports whether the attempt took too long.
func (f Flow) Expired(now time.Time) bool { return now.Sub(f.CreatedAt) > FlowLifetime }

func (f Flow) derive(purpose string) string {
	mac := hmac.New(sha256.New, f.Seed)
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
