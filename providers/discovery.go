package providers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
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
	if err == nil {
		err = p.adopt(object.String("issuer"))
	}
	if err != nil {
		return nil, p.refused("discover", Misconfigured, err)
	}
	return meta, nil
}

// checkDocument is whether the document is the provider's: it names the configured
// issuer exactly, or it is somebody else's (docs/threats.md MIX5). Where only its
// address is configured, the issuer is at the same host.
func (p *OIDC) checkDocument(issuer string) error {
	switch {
	case issuer == p.cfg.Issuer && issuer != "":
		return nil
	case p.cfg.Issuer == "":
		return p.checkToldIssuer(issuer)
	case strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(p.cfg.Issuer, "/"):
		return errors.New("the issuer of the discovery document differs from the configured one in its trailing slash")
	}
	return errors.New("the issuer of the discovery document is not the configured one")
}

// checkToldIssuer is the rule for an issuer that only the document tells. One that
// stands for every tenant there is would let all of them in.
func (p *OIDC) checkToldIssuer(issuer string) error {
	if err := checkIssuer(issuer); err != nil {
		return fmt.Errorf("the issuer of the discovery document %w", err)
	}
	u, _ := url.Parse(issuer)
	switch home := p.home(); {
	case strings.Contains(issuer, tenantPlaceholder):
		return errors.New("the issuer of the discovery document stands for every tenant: set Issuer to it, and Tenants")
	case u.Scheme != home.Scheme || u.Host != home.Host:
		return errors.New("the issuer of the discovery document is at another host: if it is the provider's, set Issuer to it")
	}
	return nil
}

// adopt takes the issuer of the first document for good: identities are its own.
func (p *OIDC) adopt(issuer string) error {
	if !p.rule.CompareAndSwap(nil, p.cfg.issuersOf(issuer)) && p.issuers().template != issuer {
		return errors.New("the issuer of the discovery document is not the one it was")
	}
	return nil
}

// readMetadata checks the document before anything in it is used.
func (p *OIDC) readMetadata(doc Claims) (*metadata, error) {
	if err := p.checkDocument(doc.String("issuer")); err != nil {
		return nil, err
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
		if err := checkEndpoint(doc.String(member), p.home()); err != nil {
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
