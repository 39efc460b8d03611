package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/goeasyauth/easyauth/internal/respond"
	"github.com/goeasyauth/easyauth/providers"
)

// maxTokenLife is the longest life of an access token that a client is believed.
const maxTokenLife = 10 * 365 * 24 * time.Hour

// members are those of the JSON object that a client sent, undecoded. The names
// are compared as they are: what two readers could take for one, or for two
// different members, is refused (CDL5).
type members map[string]json.RawMessage

// clientBody reads the body of a client's sign-in, and answers where there is
// none to be had.
func (h *Handler) clientBody(w http.ResponseWriter, r *http.Request, p providers.Provider) (members, bool) {
	body, why, ok := readBody(w, r, "application/json")
	if ok {
		m, err := parseMembers(body)
		if err == nil {
			return m, true
		}
		why = respond.BadRequest
	}
	h.refuseProgram(w, r, p, why.Status(), why, "", nil)
	return nil, false
}

// parseMembers reads exactly one object, in which no member stands twice.
func parseMembers(body []byte) (members, error) {
	if !utf8.Valid(body) {
		return nil, errors.New("handlers: body refused: not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("handlers: body refused: no JSON object")
	}
	m := members{}
	for d.More() {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return nil, errors.New("handlers: body refused: malformed JSON")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, errors.New("handlers: body refused: malformed JSON")
		}
		if _, twice := m[name]; twice {
			return nil, errors.New("handlers: body refused: a member stands twice")
		}
		m[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("handlers: body refused: malformed JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("handlers: body refused: more than one value")
	}
	return m, nil
}

// tokens are the members of contract 1.4; those that it does not name are for
// somebody else. ok is false where one has the wrong type.
func (m members) tokens() (t providers.ClientTokens, ok bool) {
	ok = true
	text := func(spellings ...string) string {
		value, fine := m.text(spellings...)
		ok = ok && fine
		return value
	}
	secret := func(spellings ...string) providers.Secret { return providers.NewSecret(text(spellings...)) }
	t = providers.ClientTokens{
		AccessToken:         secret("access_token"),
		AccessTokenSecret:   secret("access_token_secret"),
		AuthenticationToken: secret("authentication_token", "authenticationToken"),
		IDToken:             secret("id_token"),
		RefreshToken:        secret("refresh_token"),
		AuthorizationCode:   secret("authorization_code"),
		RedirectURI:         text("redirect_uri"),
		Username:            text("username"),
		Password:            secret("password"),
	}
	seconds, fine := m.seconds("expires_in")
	t.ExpiresIn = seconds
	return t, ok && fine
}

// text returns a member in whichever of its spellings it is given, "" where it is
// not there or null. ok is false for any other type, and for both spellings.
func (m members) text(spellings ...string) (value string, ok bool) {
	given := 0
	for _, name := range spellings {
		raw, there := m[name]
		if !there || string(raw) == "null" {
			continue
		}
		given++
		if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
			return "", false
		}
	}
	return value, given <= 1
}

// seconds returns a duration that is written as a number or, as some SDKs do, as
// a number in a string.
func (m members) seconds(name string) (time.Duration, bool) {
	raw := string(m[name])
	if value, ok := m.text(name); ok && value != "" {
		raw = value
	}
	if raw == "" || raw == "null" || raw == `""` {
		return 0, true
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return time.Duration(min(n, maxTokenLife.Seconds())) * time.Second, true
}
