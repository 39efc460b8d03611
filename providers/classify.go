package providers

import (
	"cmp"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// maxRetryAfter bounds how long a provider can silence us (docs/refresh.md E3).
const maxRetryAfter = time.Hour

// codePattern is the alphabet of every registered OAuth error code. What does
// not fit is not repeated anywhere: it may be anything (docs/threats.md LEA1, LEA3).
var codePattern = regexp.MustCompile(`^[a-z_]{1,40}$`)

// interactionCodes are the refusals that end when the user is seen again
// (OpenID Connect Core 3.1.2.6, RFC 9470, Auth0's mfa_required).
var interactionCodes = []string{
	"interaction_required", "login_required", "account_selection_required", "consent_required",
	"unmet_authentication_requirements", "insufficient_user_authentication", "mfa_required",
}

// interactionSuberrors are Entra ID's members beside invalid_grant that mean
// the same.
var interactionSuberrors = []string{
	"basic_action", "additional_action", "message_only", "consent_required", "user_password_expired",
}

// classifyAnswer says what the refusal of a token endpoint means (docs/refresh.md
// E3). Only a parsed error code speaks: a page that happens to contain the
// words of one does not (docs/threats.md RAC3), and nothing of the body gets into
// the error (docs/threats.md G18). final are further codes that mean invalid_grant.
func classifyAnswer(ans answer, final []string) *Error {
	code, suberror := errorCode(ans.body)
	wait, told := retryAfter(ans.header)
	e := &Error{Status: ans.status, Code: code, RetryAfter: wait}
	switch {
	case ans.status == http.StatusTooManyRequests:
		e.Kind = Busy
	case ans.status == http.StatusServiceUnavailable && (told || code != ""):
		e.Kind = Busy
	case ans.status >= 500:
		e.Kind = Gateway
	case code == "temporarily_unavailable":
		e.Kind = Busy
	case code == "server_error":
		e.Kind = Gateway
	case code == "invalid_grant" && slices.Contains(interactionSuberrors, suberror):
		e.Kind, e.Code = Interaction, suberror
	case slices.Contains(interactionCodes, code):
		e.Kind = Interaction
	case code == "invalid_grant", code != "" && slices.Contains(final, code):
		e.Kind = Revoked
	case ans.status >= 200 && ans.status < 300 && code == "":
		e.Kind, e.Err = Unknown, errUnreadable
	default:
		e.Kind = Misconfigured
	}
	return e
}

var errUnreadable = errors.New("answer is not a token response")

// classifyCall says what a call without a whole answer means.
func classifyCall(err error) *Error {
	e := &Error{Kind: NotSent, Err: err}
	if call := (*callError)(nil); errors.As(err, &call) && call.sent {
		e.Kind = Unknown
	}
	return e
}

// classifyResponse says what an error parameter of the authorization response
// means. Scopes and parameters may be the caller's, so a complaint about them
// is not the application's defect. silent: nobody was to be asked.
func classifyResponse(code string, silent bool) *Error {
	e := &Error{Kind: Invalid, Code: knownCode(code), Err: errors.New("the provider answered with an error")}
	switch {
	case silent && slices.Contains(interactionCodes, code):
		e.Kind, e.Err = Interaction, nil
	case code == "access_denied", code == "user_cancelled_authorize", // as Apple has it
		slices.Contains(interactionCodes, code):
		e.Kind, e.Err = Denied, nil
	case code == "temporarily_unavailable":
		e.Kind = Busy
	case code == "server_error":
		e.Kind = Gateway
	case code == "unauthorized_client", code == "unsupported_response_type":
		e.Kind = Misconfigured
	}
	return e
}

// errorCode reads the error members of a JSON body (RFC 6749 section 5.2).
func errorCode(body []byte) (code, suberror string) {
	object, err := ParseClaims(body)
	if err != nil {
		return "", ""
	}
	return knownCode(object.String("error")), knownCode(object.String("suberror"))
}

func knownCode(code string) string {
	if !codePattern.MatchString(code) {
		return ""
	}
	return code
}

// retryAfter reads the header in either form (RFC 9110 section 10.2.3).
func retryAfter(header http.Header) (wait time.Duration, told bool) {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, min(time.Until(at), maxRetryAfter)), true
	}
	return 0, false
}

// in completes an error with where it happened.
func (e *Error) in(provider, op string) *Error {
	e.Provider, e.Op = cmp.Or(e.Provider, provider), cmp.Or(e.Op, op)
	return e
}
