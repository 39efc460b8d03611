package grant

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers branch on with errors.Is.
var (
	// ErrNoRefreshToken: nothing stored can renew this token; the access token
	// that the login brought is gone or was never there. Sign in again.
	ErrNoRefreshToken = errors.New("grant: no refresh token stored")
	// ErrUnsupported: the provider has no refresh at all.
	ErrUnsupported = errors.New("grant: provider does not support refresh")
	// ErrReauthRequired: the provider ended the grant or wants to see the user.
	// errors.As gives *ReauthError with the reason.
	ErrReauthRequired = errors.New("grant: sign-in required")
	// ErrTransient: nothing is wrong with the user; try again later.
	// errors.As gives *TransientError with the time to wait.
	ErrTransient = errors.New("grant: temporarily unavailable")
	// ErrMisconfigured: the provider rejects the application, not the user. The
	// refresh token is kept.
	ErrMisconfigured = errors.New("grant: provider rejects the client")
	// ErrStore: the store could not be asked. Nothing is known, nothing is lost.
	ErrStore = errors.New("grant: store unavailable")
	// ErrSessionEnded: the session is over; its tokens are gone.
	ErrSessionEnded = errors.New("grant: session ended")
)

// ReauthError is an ErrReauthRequired with its reason.
type ReauthError struct {
	Reason string // ReasonRevoked, ReasonInteraction, ReasonInDoubt or ReasonMismatch
}

func (e *ReauthError) Error() string        { return ErrReauthRequired.Error() + ": " + e.Reason }
func (e *ReauthError) Is(target error) bool { return target == ErrReauthRequired }

// TransientError is an ErrTransient with the time after which to try again.
type TransientError struct {
	RetryAfter time.Duration // at least one second; at most a minute, unless the provider asked for more
	// Reason is ReasonBusy, ReasonGateway, ReasonUnknownOutcome, ReasonNotSent,
	// ReasonNotReady, ReasonBreaker, ReasonHeld, ReasonInDoubt, ReasonCancelled
	// or ReasonClosing.
	Reason string
	Err    error // the cause, where there is one
}

func (e *TransientError) Error() string {
	return fmt.Sprintf("%s: %s, retry after %s", ErrTransient, e.Reason, e.RetryAfter)
}
func (e *TransientError) Is(target error) bool { return target == ErrTransient }
func (e *TransientError) Unwrap() error        { return e.Err }

// transient makes a TransientError. A wait is told as a second at least and a
// minute at most (docs/refresh.md E5), but for one that may be the provider's own
// word.
func transient(reason string, wait time.Duration, cause error) error {
	switch reason {
	case ReasonBusy, ReasonGateway, ReasonBreaker:
	default:
		wait = min(wait, time.Minute)
	}
	return &TransientError{RetryAfter: max(wait, time.Second), Reason: reason, Err: cause}
}

func storeError(err error) error { return errors.Join(ErrStore, err) }
