package middleware_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/memstore"
)

// One rule for a whole application that knows nothing of sign-ins: everything
// but its health check is for users only.
func ExampleGate() {
	sessions, err := session.NewManager(session.Config{Store: memstore.New()})
	if err != nil {
		log.Fatal(err)
	}
	defer sessions.Close()
	guard, err := middleware.New(middleware.Config{
		Sessions: sessions,
		BaseURL:  &url.URL{Scheme: "https", Host: "app.example"},
		Gate: &middleware.Gate{
			Unauthenticated: middleware.RedirectToLogin,
			ExcludedPaths:   []string{"/health", "/assets/*"},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	app := guard.Authenticate(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the application") }))

	for _, target := range []string{"/health", "/assets/logo.svg", "/assets/../report", "/report"} {
		r := httptest.NewRequest("GET", target, nil)
		r.Header.Set("Accept", "text/html") // a person opens a page
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		fmt.Println(target, w.Code)
	}
	// Output:
	// /health 200
	// /assets/logo.svg 200
	// /assets/../report 302
	// /report 302
}
