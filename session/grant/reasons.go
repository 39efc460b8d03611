package grant

import "errors"

// The reasons that errors, hooks and log records of this package give. The list
// is closed, so that they can be counted, searched for and branched on.
const (
	// What the provider answered; the names are those of providers.Kind.

	ReasonUnknownOutcome = "unknown_outcome"      // its answer was lost, and the refresh token may be used up
	ReasonNotSent        = "not_sent"             // it cannot be reached
	ReasonNotReady       = "not_ready"            // its endpoints are not known yet
	ReasonBusy           = "busy"                 // it asks to be asked later, or all calls that Config.MaxCalls allows are taken
	ReasonGateway        = "gateway"              // it, or something in front of it, is broken
	ReasonRevoked        = "revoked"              // it ended the grant
	ReasonInteraction    = "interaction_required" // it wants to see the user
	ReasonMisconfigured  = "misconfigured"        // it rejects the application
	ReasonMismatch       = "identity_mismatch"    // it answered about somebody else
	ReasonNotAllowed     = "not_allowed"          // it answered about a user who may not come in any more

	// Why nobody asked it.

	ReasonBreaker        = "breaker"          // it failed for several grants in a row, and is left alone for a while
	ReasonHeld           = "held"             // somebody else is at it, and has not come back yet
	ReasonInDoubt        = "in_doubt"         // the refresh token may be used up, and trying could do harm
	ReasonRegistration   = "registration"     // its tokens are those of another client or issuer, as configured before
	ReasonNoRefreshToken = "no_refresh_token" // there is nothing to ask with
	ReasonUnsupported    = "unsupported"      // the provider has no refresh
	ReasonSessionEnded   = "session_ended"
	ReasonStore          = "store"     // our own store cannot be asked, or does not take an answer
	ReasonCancelled      = "cancelled" // who asked has left
	ReasonClosing        = "closing"   // the process is ending

	// What those are told who waited, and have a token now.

	ReasonRefreshed = "refreshed"
)

// reasonOf is the reason of what came of a wait.
func reasonOf(err error) string {
	if transient, ok := errors.AsType[*TransientError](err); ok {
		return transient.Reason
	}
	if reauth, ok := errors.AsType[*ReauthError](err); ok {
		return reauth.Reason
	}
	switch {
	case err == nil:
		return ReasonRefreshed
	case errors.Is(err, ErrMisconfigured):
		return ReasonMisconfigured
	case errors.Is(err, ErrSessionEnded):
		return ReasonSessionEnded
	case errors.Is(err, ErrNoRefreshToken):
		return ReasonNoRefreshToken
	case errors.Is(err, ErrUnsupported):
		return ReasonUnsupported
	}
	return ReasonStore
}
