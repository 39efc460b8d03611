package session

import "slices"

// Reason says in one word why something happened: what hooks are told, and what
// logs show under "reason". The list is closed, so that a reason can be the
// label of a metric; [Reasons] returns it.
type Reason string

// Why a session ended, besides those below with which a provider refuses to
// renew it. A session that runs out without anybody looking tells nobody.
const (
	ReasonLogout         Reason = "logout"            // the user signed out
	ReasonReplaced       Reason = "replaced"          // the user signed in again in the same browser
	ReasonEverywhere     Reason = "everywhere"        // EndAll or EndOthers
	ReasonAdministrative Reason = "administrative"    // EndSession
	ReasonBackchannel    Reason = "backchannel"       // the user signed out at the provider, and it told
	ReasonIdle           Reason = "idle"              // past the idle timeout
	ReasonExpired        Reason = "expired"           // past its grace period or its absolute lifetime
	ReasonMismatch       Reason = "identity_mismatch" // a refresh brought somebody else's identity
	ReasonNotAllowed     Reason = "not_allowed"       // a refresh showed that the user may not come in any more
)

// Why a refresh failed: what the provider answered.
const (
	ReasonRevoked        Reason = "revoked"              // it ended the grant
	ReasonInteraction    Reason = "interaction_required" // it wants to see the user
	ReasonMisconfigured  Reason = "misconfigured"        // it rejects the application
	ReasonBusy           Reason = "busy"                 // it wants to be asked later; or all calls that may be under way are
	ReasonGateway        Reason = "gateway"              // it, or something in front of it, is broken
	ReasonUnknownOutcome Reason = "unknown_outcome"      // its answer was lost
	ReasonNotSent        Reason = "not_sent"             // it was not reached
	ReasonNotReady       Reason = "not_ready"            // its endpoints are not known yet
)

// What came of a wait for a refresh, besides those above.
const (
	ReasonRefreshed      Reason = "refreshed"        // a token
	ReasonBreaker        Reason = "breaker"          // the provider failed for several users in a row, and is left alone for a while
	ReasonHeld           Reason = "held"             // somebody else is at it, and has not come back yet
	ReasonInDoubt        Reason = "in_doubt"         // the refresh token may be used up, and trying could do harm
	ReasonRegistration   Reason = "registration"     // the tokens are those of another client or issuer: the configuration changed
	ReasonNoRefreshToken Reason = "no_refresh_token" // there is nothing to ask with
	ReasonUnsupported    Reason = "unsupported"      // the provider has no refresh
	ReasonSessionEnded   Reason = "session_ended"
	ReasonStore          Reason = "store"     // the store could not be asked, or did not take an answer
	ReasonCancelled      Reason = "cancelled" // who waited has left
	ReasonClosing        Reason = "closing"   // this process is ending
)

// Why a sign-in failed. The first three are of requests that no provider sends.
const (
	ReasonBadRequest            Reason = "bad_request"
	ReasonTooLarge              Reason = "too_large"
	ReasonMediaType             Reason = "unsupported_media_type"
	ReasonAttemptUnknown        Reason = "attempt_unknown"        // not begun in this browser, or its cookie is gone
	ReasonAttemptExpired        Reason = "attempt_expired"        // it took too long
	ReasonAttemptUsed           Reason = "attempt_used"           // it was finished before
	ReasonSignInDenied          Reason = "sign_in_denied"         // by the user or by the provider
	ReasonSignInInvalid         Reason = "sign_in_invalid"        // the provider's answer is defective, forged or for somebody else
	ReasonForbidden             Reason = "forbidden"              // the user is known and may not come in
	ReasonStoreUnavailable      Reason = "store_unavailable"      // also of a Check
	ReasonProviderUnavailable   Reason = "provider_unavailable"   // also of a Check
	ReasonProviderMisconfigured Reason = "provider_misconfigured" // also of a Check
	ReasonInternal              Reason = "internal"
)

// What else a Check may say.
const (
	ReasonStoreUnfit      Reason = "store_unfit"       // it is no place for sessions: Cause says why, and what to do
	ReasonClocksApart     Reason = "clocks_apart"      // the store's and this machine's, by more than a minute
	ReasonNoOfflineAccess Reason = "no_offline_access" // to mind: sign-ins do not ask for a refresh token
)

// Reasons returns the whole list, for a metric that shows a zero before anything
// happened.
func Reasons() []Reason { return slices.Clone(reasons) }

var reasons = []Reason{
	ReasonLogout, ReasonReplaced, ReasonEverywhere, ReasonAdministrative, ReasonBackchannel, ReasonIdle, ReasonExpired, ReasonMismatch, ReasonNotAllowed,
	ReasonRevoked, ReasonInteraction, ReasonMisconfigured, ReasonBusy, ReasonGateway, ReasonUnknownOutcome, ReasonNotSent, ReasonNotReady,
	ReasonRefreshed, ReasonBreaker, ReasonHeld, ReasonInDoubt, ReasonRegistration, ReasonNoRefreshToken, ReasonUnsupported, ReasonSessionEnded, ReasonStore,
	ReasonCancelled, ReasonClosing,
	ReasonBadRequest, ReasonTooLarge, ReasonMediaType, ReasonAttemptUnknown, ReasonAttemptExpired, ReasonAttemptUsed,
	ReasonSignInDenied, ReasonSignInInvalid, ReasonForbidden, ReasonStoreUnavailable, ReasonProviderUnavailable, ReasonProviderMisconfigured, ReasonInternal,
	ReasonStoreUnfit, ReasonClocksApart, ReasonNoOfflineAccess,
}
