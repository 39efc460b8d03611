package grant

import (
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// failure is what became of a refresh token that was presented and brought
// nothing.
type failure struct {
	kind       providers.Kind
	retryAfter time.Duration // as the provider asks; 0: it does not
	took       time.Duration
}

// notSent is the failure of whoever thought better of it.
var notSent = failure{kind: providers.NotSent}

// failureOf says what an error of a call means. What no refresh can mean is a
// lost answer.
func failureOf(err error, took time.Duration) failure {
	f := failure{kind: providers.Unknown, took: took}
	pe, ok := errors.AsType[*providers.Error](err)
	if !ok {
		return f
	}
	switch pe.Kind {
	case providers.Denied, providers.Invalid, providers.Mismatch:
	default:
		f.kind = pe.Kind
	}
	f.retryAfter = min(pe.RetryAfter, retryAfterMost)
	return f
}

// everybodys reports whether others are likely to fail for the same reason. A
// refusal is nobody else's: whoever refuses is there.
func (f failure) everybodys() bool {
	switch f.kind {
	case providers.NotSent, providers.Unready, providers.Busy, providers.Gateway, providers.Unknown:
		return true
	}
	return false
}
