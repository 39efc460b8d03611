package providers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// Codes of X's errors (docs.x.com, "Response codes").
const (
	twitterSuspended = 64  // the user's account
	twitterClock     = 135 // our timestamp is out of bounds
)

// classifyTwitter says what a refusal means.
func classifyTwitter(ans answer, unauthorized Kind) *Error {
	wait, told := retryAfter(ans.header)
	e := &Error{Status: ans.status, RetryAfter: wait}
	codes := twitterCodes(ans.body)
	if len(codes) > 0 {
		e.Err = fmt.Errorf("error %d of the API", codes[0])
	}
	switch {
	case ans.status == http.StatusTooManyRequests, ans.status == http.StatusServiceUnavailable && told:
		e.Kind = Busy
	case ans.status >= 500:
		e.Kind = Gateway
	case slices.Contains(codes, twitterSuspended):
		e.Kind = NotAllowed
	case slices.Contains(codes, twitterClock):
		e.Kind = Misconfigured
	case ans.status == http.StatusUnauthorized:
		e.Kind = unauthorized
	default:
		e.Kind = Misconfigured
	}
	return e
}

// twitterCodes reads the numbers of the errors in an answer.
func twitterCodes(body []byte) []int64 {
	var errs struct{ Errors []struct{ Code int64 } }
	if json.Unmarshal(body, &errs) != nil {
		return nil
	}
	codes := make([]int64, 0, len(errs.Errors))
	for _, e := range errs.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}
