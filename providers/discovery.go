package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/oauth2"
)

// metadata is what the discovery document says, checked.
type metadata struct {
	endpoint       oauth2.Endpoint // with the auth style fixed
	keysURL        string
	userInfoURL    string           // empty: none
	revocationURL  string           // empty: none
	revocationAuth oauth2.AuthStyle // of revocationURL
	endSessionURL  string           // empty: none
	tellsIssuer    bool             // every authorization response carries iss (RFC 9207 section 3)
}

// metadata returns the provider's metadata for op.
func (p *OIDC) metadata(ctx context.Context, op string) (*metadata, *Error) {
	meta, _, failure := p.discovery.load(ctx)
	if failure != nil {
		return nil, failure.in(p.cfg.Name, op)
	}
	return meta, nil
}

// discover reads the discovery document.
func (p *OIDC) discover(ctx context.Context) (*metadata, *Error) {
	if p.cfg.Endpoints != (Endpoints{}) {
		return p.cfg.Endpoints.metadata(p.cfg.AuthStyle), nil
	}
	body, failure := p.document(ctx, "discover", p.discoveryURL())
	if failure != nil {
		return nil, failure
	}
	object, err := ParseClaims(body)
	if err != nil {
		return nil, p.refused("discover", Unready, errors.New("the discovery document is not a JSON object"))
	}
	meta, err := p.readMetadata(object)
	if err != nil {
		return nil, p.refused("discover", Misconfigured, err)
	}
	return meta, nil
}

// readMetadata checks the document before anything in it is used. It names the
// configured issuer exactly, or it is somebody else's (docs/threats.md MIX5).
func (p *OIDC) readMetadata(doc Claims) (*metadata, error) {
	if issuer := doc.String("issuer"); issuer != p.cfg.Issuer {
		if strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(p.cfg.Issuer, "/") {
			return nil, errors.New("the issuer of the discovery document differs from the configured one in its trailing slash")
		}
		return nil, errors.New("the issuer of the discovery document is not the configured one")
	}
	for _, member := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
		if doc.String(member) == "" {
			return nil, fmt.Errorf("the discovery document has no %s", member)
		}
	}
	for _, member := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri",
		"userinfo_endpoint", "revocation_endpoint", "end_session_endpoint"} {
		if doc.String(member) == "" {
			continue
		}
		if err := checkEndpoint(doc.String(member), p.issuerURL()); err != nil {
			return nil, fmt.Errorf("the %s %w", member, err)
		}
	}
	style, err := p.authStyle(doc, "token_endpoint_auth_methods_supported")
	if err != nil {
		return nil, err
	}
	revocationStyle := style
	if doc.Has("revocation_endpoint_auth_methods_supported") {
		if s, err := p.authStyle(doc, "revocation_endpoint_auth_methods_supported"); err == nil {
			revocationStyle = s
		}
	}
	return &metadata{
		endpoint: oauth2.Endpoint{
			AuthURL:   doc.String("authorization_endpoint"),
			TokenURL:  doc.String("token_endpoint"),
			AuthStyle: style,
		},
		keysURL:        doc.String("jwks_uri"),
		userInfoURL:    doc.String("userinfo_endpoint"),
		revocationURL:  doc.String("revocation_endpoint"),
		revocationAuth: revocationStyle,
		endSessionURL:  doc.String("end_session_endpoint"),
		tellsIssuer:    doc.Bool("authorization_response_iss_parameter_supported"),
	}, nil
}

// authStyle fixes how the client authenticates. A document that does not say
// means client_secret_basic (OpenID Connect Discovery 3).
func (p *OIDC) authStyle(doc Claims, member string) (oauth2.AuthStyle, error) {
	methods := doc.Strings(member)
	switch {
	case p.cfg.AuthStyle != oauth2.AuthStyleAutoDetect:
		return p.cfg.AuthStyle, nil
	case !doc.Has(member), slices.Contains(methods, "client_secret_basic"):
		return oauth2.AuthStyleInHeader, nil
	case slices.Contains(methods, "client_secret_post"):
		return oauth2.AuthStyleInParams, nil
	}
	return 0, errors.New("the provider takes neither client_secret_basic nor client_secret_post")
}
