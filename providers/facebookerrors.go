package providers

import (
	"fmt"
	"net/http"
	"slices"
)

// Codes of the Graph API's errors
// (developers.facebook.com, "Handle Errors" and "Rate Limits").
const (
	graphBadParameter = 100
	graphBadToken     = 190
)

// graphBusyCodes are the limits of an application, a user and a call, and the
// service being down.
var graphBusyCodes = []int64{2, 4, 17, 32, 341, 613}

// graphUsedCodes are the subcodes of an authorization code that has expired, and
// of one that was used.
var graphUsedCodes = []int64{36007, 36009}

// graphError is what counts of an error of the Graph API; its message may quote
// anything.
type graphError struct{ code, subcode int64 }

// graphFailure reads the error in an answer; zero where there is none.
func graphFailure(body []byte) graphError {
	object, err := ParseClaims(body)
	if err != nil {
		return graphError{}
	}
	failure, err := ParseClaims(object.Raw("error"))
	if err != nil {
		return graphError{}
	}
	var e graphError
	_ = failure.Decode("code", &e.code) // a member of another type is as good as missing
	_ = failure.Decode("error_subcode", &e.subcode)
	return e
}

func (e graphError) Error() string { return fmt.Sprintf("Graph API error %d/%d", e.code, e.subcode) }

// classifyGraph says what a refusal of the Graph API means, the token endpoint
// included: it has errors of its own, which no OAuth client knows.
func classifyGraph(ans answer) *Error {
	wait, told := retryAfter(ans.header)
	graph := graphFailure(ans.body)
	e := &Error{Status: ans.status, RetryAfter: wait}
	if graph.code != 0 {
		e.Err = graph
	}
	switch {
	case ans.status == http.StatusTooManyRequests, slices.Contains(graphBusyCodes, graph.code),
		ans.status == http.StatusServiceUnavailable && told:
		e.Kind = Busy
	case ans.status >= 500:
		e.Kind = Gateway
	case graph.code == graphBadToken, graph.code == graphBadParameter && slices.Contains(graphUsedCodes, graph.subcode):
		e.Kind = Revoked
	case ans.status >= 200 && ans.status < 300 && graph.code == 0:
		e.Kind, e.Err = Unknown, errUnreadable
	default:
		e.Kind = Misconfigured
	}
	return e
}
