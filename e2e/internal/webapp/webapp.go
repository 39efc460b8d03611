// Package webapp is the application that the end-to-end tests put easyauth
// around.
package webapp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// Routes are what an application has: a public page, a page and an API for
// signed-in people, some that cannot do without a token, and a stream.
func Routes(auth *easyauth.Auth) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /account", auth.Require(http.HandlerFunc(account)))
	mux.Handle("GET /token", auth.RequireToken(http.HandlerFunc(token)))
	mux.Handle("GET /token-for", auth.Require(http.HandlerFunc(tokenFor)))
	mux.Handle("GET /stream", auth.Require(http.HandlerFunc(stream)))
	return mux
}

// Fingerprint tells tokens apart without showing them.
func Fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func home(w http.ResponseWriter, r *http.Request) {
	if s, ok := session.FromContext(r.Context()); ok {
		fmt.Fprintf(w, "signed in as %s", s.User.ID)
		return
	}
	fmt.Fprint(w, "stranger")
}

func account(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	fmt.Fprintf(w, "account of %s", s.User.ID)
}

func token(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	token, err := s.Token(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot) // RequireToken let it pass
		return
	}
	fmt.Fprint(w, Fingerprint(token.AccessToken))
}

func tokenFor(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	token, err := s.TokenFor(r.Context(), grant.Resource(r.FormValue("resource")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	fmt.Fprint(w, token.AccessToken)
}

// stream writes a line at once, and then the fingerprint of the session's token
// four times a second, until the client leaves or the session has ended.
func stream(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	out := http.NewResponseController(w)
	ended := s.Done(r.Context())
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for line := "begun"; ; {
		fmt.Fprintln(w, line)
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ended:
			fmt.Fprintln(w, "ended")
			return
		case <-tick.C:
		}
		token, err := s.Token(r.Context())
		if err != nil {
			line = err.Error()
			continue
		}
		line = Fingerprint(token.AccessToken)
	}
}
