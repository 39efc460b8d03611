package respond

import "net/http"

// Reason is why easyauth answers a request itself instead of letting it pass.
// The list is closed: status, code and words of each are fixed, so that the
// same mishap always looks the same, to people and to programs.
type Reason uint8

// The reasons. Status and words of each stand in the table below.
const (
	Internal Reason = iota // the zero Reason, because nobody should rely on it

	// What was asked for is not there, or not like this.
	NotFound
	MethodNotAllowed // the caller sets Allow
	BadRequest
	TooLarge
	UnsupportedMediaType
	CrossSite     // a page of another site caused the request
	WindowRefused // a page that is not on the list wants to be told of a sign-in
	NotNavigation // an image, script or prefetch asked to start a login

	// Who asks may not.
	SignInRequired
	ReauthRequired      // signed in, but the provider's tokens are gone for good
	RecentLoginRequired // signed in too long ago for this
	Forbidden           // signed in, and not allowed all the same
	StrangersForbidden  // not signed in, and not asked to
	HTTPSRequired       // asked by http for what cannot be redirected

	// A sign-in came back and is refused.
	AttemptUnknown // no login attempt of this browser has this state
	AttemptExpired
	AttemptUsed
	SignInDenied  // by the user or by the provider
	SignInInvalid // the provider's answer is defective, forged or for somebody else

	// Tokens cannot be refreshed.
	RefreshNotSupported // the provider has no refresh
	NoRefreshToken      // the login brought no refresh token
	RefreshRejected     // the provider ended the grant

	// Nobody who asks is to blame.
	StoreUnavailable
	ProviderUnavailable
	ProviderMisconfigured // the provider rejects the application
)

type fixed struct {
	status      int
	code        string
	title, text string
}

var table = [...]fixed{
	Internal: {http.StatusInternalServerError, "internal",
		"Something went wrong", "The application could not answer. Please try again later."},

	NotFound: {http.StatusNotFound, "not_found",
		"Page not found", "There is nothing at this address."},
	MethodNotAllowed: {http.StatusMethodNotAllowed, "method_not_allowed",
		"Method not allowed", "This address does not take requests of this kind."},
	BadRequest: {http.StatusBadRequest, "bad_request",
		"Bad request", "The request is malformed or contradicts itself."},
	TooLarge: {http.StatusRequestEntityTooLarge, "too_large",
		"Request too large", "The request is larger than this address takes."},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "unsupported_media_type",
		"Unsupported content", "The content type of the request is not supported here."},
	CrossSite: {http.StatusForbidden, "cross_site",
		"Request refused", "The request was caused by another website, so it was not carried out."},
	WindowRefused: {http.StatusForbidden, "window_refused",
		"Sign-in refused", "The page that opened this window may not be told who signs in: it is not on the list of allowed redirects."},
	NotNavigation: {http.StatusForbidden, "not_a_navigation",
		"Request refused", "A sign-in starts only when a person opens this page in a browser."},

	SignInRequired: {http.StatusUnauthorized, "sign_in_required",
		"Sign-in required", "You need to sign in to see this."},
	ReauthRequired: {http.StatusUnauthorized, "reauth_required",
		"Sign-in required", "Your sign-in has to be confirmed by your provider. Please sign in again."},
	RecentLoginRequired: {http.StatusUnauthorized, "recent_login_required",
		"Sign-in required", "You signed in too long ago for this. Please sign in again."},
	StrangersForbidden: {http.StatusForbidden, "strangers_forbidden",
		"Not allowed", "Only users who are signed in may see this."},
	HTTPSRequired: {http.StatusForbidden, "https_required",
		"Request refused", "This address takes requests by https only."},
	Forbidden: {http.StatusForbidden, "forbidden",
		"Not allowed", "You are signed in, but your account may not see this."},

	AttemptUnknown: {http.StatusBadRequest, "attempt_unknown",
		"Sign-in not completed", "This sign-in was not begun in this browser, or its cookie is gone. Please start again."},
	AttemptExpired: {http.StatusBadRequest, "attempt_expired",
		"Sign-in not completed", "The sign-in took too long. Please start again."},
	AttemptUsed: {http.StatusBadRequest, "attempt_used",
		"Sign-in not completed", "This sign-in was finished before. Please start again."},
	SignInDenied: {http.StatusForbidden, "sign_in_denied",
		"Sign-in declined", "The sign-in was cancelled or your provider declined it."},
	SignInInvalid: {http.StatusBadRequest, "sign_in_invalid",
		"Sign-in not completed", "The provider's answer could not be accepted. Please start again."},

	RefreshNotSupported: {http.StatusBadRequest, "refresh_not_supported",
		"No refresh", "This provider does not renew sign-ins. Please sign in again when yours has expired."},
	NoRefreshToken: {http.StatusBadRequest, "no_refresh_token",
		"No refresh", "This sign-in came without the permission to be renewed. Please sign in again when it has expired."},
	RefreshRejected: {http.StatusForbidden, "refresh_rejected",
		"Sign-in ended by the provider", "Your provider no longer renews this sign-in. Please sign in again."},

	StoreUnavailable: {http.StatusServiceUnavailable, "store_unavailable",
		"Temporarily unavailable", "It cannot be checked right now who you are. You stay signed in; please try again in a moment."},
	ProviderUnavailable: {http.StatusServiceUnavailable, "provider_unavailable",
		"Temporarily unavailable", "The sign-in provider does not answer right now. Please try again in a moment."},
	ProviderMisconfigured: {http.StatusBadGateway, "provider_misconfigured",
		"Sign-in unavailable", "The sign-in provider rejects this application. Its operator has to look into this."},
}

// String returns the code: the member "reason" of a problem, and what logs show.
func (r Reason) String() string { return r.row().code }

// Status returns the HTTP status.
func (r Reason) Status() int { return r.row().status }

func (r Reason) row() fixed {
	if int(r) < len(table) {
		return table[r]
	}
	return table[Internal]
}
