package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// orders is an ordinary handler: it asks the context who is signed in, and the
// session for a client that calls as that user.
func orders(w http.ResponseWriter, r *http.Request) {
	s, ok := session.FromContext(r.Context())
	switch {
	case ok:
		fmt.Fprintf(w, "orders of %s", s.User.Name)
	case session.Err(r.Context()) != nil:
		http.Error(w, "try again in a moment", http.StatusServiceUnavailable)
	default:
		http.Error(w, "please sign in", http.StatusUnauthorized)
	}
}

// A handler is tested without a provider, a store or a middleware: a session
// made by hand is enough.
func ExampleNewContext() {
	r := httptest.NewRequest("GET", "/orders", nil)
	s := &session.Session{User: session.User{ID: "42", Name: "Ada"}}

	w := httptest.NewRecorder()
	orders(w, r.WithContext(session.NewContext(r.Context(), s)))
	fmt.Println(w.Code, w.Body)

	w = httptest.NewRecorder()
	orders(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output:
	// 200 orders of Ada
	// 401 please sign in
}

// The errors of Token say what to do: sign in again, or come back later.
func ExampleSession_Token() {
	s := &session.Session{} // nobody's: there is nothing to refresh it with
	_, err := s.Token(context.Background())
	var later *grant.TransientError
	switch {
	case errors.Is(err, grant.ErrReauthRequired), errors.Is(err, grant.ErrNoRefreshToken):
		fmt.Println("send the user to the login")
	case errors.As(err, &later):
		fmt.Println("answer 503 and try again after", later.RetryAfter)
	}
	// Output: send the user to the login
}
