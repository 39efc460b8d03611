package providers_test

import (
	"strings"
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func password(user, word string) sent {
	return func(*rig) providers.ClientTokens {
		return providers.ClientTokens{Username: user, Password: secretly(word)}
	}
}

func withPasswords(c *providers.OIDCConfig) { c.InsecurePasswordGrant = true }

// TestPasswordGrant is RFC 6749 section 4.3, which RFC 9700 section 2.4 forbids:
// it takes a field of that name to have it.
func TestPasswordGrant(t *testing.T) {
	for _, row := range []struct {
		name   string
		op     providertest.Config
		sent   sent
		lie    func(*providertest.Draft)
		kind   providers.Kind
		reason string
	}{
		{name: "the right password", op: providertest.Config{PasswordGrant: true}, sent: password("alice", "alice")},
		{name: "the wrong password", op: providertest.Config{PasswordGrant: true}, sent: password("alice", "guess"),
			kind: providers.Invalid, reason: "does not take the user name and the password"},
		{name: "no password", op: providertest.Config{PasswordGrant: true}, sent: password("alice", ""),
			kind: providers.Incomplete, reason: "there is no password"},
		{name: "a provider that knows no passwords", sent: password("alice", "alice"),
			kind: providers.Misconfigured, reason: "unsupported_grant_type"},
		{name: "JWT11 an ID token beside another access token", op: providertest.Config{PasswordGrant: true}, sent: password("alice", "alice"),
			lie: set("at_hash", "x"), kind: providers.Invalid, reason: "at_hash is not"},
		{name: "JWT6 an ID token for another client", op: providertest.Config{PasswordGrant: true}, sent: password("alice", "alice"),
			lie: set("aud", "other"), kind: providers.Invalid, reason: "aud is not"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, row.op, withPasswords)
			r.mutateIDToken(row.lie)
			login, err := r.LoginWithTokens(t.Context(), row.sent(r))
			if row.reason != "" {
				wantError(t, err, row.kind, row.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if login.Identity.Subject != "sub-alice" || login.Tokens.AccessToken.IsZero() || login.Tokens.RefreshToken.IsZero() {
				t.Errorf("%+v", login)
			}
		})
	}
	t.Run("the wrong password, as Dex says it", func(t *testing.T) {
		r := newRig(t, providertest.Config{PasswordGrant: true}, withPasswords)
		r.op.Fail(providertest.Token, providertest.Fault{OAuthError: "access_denied", Status: 401})
		_, err := r.LoginWithTokens(t.Context(), password("alice", "guess")(r))
		wantError(t, err, providers.Invalid, "does not take the user name and the password")
	})
	t.Run("LEA3 the password is in no error", func(t *testing.T) {
		r := newRig(t, providertest.Config{PasswordGrant: true}, withPasswords)
		_, err := r.LoginWithTokens(t.Context(), password("alice", "hunter2-wrong")(r))
		if e := wantError(t, err, providers.Invalid, "user name"); strings.Contains(e.Error(), "hunter2") || strings.Contains(e.Error(), "alice") {
			t.Error(e)
		}
	})
}
