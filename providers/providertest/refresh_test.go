package providertest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestRotation(t *testing.T) {
	// Each step uses the refresh token of a generation after a pause. fresh and
	// same say which refresh token comes back; dead says that the use is
	// refused and took the grant along.
	type step struct {
		use   int
		after time.Duration
		want  string
	}
	for name, row := range map[string]struct {
		rotation providertest.Rotation
		steps    []step
	}{
		"strict: a second use kills the family":                {providertest.Strict, []step{{0, 0, "fresh"}, {1, 0, "fresh"}, {1, 0, "dead"}, {2, 0, "dead"}}},
		"graced: a second use mints a sibling":                 {providertest.Graced, []step{{0, 0, "fresh"}, {0, 29 * time.Second, "fresh"}, {1, 0, "fresh"}, {2, 0, "fresh"}}},
		"graced: an ancestor may come back in the window":      {providertest.Graced, []step{{0, 0, "fresh"}, {1, 0, "fresh"}, {0, 0, "fresh"}}},
		"graced: the window ends":                              {providertest.Graced, []step{{0, 0, "fresh"}, {0, 30 * time.Second, "dead"}, {1, 0, "dead"}}},
		"graced: the window does not slide":                    {providertest.Graced, []step{{0, 0, "fresh"}, {0, 20 * time.Second, "fresh"}, {0, 10 * time.Second, "dead"}}},
		"graced same: a second use returns the same pair":      {providertest.GracedSame, []step{{0, 0, "fresh"}, {0, 29 * time.Second, "same"}, {1, 0, "fresh"}}},
		"graced same: the window ends":                         {providertest.GracedSame, []step{{0, 0, "fresh"}, {0, 30 * time.Second, "dead"}}},
		"graced previous: a second use while the next is new":  {providertest.GracedPrevious, []step{{0, 0, "fresh"}, {0, 0, "fresh"}, {2, 0, "fresh"}}},
		"graced previous: an ancestor is reuse":                {providertest.GracedPrevious, []step{{0, 0, "fresh"}, {1, 0, "fresh"}, {0, 0, "dead"}}},
		"graced previous: an ancestor is reuse after siblings": {providertest.GracedPrevious, []step{{0, 0, "fresh"}, {0, 0, "fresh"}, {2, 0, "fresh"}, {0, 0, "dead"}}},
		"reusable: no other token is issued":                   {providertest.Reusable, []step{{0, 0, "none"}, {0, 240 * time.Hour, "none"}, {0, 240 * time.Hour, "none"}}},
		"reusable renewed: all stay valid":                     {providertest.ReusableRenewed, []step{{0, 0, "fresh"}, {0, time.Hour, "fresh"}, {1, 0, "fresh"}, {0, 0, "fresh"}}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{Rotation: row.rotation})
				tokens := []string{c.signIn().RefreshToken}
				for i, s := range row.steps {
					time.Sleep(s.after)
					resp, answer := c.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens[s.use]}},
						basic(c.config.ClientID, c.config.ClientSecret))
					next, _ := answer["refresh_token"].(string)
					got := "fresh"
					switch {
					case resp.StatusCode != 200 && answer["error"] == "invalid_grant":
						got = "dead"
					case next == "":
						got = "none"
					case next == tokens[len(tokens)-1]:
						got = "same"
					default:
						tokens = append(tokens, next)
					}
					if got != s.want {
						t.Fatalf("step %d: generation %d gave %s (%v), want %s", i, s.use, got, answer, s.want)
					}
				}
				st := c.op.Stats()
				last := row.steps[len(row.steps)-1].want
				if dead := last == "dead"; dead != (st.ReuseDetected == 1) || dead != (st.LiveGrants == 0) {
					t.Errorf("stats %+v after a last step that was %s", st, last)
				}
			})
		})
	}
}

func TestReuseEndsOneGrantOrAllOfTheUser(t *testing.T) {
	for name, wide := range map[string]bool{"one": false, "all": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{WideReuse: wide})
				first, second := c.signIn(), c.signIn()
				for range 2 {
					c.refresh(first.RefreshToken)
				}
				_, err := c.refresh(second.RefreshToken)
				if died := err != nil; died != wide {
					t.Errorf("the other grant: %v", err)
				}
			})
		})
	}
}

func TestAccessTokensDieWithTheirGrant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		token := c.signIn()
		fresh, err := c.refresh(token.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		c.refresh(token.RefreshToken)
		if _, err := c.provider.UserInfo(c.ctx, oauth2.StaticTokenSource(fresh)); err == nil {
			t.Error("the successor's access token survived the reuse")
		}
	})
}

