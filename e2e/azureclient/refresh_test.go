package azureclient_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth"
)

func TestContract18ClientRefreshesItsToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	tokens := s.Identity.SignIn("ada")
	before := c.SignsIn("login", "aad", map[string]string{"access_token": tokens.Access, "refresh_token": tokens.Refresh})

	var renewed login
	c.Must(&renewed, "refresh")
	s.Issued(renewed.AuthenticationToken)
	if strings.Count(renewed.AuthenticationToken, ".") != 2 || renewed.User.UserID != before.ID {
		t.Errorf("contract 1.8: both members are wanted, and the same user: %s", renewed.User.UserID)
	}
	if got := s.Identity.Stats().Refreshed; got != 2 { // the first at the sign-in, to see whose the refresh token is (CDL4)
		t.Errorf("the provider was asked %d times", got)
	}
	if who := c.Whoami(); who.Result.UserID != before.ID {
		t.Errorf("with the new token the API takes %s for %+v", before.ID, who)
	}
	if sent := s.Last(http.MethodGet, "/api/whoami").Header.Get("X-Zumo-Auth"); sent != renewed.AuthenticationToken {
		t.Error("the client goes on with the old token")
	}
}

// Contract 3.1: a session that has run out is over for the API, and can be
// refreshed for the grace period, without its user.
func TestContract31ClientRefreshesAnExpiredToken(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{Change: func(c *easyauth.Config) { c.SessionLifetime = 6 * time.Second }})
	c := startClient(t, s)
	tokens := s.Identity.SignIn("ada")
	u := c.SignsIn("login", "aad", map[string]string{"access_token": tokens.Access, "refresh_token": tokens.Refresh})
	c.Whoami()
	expired := []any{"whoami", map[string]string{"method": "GET"}}
	eventually(t, func() bool { return c.perform("invokeApi", expired).Error != nil })
	c.Fails(http.StatusUnauthorized, "", "invokeApi", expired...)
	c.Fails(http.StatusUnauthorized, "", "login", u.Token)

	var renewed login
	c.Must(&renewed, "refresh")
	s.Issued(renewed.AuthenticationToken)
	if who := c.Whoami(); who.Result.UserID != u.ID || renewed.User.UserID != u.ID {
		t.Errorf("%s was renewed as %s, and the API takes it for %+v", u.ID, renewed.User.UserID, who)
	}
}

// Contract 1.8: what the status says, and what the program shows of it.
func TestContract18RefreshIsRefused(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})

	t.Run("400 without a refresh token", func(t *testing.T) {
		c := startClient(t, s)
		c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})
		c.Fails(http.StatusBadRequest, "does not support refresh", "refresh")
		c.Whoami() // and the session goes on
	})
	t.Run("401 with a token that is none", func(t *testing.T) {
		c := startClient(t, s)
		c.Must(nil, "resume", map[string]string{"userId": "sid:x", "mobileServiceAuthenticationToken": "a.b.c"})
		c.Fails(http.StatusUnauthorized, "no longer valid", "refresh")
	})
	t.Run("403 after the user revoked it", func(t *testing.T) {
		c := startClient(t, s)
		tokens := s.Identity.SignIn("bob")
		c.SignsIn("login", "aad", map[string]string{"access_token": tokens.Access, "refresh_token": tokens.Refresh})
		s.Identity.RevokeUser("sub-bob")
		c.Fails(http.StatusForbidden, "revoked or expired", "refresh")
	})
}

// Contract 1.9: the client signs out by forgetting its token; that nobody else
// can use it is for the service to see to.
func TestContract19SigningOut(t *testing.T) {
	t.Parallel()
	s := startService(t, setup{})
	c := startClient(t, s)
	u := c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID})

	c.Must(nil, "logout")
	c.Fails(http.StatusUnauthorized, "", "invokeApi", "whoami", map[string]string{"method": "GET"})
	if sent := s.Last(http.MethodGet, "/api/whoami").Header.Get("X-Zumo-Auth"); sent != "" {
		t.Error("signed out, and the client still sends its token")
	}

	c.Must(nil, "resume", map[string]string{"userId": u.ID, "mobileServiceAuthenticationToken": u.Token})
	c.Whoami()
	if _, err := s.Sessions.EndNamed(t.Context(), "google", s.Identity.Issuer(), "sub-ada", ""); err != nil {
		t.Fatal(err)
	}
	c.Fails(http.StatusUnauthorized, "", "invokeApi", "whoami", map[string]string{"method": "GET"}) // CDL7
	c.Fails(http.StatusUnauthorized, "no longer valid", "refresh")
	if again := c.SignsIn("login", "google", map[string]string{"id_token": s.Identity.SignIn("ada").ID}); again.ID != u.ID {
		t.Errorf("%s came back as %s", u.ID, again.ID) // though the client still sent the dead token along
	}
	c.Must(nil, "logout")
	c.Fails(http.StatusUnauthorized, "", "login", u.Token)
}

// eventually asks until it is so.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for limit := time.After(patience); !so(); {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-limit:
			t.Fatal("it never comes to be")
		}
	}
}
