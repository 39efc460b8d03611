package respond

import (
	"encoding/json"
	"net/http"
)

type problem struct {
	Type     string `json:"type"`
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Reason   string `json:"reason"`
	LoginURL string `json:"login_url,omitempty"`
}

// Problem answers with the reason as application/problem+json (RFC 9457),
// whoever asks. Programs branch on the member "reason"; the type is about:blank,
// as the status and the reason say it all.
func Problem(w http.ResponseWriter, r *http.Request, why Reason, o Options) {
	NoStore(w.Header())
	o.headers(w.Header())
	body, err := json.Marshal(problem{
		Type:     "about:blank",
		Title:    http.StatusText(why.Status()),
		Status:   why.Status(),
		Detail:   why.row().text,
		Reason:   why.String(),
		LoginURL: o.Login,
	})
	if err != nil {
		body = []byte("{}") // strings and a number always encode
	}
	write(w, r, why.Status(), "application/problem+json", append(body, '\n'))
}
