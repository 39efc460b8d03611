package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/memstore"
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

// An application that must get rid of somebody ends all their sessions; those of
// the user's other browsers end by EndOthers, and one out of a list by EndSession.
func ExampleManager_EndAll() {
	m, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		panic(err)
	}
	defer m.Close()

	ada := providers.Identity{Issuer: "https://op.example", Subject: "42"}
	for range 2 { // in two browsers; the routes under /.auth do this
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		if _, err := m.Start(w, r, &providers.Login{Provider: "op", Identity: ada}, ""); err != nil {
			panic(err)
		}
	}

	n, err := m.EndAll(context.Background(), session.User{Provider: "op", Issuer: ada.Issuer, ID: ada.Subject})
	fmt.Println(n, "sessions ended,", err)
	// Output: 2 sessions ended, <nil>
}

// A program signs in without a cookie: it gets a session token, and sends it in
// X-ZUMO-AUTH from then on. The routes under /.auth do this.
func ExampleManager_SessionToken() {
	m, err := session.NewManager(session.Config{
		Store:       memstore.New(),
		SigningKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}, // random, and kept with the application's other secrets
		TokenIssuer: "https://app.example/",
	})
	if err != nil {
		panic(err)
	}
	defer m.Close()

	ada := providers.Identity{Issuer: "https://op.example", Subject: "42"}
	s, err := m.StartToken(context.Background(), &providers.Login{Provider: "op", Identity: ada})
	if err != nil {
		panic(err)
	}
	token, err := m.SessionToken(s)
	if err != nil {
		panic(err)
	}

	r := httptest.NewRequest("GET", "/api", nil)
	r.Header.Set("X-ZUMO-AUTH", token.Reveal())
	s, err = m.Load(r)
	fmt.Println(s.User.ID, "by", s.Carrier(), err)

	m.End(context.Background(), s) // the token is dead with its session
	_, err = m.Load(r)
	fmt.Println(err)
	// Output:
	// 42 by token <nil>
	// session: none: unknown or ended
}

// A stream ends with the session that it belongs to.
func ExampleSession_Done() {
	messages := make(chan string)
	stream := func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context())
		for {
			select {
			case <-s.Done(r.Context()):
				return // signed out, here or anywhere else
			case <-r.Context().Done():
				return // the client left
			case m := <-messages:
				fmt.Fprintf(w, "data: %s\n\n", m)
			}
		}
	}
	http.NewServeMux().HandleFunc("GET /stream", stream)
}
