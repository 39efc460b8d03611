package middleware

import (
	"maps"
	"net/http"
	"strings"

	"github.com/goeasyauth/easyauth/internal/principal"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// identify tells the application by headers who is signed in, as App Service
// does, as far as that is switched on. r belongs to us and its headers do not:
// the outer handlers, which may log theirs, never see these (docs/threats.md HDR11).
func (g *Guard) identify(r *http.Request, s *session.Session) {
	if !g.identity && !g.tokens {
		return
	}
	r.Header = maps.Clone(r.Header)
	if g.identity {
		g.setPrincipal(r, s)
	}
	if g.tokens {
		g.setTokens(r, s)
	}
}

func (g *Guard) setPrincipal(r *http.Request, s *session.Session) {
	u := s.User
	p := principal.New(principal.User{Provider: u.Provider, ID: u.ID, Name: u.Name, Claims: u.Claims, NameClaim: u.NameClaim})
	header, err := p.Header()
	if err != nil {
		g.log.ErrorContext(r.Context(), "principal not encoded", "session", s.ID, "cause", err)
		return
	}
	r.Header.Set("X-MS-CLIENT-PRINCIPAL", header)
	r.Header.Set("X-MS-CLIENT-PRINCIPAL-ID", p.IDHeader())
	r.Header.Set("X-MS-CLIENT-PRINCIPAL-NAME", p.NameHeader())
	r.Header.Set("X-MS-CLIENT-PRINCIPAL-IDP", u.Provider)
}

func (g *Guard) setTokens(r *http.Request, s *session.Session) {
	if s.Carrier() == session.Bearer {
		return // there are none: the client has brought its own along
	}
	t, err := s.Tokens(r.Context())
	if err != nil {
		g.log.WarnContext(r.Context(), "token headers left out", "session", s.ID, "cause", err)
		return
	}
	set := func(kind, value string) {
		if onOneLine(value) {
			r.Header.Set("X-MS-TOKEN-"+strings.ToUpper(s.User.Provider)+"-"+kind, value)
		}
	}
	if t.Phase != grant.Expired {
		set("ACCESS-TOKEN", t.AccessToken.Reveal())
		set("ACCESS-TOKEN-SECRET", t.AccessTokenSecret.Reveal())
		if !t.ExpiresAt.IsZero() {
			set("EXPIRES-ON", principal.Time(t.ExpiresAt))
		}
	}
	set("ID-TOKEN", t.IDToken.Reveal())
	set("AUTHENTICATION-TOKEN", t.AuthenticationToken.Reveal())
	set("REFRESH-TOKEN", t.RefreshToken.Reveal())
}

// onOneLine reports whether a token can stand in a header. One that cannot, or
// that is empty, is left out: encoded it would be another token (docs/threats.md HDR8).
func onOneLine(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return token != ""
}
