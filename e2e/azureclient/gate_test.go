package azureclient_test

import (
	"net/http"
	"testing"

	"github.com/goeasyauth/easyauth"
	"github.com/goeasyauth/easyauth/middleware"
)

// Contract 1.11 and 6: the gate in front of an API that answers CORS by itself. A
// page of an allowed origin gets through with its token, which its browser asks
// for without one; and without a token it learns that, and not that the service
// cannot be reached.
func TestContract111PageCallsAnAPIBehindTheGate(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at, elsewhere := startSite(t, &cert), startSite(t, &cert)
	s := startService(t, setup{Cert: cert, Page: at, App: sharedAPI(at), Change: func(c *easyauth.Config) {
		c.Gate = &middleware.Gate{Unauthenticated: middleware.Return401}
	}})
	b := startChromium(t, cert)
	get := map[string]string{"method": "GET"}

	b.Visit(at + "/#" + s.URL)
	c := b.Client(s)
	c.Fails(http.StatusUnauthorized, "", "invokeApi", "whoami", get)
	u := c.SignsIn("login", "aad", map[string]string{"access_token": s.Identity.SignIn("ada").Access})
	if who := c.Whoami(); who.Result.UserID != u.ID {
		t.Errorf("the API takes %s for %+v", u.ID, who)
	}

	b.Visit(elsewhere + "/#" + s.URL)
	b.Client(s).Fails(0, "", "invokeApi", "whoami", get) // it does not learn that much
}

// sharedAPI is an API that shares itself with the pages of an origin.
func sharedAPI(at string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/whoami", whoami)
	mux.HandleFunc("OPTIONS /api/whoami", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", at)
		mux.ServeHTTP(w, r)
	})
}
