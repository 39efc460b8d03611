// Chi mounts easyauth in a chi router.
//
//	go run ./examples/chi
package main

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/examples/internal/demo"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

func main() { demo.Main(mount) }

func mount(on demo.Ground) (http.Handler, func() error, error) {
	auth, err := easyauth.New(easyauth.Config{
		BaseURL:   on.Base,
		Providers: []providers.Provider{on.Dev.OIDC},
		Store:     on.Store,
		Keys:      on.Keys,
	})
	if err != nil {
		return nil, nil, err
	}

	r := chi.NewRouter()
	r.Use(auth.Authenticate)          // says who is there, refuses nobody
	r.Mount("/.auth", auth.Handler()) // sign in, sign out, refresh
	r.Get("/", home)
	r.With(auth.Require).Get("/account", account) // refuses strangers
	return r, auth.Close, nil
}

func home(w http.ResponseWriter, r *http.Request) {
	if s, ok := session.FromContext(r.Context()); ok {
		fmt.Fprintf(w, "Hello %s. See /account, or leave by /.auth/logout\n", s.User.Name)
		return
	}
	fmt.Fprintln(w, "Hello stranger. Sign in at /.auth/login, or by visiting /account")
}

func account(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context()) // behind Require: there is one
	token, err := s.Token(r.Context())       // fresh, or the reason why not
	if err != nil {
		http.Error(w, "no token now", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "%s (%s), token until %s\n", s.User.Name, s.User.ID, token.Expiry.Format("15:04:05"))
}
