package providers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// maxProfile bounds what a provider can say about a user: it becomes part of
// the session's record.
const maxProfile = 64 << 10

// Types under which App Service tells the claims of users who have no ID token
// (contract 1.7 and 2.3).
const (
	typeNamespace  = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
	typeIdentifier = typeNamespace + "nameidentifier"
	typeName       = typeNamespace + "name"
	typeEmail      = typeNamespace + "emailaddress"
	typeGivenName  = typeNamespace + "givenname"
	typeSurname    = typeNamespace + "surname"
	typeGender     = typeNamespace + "gender"
	typeUPN        = typeNamespace + "upn"
	typeWebpage    = typeNamespace + "webpage"
)

// statements are the claims about a user, as they are found one by one.
type statements struct{ members []claim }

// text states a text; an empty one is no statement.
func (s *statements) text(typ, value string) {
	if value == "" {
		return
	}
	quoted, err := json.Marshal(value)
	if err == nil { // a string always encodes
		s.raw(typ, quoted)
	}
}

// raw states a value as the provider wrote it; null is no statement.
func (s *statements) raw(typ string, value json.RawMessage) {
	if len(value) == 0 || string(value) == "null" || len(s.members) == maxClaims {
		return
	}
	s.members = append(s.members, claim{typ, value})
}

func (s *statements) claims() Claims { return Claims{s.members} }

// call sends a request of which only the answer counts, such as one for a
// profile, with the access token in the header.
func (w wire) call(ctx context.Context, address string, token Secret) (answer, *Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, &Error{Kind: Misconfigured, Err: errUnusable}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token.Reveal())
	ans, err := w.do(req)
	if err != nil {
		return answer{}, classifyCall(err)
	}
	return ans, nil
}

// parseProfile reads the object in which a provider describes a user.
func parseProfile(body []byte) (Claims, error) {
	if len(body) > maxProfile {
		return Claims{}, errors.New("the profile is too large")
	}
	profile, err := ParseClaims(body)
	if err != nil {
		return Claims{}, errors.New("the profile is not a JSON object")
	}
	return profile, nil
}

// checkUserID refuses what cannot be the number of a user. A profile without
// one would make all users of a provider the same (contract 3.2; docs/threats.md
// JWT17).
func checkUserID(id string) error {
	switch {
	case strings.Trim(id, "0") == "":
		return errors.New("the profile has no user id")
	case len(id) > 32 || strings.Trim(id, "0123456789") != "":
		return errors.New("the profile's user id is not a number")
	}
	return nil
}

// checkClientToken refuses what no provider issues, before it is sent to one.
func checkClientToken(token Secret) error {
	value := token.Reveal()
	if len(value) > 4<<10 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("the token is malformed")
	}
	return nil
}

// lifetimeUntil is the time that is left, at most longest; 0 where it is not known.
func lifetimeUntil(end time.Time, longest time.Duration) time.Duration {
	return max(0, min(time.Until(end), longest))
}
