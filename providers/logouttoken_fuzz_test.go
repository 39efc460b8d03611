package providers_test

import (
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// FuzzLogoutTokenClaims: a payload is accepted, even correctly signed, only if
// every reader of it, a lenient one included, sees a logout that this issuer told
// this client just now, of the same user and session.
func FuzzLogoutTokenClaims(f *testing.F) {
	p := newScript().provider(f)
	good := func(now time.Time) string {
		return string(mustJSONOf(map[string]any{"iss": "https://op.example", "aud": "app", "sub": "alice", "sid": "s", "jti": "j",
			"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(), "events": map[string]any{logoutEvent: struct{}{}}}))
	}
	for _, seed := range []string{
		"", `"nonce":null,`, `"nonce":7,`, `"NONCE":"n",`, `"sub":"mallory",`, `"SID":"x",`, `"Events":{},`, `"events":{},`, `"typ":"at+jwt",`,
		`"aud":["app"],`, `"x":{"sub":"mallory"},`, `"nbf":9999999999,`, `"azp":"other",`, `"ſid":"x",`, `"toe":1,"txn":"t",`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte("{"+seed+good(time.Unix(1_700_000_000, 0))[1:]), true)
	}
	f.Add([]byte(`{}`), true)
	f.Add([]byte(`[]`), true)
	f.Add([]byte(strings.Repeat(`{"events":`, 100)), true)
	f.Fuzz(func(t *testing.T, text []byte, whole bool) {
		payload := text
		if !whole { // members in front of a payload that is good by itself, so that the rules behind the times are reached
			payload = []byte("{" + string(text) + good(time.Now())[1:])
		}
		got, err := p.VerifyLogout(t.Context(), sign(payload))
		if err != nil {
			var e *providers.Error
			if !errors.As(err, &e) || e.Kind != providers.Invalid || !plainText.MatchString(err.Error()) {
				t.Errorf("error %#v", err)
			}
			return
		}
		var lenient struct {
			Iss, Jti string
			Aud      any
			Exp, Iat float64
			Events   map[string]json.RawMessage
		}
		// By their exact names, where a member need not be there; a number that nobody
		// asks about may be too large for any reader.
		var members map[string]json.RawMessage
		if err := cmp.Or(json.Unmarshal(payload, &lenient), json.Unmarshal(payload, &members)); err != nil {
			t.Fatalf("accepted %q: %v", payload, err)
		}
		var sub, sid, azp string
		_ = json.Unmarshal(members["azp"], &azp)
		_ = json.Unmarshal(members["sub"], &sub)
		_ = json.Unmarshal(members["sid"], &sid)
		_, nonce := members["nonce"]
		audience, _ := lenient.Aud.([]any)
		if one, ok := lenient.Aud.(string); ok {
			audience = []any{one}
		}
		event := strings.TrimSpace(string(lenient.Events[logoutEvent]))
		now := float64(time.Now().Unix())
		switch {
		case got.Issuer != "https://op.example" || lenient.Iss != got.Issuer,
			sub != got.Subject || sid != got.SID || lenient.Jti != got.TokenID,
			got.Subject == "" && got.SID == "", got.TokenID == "",
			!slices.Contains(audience, any(providertest.ClientID)),
			members["azp"] != nil && azp != providertest.ClientID,
			lenient.Exp < now-1 || lenient.Iat > now+61 || lenient.Exp-lenient.Iat > 3600,
			nonce,
			!strings.HasPrefix(event, "{"):
			t.Errorf("accepted %q as %+v", payload, got)
		}
	})
}

// FuzzLogoutToken: nothing but what the key has signed is accepted, whatever its
// form, and nothing of it comes back in the error.
func FuzzLogoutToken(f *testing.F) {
	p := newScript().provider(f)
	now := time.Now()
	honest := sign(mustJSONOf(map[string]any{"iss": "https://op.example", "aud": "app", "sub": "alice", "jti": "j",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "events": map[string]any{logoutEvent: struct{}{}}})).Reveal()
	head, rest, _ := strings.Cut(honest, ".")
	for _, seed := range []string{
		honest, honest + ".", "." + honest, honest + "=", honest + "\n", strings.ToUpper(honest), head, rest, "", "..", "....", jsonSerialization(honest),
		b64([]byte(`{"alg":"none"}`)) + "." + rest, b64([]byte(`{"alg":"EdDSA","typ":"logout+jwt","crit":["b64"],"b64":false}`)) + "." + rest,
	} {
		f.Add(seed)
	}
	key := fuzzKey.Public().(ed25519.PublicKey)
	f.Fuzz(func(t *testing.T, token string) {
		_, err := p.VerifyLogout(t.Context(), providers.NewSecret(token))
		if err != nil {
			if !plainText.MatchString(err.Error()) || len(token) > 12 && strings.Contains(err.Error(), token) {
				t.Errorf("error text %q", err)
			}
			return
		}
		i := strings.LastIndexByte(token, '.')
		if i < 0 || !ed25519.Verify(key, []byte(token[:i]), []byte(decoded(token[i+1:]))) {
			t.Errorf("accepted %q, which nobody signed", token)
		}
	})
}
