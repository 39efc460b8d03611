package providers

import (
	"context"
	"encoding/json"
)

// twitterClaims are the members of a profile in the order in which App Service
// tells them (contract 1.7), and the types that it tells them under.
var twitterClaims = []struct{ member, typ string }{
	{"id_str", typeIdentifier},
	{"screen_name", typeUPN},
	{"name", typeName},
	{"url", typeWebpage},
	{"description", "urn:twitter:description"},
	{"location", "urn:twitter:location"},
	{"time_zone", "urn:twitter:time_zone"},
	{"lang", "urn:twitter:lang"},
	{"verified", "urn:twitter:verified"},
	{"profile_image_url_https", "urn:twitter:profile_image_url_https"},
}

// identify asks whose tokens they are.
func (p *Twitter) identify(ctx context.Context, tokens *Tokens) (Identity, *Error) {
	ans, failure := p.get(ctx, p.cfg.API+"/1.1/account/verify_credentials.json?include_entities=false&skip_status=true", tokens)
	if failure != nil {
		return Identity{}, failure
	}
	profile, err := parseProfile(ans.body)
	if err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	// The text, because the number is beyond what JSON readers keep exactly.
	id := profile.String("id_str")
	if err := checkUserID(id); err != nil {
		return Identity{}, &Error{Kind: Invalid, Err: err}
	}
	var s statements
	for _, c := range twitterClaims {
		s.raw(c.typ, titled(profile.Raw(c.member)))
	}
	return Identity{Issuer: twitterIssuer, Subject: id, Claims: s.claims()}, nil
}

// titled writes a boolean as App Service does for this provider: "True" or
// "False". Everything else stays, except that an empty text is no statement.
func titled(value json.RawMessage) json.RawMessage {
	switch string(value) {
	case "true":
		return json.RawMessage(`"True"`)
	case "false":
		return json.RawMessage(`"False"`)
	case `""`:
		return nil
	}
	return value
}
