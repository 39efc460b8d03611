package providers

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind says what a failed call to a provider means for those who asked. The
// list is closed; classify.go decides, once, which failure is which.
type Kind uint8

const (
	// Unknown: the request may have been processed and its answer was lost
	// (timeout, reset, truncated or unreadable answer). A refresh token that
	// was presented may have been consumed.
	Unknown Kind = iota
	// NotSent: the request certainly never reached the provider.
	NotSent
	// Busy: the provider itself refused for now; nothing was consumed.
	Busy
	// Gateway: a 5xx that may come from something in front of the provider; a
	// call that did rotate may have lost its answer behind it.
	Gateway
	// Revoked: invalid_grant. The code or refresh token is dead.
	Revoked
	// Interaction: the provider wants to see the user again.
	Interaction
	// Misconfigured: the provider rejects the client or the request, not the user.
	Misconfigured
	// Denied: the user or the provider declined the sign-in.
	Denied
	// Invalid: the answer is defective, forged or not for this attempt.
	Invalid
	// Mismatch: the answer is about somebody else than the one asked about.
	Mismatch
	// Unready: discovery has not succeeded yet; the provider cannot be used now.
	Unready
	// NotAllowed: who it is is clear, and they may not come in.
	NotAllowed
	// Incomplete: a client's sign-in lacks the tokens that this provider needs.
	Incomplete
)

// String returns the reason as logs and hooks show it.
func (k Kind) String() string {
	names := [...]string{"unknown_outcome", "not_sent", "busy", "gateway", "revoked", "interaction_required",
		"misconfigured", "denied", "invalid_answer", "identity_mismatch", "not_ready", "not_allowed", "incomplete"}
	if int(k) < len(names) {
		return names[k]
	}
	return "kind" + strconv.Itoa(int(k))
}

// Error is the failure of one call to a provider. It never holds a response
// body, a token, a code or a state: Code is an OAuth error code out of a known
// alphabet, and Err is a cause without wire content.
type Error struct {
	Provider   string
	Op         string // "discover", "begin", "exchange", "verify", "refresh", "userinfo", "revoke"
	Kind       Kind
	Code       string        // OAuth error code, where one was told
	Status     int           // HTTP status, where there was an answer
	RetryAfter time.Duration // where told; 0: not told
	Err        error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "providers: %s: %s refused: %s", e.Provider, e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ", code %q", e.Code)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
