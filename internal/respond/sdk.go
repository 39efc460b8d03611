package respond

import (
	"cmp"
	"encoding/json"
	"net/http"
)

// Text returns the words of the reason, for an answer that is neither a page nor
// a problem.
func (r Reason) Text() string { return r.row().text }

// sdkProblem is a problem with what App Service's clients look for: code and
// message, which its own answers have, and error, which its SDKs show first.
type sdkProblem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Error   string `json:"error"`
	problem
}

// SDKProblem answers like [Problem] to a program that may be an SDK of App
// Service. The status is given apart from the reason, because the same mishap is
// another status in the redirect of a browser than in the call of a program;
// message may be empty, for the words of the reason.
func SDKProblem(w http.ResponseWriter, r *http.Request, status int, why Reason, message string, o Options) {
	NoStore(w.Header())
	o.headers(w.Header())
	message = cmp.Or(message, why.Text())
	body, err := json.Marshal(sdkProblem{status, message, message, problem{
		Type:     "about:blank",
		Title:    http.StatusText(status),
		Status:   status,
		Detail:   message,
		Reason:   why.String(),
		LoginURL: o.Login,
	}})
	if err != nil {
		body = []byte("{}") // strings and numbers always encode
	}
	write(w, r, status, "application/problem+json", append(body, '\n'))
}
