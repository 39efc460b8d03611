package middleware

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/goeasyauth/easyauth/session"
)

// newProtection returns the rule against requests that pages of other sites
// cause (contract 1.12, docs/threats.md CSR10), with the exception of these.
func newProtection(own string, trusted []string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	errs := []error{p.AddTrustedOrigin(own)} // behind a proxy the Host that it compares with is another
	for _, origin := range trusted {
		if err := p.AddTrustedOrigin(origin); err != nil {
			errs = append(errs, fmt.Errorf("middleware: TrustedOrigins: %q is not an origin: write it as https://partner.example", origin))
		}
	}
	return p, errors.Join(errs...)
}

// foreign reports whether another site made the user's browser send a request
// that may change something. Only the cookie is sent whoever asks for it: a page
// cannot send another site's token, so programs that do are not asked where they
// come from. Nobody's User-Agent is.
func (g *Guard) foreign(r *http.Request, s *session.Session) bool {
	return s.Carrier() == session.Cookie && g.origins.Check(r) != nil
}
