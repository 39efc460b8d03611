package middleware_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"time"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// newGuard makes the Guard of the examples. An application gets one, wired,
// from easyauth.New.
func newGuard() *middleware.Guard {
	sessions, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		log.Fatal(err)
	}
	guard, err := middleware.New(middleware.Config{
		Sessions: sessions,
		BaseURL:  &url.URL{Scheme: "https", Host: "app.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return guard
}

func Example() {
	guard := newGuard()
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		if s, ok := session.FromContext(r.Context()); ok {
			fmt.Fprintln(w, "Hello", s.User.Name)
			return
		}
		fmt.Fprint(w, "Hello, stranger")
	})
	mux.Handle("/account", guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := session.FromContext(r.Context()) // never missing behind Require
		fmt.Fprintln(w, s.User.ID)
	})))
	app := guard.Authenticate(mux)

	for _, target := range []string{"/", "/account"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Accept", "text/html") // a person opens a page
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("Location"), w.Body)
	}
	// Output:
	// 200  Hello, stranger
	// 302 /.auth/login?post_login_redirect_uri=%2Faccount
}

func ExampleGuard_Require_api() {
	api := newGuard().Require(http.NotFoundHandler())
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/api/orders", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer realm="app.example" authorization_uri="https://app.example/.auth/login"
}

func ExampleGuard_Allow() {
	guard := newGuard()
	admins := guard.Allow(func(s *session.Session) bool {
		return slices.Contains(s.User.Claims.Strings("roles"), "admin")
	})
	mux := http.NewServeMux()
	mux.Handle("/admin/", admins(http.NotFoundHandler()))

	// A session made by hand stands for a sign-in.
	r := httptest.NewRequest("GET", "/admin/", nil)
	r = r.WithContext(session.NewContext(r.Context(), &session.Session{User: session.User{ID: "somebody"}}))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code)
	// Output: 403
}

func ExampleGuard_RequireRecentLogin() {
	guard := newGuard()
	careful := guard.RequireRecentLogin(5 * time.Minute)
	mux := http.NewServeMux()
	mux.Handle("/account/delete", careful(http.NotFoundHandler()))

	r := httptest.NewRequest("GET", "/account/delete", nil)
	r.Header.Set("Accept", "text/html")
	r = r.WithContext(session.NewContext(r.Context(), &session.Session{
		User:     session.User{Provider: "google"},
		AuthTime: time.Now().Add(-time.Hour),
	}))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Location"))
	// Output: /.auth/login/google?max_age=300&post_login_redirect_uri=%2Faccount%2Fdelete
}
