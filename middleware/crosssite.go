package middleware

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/session"
)

// newProtection returns the rule against requests that pages of other sites
// cause (contract 1.12, docs/threats.md CSR10), with the exception of these.
func newProtection(trusted []string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	var errs []error
	for _, origin := range trusted {
		if err := p.AddTrustedOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("middleware: TrustedOrigins: %q is not an origin: write it as https://partner.example", origin))
		}
	}
	return p, errors.Join(errs...)
}

// share answers a preflight of a page that may call, and lets it read the refusal
// of any other request; it reports whether there is nothing left to answer.
//
// A preflight never carries a token, so a gate that refused it would keep every
// page of another origin out. It is answered here, and not by the application,
// which would serve a stranger then: who is no browser can send OPTIONS with
// whatever headers it likes to a handler that does not look at the method.
func (g *Guard) share(w http.ResponseWriter, r *http.Request) (answered bool) {
	from := r.Header.Get("Origin")
	if from == "" || !g.partners[from] {
		return false
	}
	if respond.IsPreflight(r) {
		respond.Preflight(w, from, r.Header.Get("Access-Control-Request-Method"), r.Header.Get("Access-Control-Request-Headers"))
		return true
	}
	respond.Share(w.Header(), from)
	return false
}

// foreign reports whether another site made the user's browser send a request
// that may change something. Only the cookie is sent whoever asks for it: a page
// cannot send another site's token, so programs that do are not asked where they
// come from. Nobody's User-Agent is.
func (g *Guard) foreign(r *http.Request, s *session.Session) bool {
	if s.Carrier() != session.Cookie {
		return false
	}
	if r.Method == http.MethodGet && len(r.Header["Upgrade"]) > 0 {
		// What begins as a GET goes both ways afterwards, and browsers let pages of
		// any origin open a WebSocket.
		r = &http.Request{Method: "UPGRADE", Header: r.Header, Host: r.Host, URL: r.URL}
	}
	return g.origins.Check(r) != nil
}
