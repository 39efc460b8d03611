package providertest_test

import (
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestAuthorizeAnswersWithoutABrowser(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{KnownUsersOnly: true, Users: []providertest.User{{Name: "bob"}}})
		got, err := c.op.Authorize(c.authURL(), "bob")
		if err != nil || got.Get("state") != state || got.Get("iss") != c.op.Issuer() {
			t.Fatalf("%v, %v", got, err)
		}
		token, err := c.config.Exchange(c.ctx, got.Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatal(err)
		}
		if id, err := c.verify(token); err != nil || id.Subject != "sub-bob" {
			t.Errorf("%v, %v", id, err)
		}
		if got, err := c.op.Authorize(c.authURL(oauth2.SetAuthURLParam("response_type", "token")), "bob"); err != nil || got.Get("error") != "unsupported_response_type" {
			t.Errorf("%v, %v", got, err)
		}
		for reason, try := range map[string]func() error{
			"nobody is called": func() error { _, err := c.op.Authorize(c.authURL(), "mallory"); return err },
			"No client has":    func() error { _, err := c.op.Authorize(c.op.Issuer()+"/authorize?client_id=x", "bob"); return err },
			"invalid URL":      func() error { _, err := c.op.Authorize("https://op.example/%zz", "bob"); return err },
		} {
			if err := try(); err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%v, want %s", err, reason)
			}
		}
	})
}
