package providers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
)

// facebookClaims are the fields of a profile in the order in which App Service
// tells them (contract 1.7), and the types that it tells them under. The e-mail
// address, of which the contract's samples have none, is the last.
var facebookClaims = []struct{ field, typ string }{
	{"id", typeIdentifier},
	{"name", typeName},
	{"link", "urn:facebook:link"},
	{"first_name", typeGivenName},
	{"last_name", typeSurname},
	{"gender", typeGender},
	{"locale", "urn:facebook:locale"},
	{"timezone", "urn:facebook:timezone"},
	{"email", typeEmail},
}

// identify asks whose token it is, and once more for less where Facebook no
// longer knows a field.
func (p *Facebook) identify(ctx context.Context, token Secret) (Identity, *Error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ans, failure := p.profile(ctx, token, p.cfg.Fields)
	if failure == nil && ans.status != http.StatusOK && graphFailure(ans.body).code == graphBadParameter {
		ans, failure = p.profile(ctx, token, []string{"id", "name", "first_name", "last_name"})
	}
	if failure != nil {
		return Identity{}, failure
	}
	if ans.status != http.StatusOK {
		failure := classifyGraph(ans)
		if failure.Kind == Revoked { // the token was issued a moment ago, or is the client's
			failure.Kind = Invalid
		}
		return Identity{}, failure
	}
	profile, err := parseProfile(ans.body)
	if err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	id := profile.String("id")
	if err := checkUserID(id); err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	var s statements
	for _, c := range facebookClaims {
		s.raw(c.typ, profile.Raw(c.field))
	}
	for name, value := range profile.All() {
		if !facebookField(name) {
			s.raw("urn:facebook:"+name, value) // asked for by FacebookConfig.Fields
		}
	}
	return Identity{Issuer: facebookIssuer, Subject: id, Claims: s.claims()}, nil
}

func (p *Facebook) profile(ctx context.Context, token Secret, fields []string) (answer, *Error) {
	return p.grant.wire.call(ctx, p.graph+"/me?"+url.Values{
		"fields":          {strings.Join(fields, ",")},
		"appsecret_proof": {p.proof(token)},
	}.Encode(), token)
}

// proof shows that the call comes from who knows the app secret, so that a token
// that was stolen, or issued to another application, is of no use here
// (developers.facebook.com, "Securing Graph API Requests").
func (p *Facebook) proof(token Secret) string {
	mac := hmac.New(sha256.New, []byte(p.cfg.AppSecret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}

func facebookField(name string) bool {
	for _, c := range facebookClaims {
		if c.field == name {
			return true
		}
	}
	return false
}