func TestRefreshNarrowsScopeAndChoosesAResource(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Rotation: providertest.Reusable, Resources: []string{"https://api.example", "https://graph.example"}})
		rt := c.signIn().RefreshToken
		refresh := func(extra url.Values) (int, map[string]any) {
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rt}}
			for k, v := range extra {
				form[k] = v
			}
			resp, answer := c.post("/token", form, basic(c.config.ClientID, c.config.ClientSecret))
			return resp.StatusCode, answer
		}
		if _, got := refresh(nil); got["scope"] != "openid profile email offline_access" {
			t.Errorf("scope %v", got["scope"])
		}
		if _, got := refresh(url.Values{"scope": {"openid email"}}); got["scope"] != "openid email" {
			t.Errorf("narrowed scope %v", got["scope"])
		}
		if status, got := refresh(url.Values{"scope": {"openid admin"}}); status != 400 || got["error"] != "invalid_scope" {
			t.Errorf("wider scope: %d %v", status, got)
		}
		if status, got := refresh(url.Values{"resource": {"https://other.example"}}); status != 400 || got["error"] != "invalid_target" {
			t.Errorf("unknown resource: %d %v", status, got)
		}
		if status, got := refresh(url.Values{"resource": {"https://api.example", "https://graph.example"}}); status != 400 || got["error"] != "invalid_target" {
			t.Errorf("two resources: %d %v", status, got)
		}
		_, got := refresh(url.Values{"resource": {"https://graph.example"}})
		for audience, want := range map[string]int{"https://graph.example": 200, "https://api.example": 401, "": 401} {
			if status := c.callAPI(audience, got["access_token"].(string)); status != want {
				t.Errorf("API %q: status %d, want %d", audience, status, want)
			}
		}
	})
}

func TestRefusedRefreshSpendsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Resources: []string{"https://api.example"}})
		rt := c.signIn().RefreshToken
		for _, extra := range []url.Values{{"scope": {"admin"}}, {"resource": {"https://other.example"}}} {
			extra.Set("grant_type", "refresh_token")
			extra.Set("refresh_token", rt)
			if resp, answer := c.post("/token", extra, basic(c.config.ClientID, c.config.ClientSecret)); resp.StatusCode != 400 {
				t.Errorf("%v", answer)
			}
		}
		if _, err := c.refresh(rt); err != nil {
			t.Errorf("the token was spent: %v", err)
		}
	})
}

func TestRefreshTokenIsRefusedToAnotherClientAndAfterItsLifetime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Rotation: providertest.ReusableRenewed, RefreshTokenLifetime: time.Hour, Clients: []providertest.Registration{
			{ID: providertest.ClientID, Secret: providertest.ClientSecret}, {ID: "other", Secret: "other-secret"},
		}})
		rt := c.signIn().RefreshToken
		use := func(id, secret string) string {
			_, answer := c.post("/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {rt}}, basic(id, secret))
			reason, _ := answer["error_description"].(string)
			return reason
		}
		if got := use("other", "other-secret"); got != "the refresh token is unknown" {
			t.Errorf("another client: %q", got)
		}
		time.Sleep(59*time.Minute + 50*time.Second)
		if got := use(c.config.ClientID, c.config.ClientSecret); got != "" {
			t.Errorf("in its lifetime: %q", got)
		}
		time.Sleep(11 * time.Second) // the grant lives on with the next token
		if got := use(c.config.ClientID, c.config.ClientSecret); got != "the refresh token has expired" {
			t.Errorf("after its lifetime: %q", got)
		}
	})
}

// callAPI calls the protected resource and returns the status.
func (c *client) callAPI(resource, accessToken string) int {
	c.t.Helper()
	network := providertest.NewNetwork(map[string]http.Handler{"api.example": c.op.API(resource)})
	r, _ := http.NewRequestWithContext(c.t.Context(), "POST", "https://api.example/things", strings.NewReader("a thing"))
	if accessToken != "" {
		r.Header.Set("Authorization", "Bearer "+accessToken)
	}
	resp, err := network.RoundTrip(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if challenge := resp.Header.Get("WWW-Authenticate"); (resp.StatusCode == 401) != strings.HasPrefix(challenge, "Bearer") {
		c.t.Errorf("status %d with challenge %q", resp.StatusCode, challenge)
	}
	return resp.StatusCode
}
