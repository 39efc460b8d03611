// Package easyauth signs people in to a Go web application and keeps them
// signed in.
//
// It mounts the /.auth routes of Azure App Service authentication in an
// existing server (net/http, chi, gin), gives handlers the user and fresh
// provider tokens through the request's context, keeps tokens in a server-side
// store, and renews sessions and tokens before a handler runs:
//
//	auth, err := easyauth.New(easyauth.Config{
//		BaseURL:   "https://app.example",
//		Providers: []providers.Provider{google},
//		Keys:      keys,
//	})
//	http.ListenAndServe(addr, auth.Wrap(mux))
//
//	func account(w http.ResponseWriter, r *http.Request) {
//		s, ok := session.FromContext(r.Context()) // s.User
//		resp, err := s.Client(r.Context()).Get("https://api.example/orders")
//	}
//
// Who somebody is and whether their token is fresh are two questions. A session
// lasts 8 hours; for 72 hours more the provider can renew it, without the user
// and before the handler runs. An access token is renewed when it is due, behind
// the request or before it. A provider or a store that is down signs nobody
// out: those who depend on it get a 503 and a time to come back.
//
// Read on in this order:
//   - [Config], and [github.com/goeasyauth/easyauth/providers] for who may vouch
//   - [LoadAppService] for the configuration of an application of App Service
//   - [github.com/goeasyauth/easyauth/session] for what a handler sees
//   - [github.com/goeasyauth/easyauth/session/grant] for how tokens stay fresh,
//     and for the errors worth branching on
//   - [github.com/goeasyauth/easyauth/middleware] for who may pass
//   - [github.com/goeasyauth/easyauth/handlers] for the routes
//   - [github.com/goeasyauth/easyauth/store] for where records rest
//   - [github.com/goeasyauth/easyauth/providers/providertest] for a provider to
//     test an application with
package easyauth
