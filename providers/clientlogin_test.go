package providers_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

const mobile = "mobile-app" // another client of the provider

// sent makes what a client sends.
type sent func(r *rig) providers.ClientTokens

func secretly(token string) providers.Secret { return providers.NewSecret(token) }

// like takes the way in which a preset lets clients sign in.
func like(preset providers.OIDCConfig) func(*providers.OIDCConfig) {
	return func(c *providers.OIDCConfig) {
		c.ClientLogin, c.Quirks, c.NoRefresh = preset.ClientLogin, preset.Quirks, preset.NoRefresh
		c.Quirks.IssuerAliases = nil
		if preset.AllowedAudiences != nil {
			c.AllowedAudiences = []string{"api://" + c.ClientID}
		}
	}
}

var (
	likeGoogle = like(providers.Google("id", secretOf))
	likeEntra  = like(providers.EntraID("id", secretOf, "11111111-2222-3333-4444-555555555555"))
	likeMSA    = like(providers.MicrosoftAccount("id", secretOf))
	likeApple  = like(providers.Apple(providers.AppleConfig{}))
)

// idTokenOf is an ID token of alice's.
func idTokenOf(change func(*providertest.Draft)) sent {
	return func(r *rig) providers.ClientTokens {
		return providers.ClientTokens{IDToken: secretly(r.op.IssueIDToken("alice", providertest.ClientID, change))}
	}
}

// accessTokenOf is an access token of alice's that a mobile application got.
func accessTokenOf(change func(*providertest.Draft)) sent {
	return func(r *rig) providers.ClientTokens {
		return providers.ClientTokens{AccessToken: secretly(r.op.IssueAccessToken("alice", mobile, providertest.ClientID, change))}
	}
}

func issuedAgo(age time.Duration) func(*providertest.Draft) { return at("iat", -age) }

func opaque(cfg *providertest.Config) { cfg.AccessTokens = providertest.Opaque }

// TestContract14ClientLogin goes through the bodies of contract 1.4: what each
// provider takes, and what it refuses and why.
func TestContract14ClientLogin(t *testing.T) {
	for _, row := range []struct {
		name   string
		op     func(*providertest.Config)
		config func(*providers.OIDCConfig)
		sent   sent
		kind   providers.Kind // with reason; without one alice is signed in
		reason string
	}{
		{name: "aad: an access token for this application", config: likeEntra, sent: accessTokenOf(nil)},
		{name: "aad: an access token of version 1.0", config: likeEntra, sent: accessTokenOf(nil), op: func(c *providertest.Config) { c.AccessTokens = providertest.EntraV1 }},
		{name: "aad: an access token of type at+jwt", config: likeEntra, sent: accessTokenOf(typ("at+jwt"))},
		{name: "aad: an access token for api:// and the client ID", config: likeEntra, sent: accessTokenOf(set("aud", "api://"+providertest.ClientID))},
		{name: "aad: an ID token in the field of the access token", config: likeEntra, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{AccessToken: idTokenOf(nil)(r).IDToken}
		}},
		{name: "aad: an ID token alone", config: likeEntra, sent: idTokenOf(nil)},
		{name: "aad: both, as the documentation has it", config: likeEntra, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{AccessToken: accessTokenOf(nil)(r).AccessToken, IDToken: idTokenOf(nil)(r).IDToken}
		}},
		{name: "aad: an ID token that Entra ID dated five minutes back, and the call took some", config: likeEntra, sent: idTokenOf(issuedAgo(6 * time.Minute))},
		{name: "aad: nothing", config: likeEntra, sent: nothing, kind: providers.Incomplete, reason: "there is no access_token and no id_token"},
		{name: "CDL2 aad: an access token that only the provider can read", op: opaque, config: likeEntra, sent: accessTokenOf(nil),
			kind: providers.Invalid, reason: "token is not a JWT"},
		{name: "CDL2 aad: an access token for another API", config: likeEntra, sent: accessTokenOf(set("aud", "https://graph.example")),
			kind: providers.Invalid, reason: "aud is not this application"},
		{name: "CDL4 aad: the access token of alice, the ID token of bob", config: likeEntra, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{AccessToken: accessTokenOf(nil)(r).AccessToken,
				IDToken: secretly(r.op.IssueIDToken("bob", providertest.ClientID, nil))}
		}, kind: providers.Invalid, reason: "the tokens are two users'"},
		{name: "CDL3 aad: yesterday's token, still good", config: likeEntra, sent: accessTokenOf(issuedAgo(24 * time.Hour)),
			kind: providers.Invalid, reason: "issued too long ago"},
		{name: "aad: a token that is bound to a key", config: likeEntra, sent: accessTokenOf(set("cnf", map[string]any{"jkt": "x"})),
			kind: providers.Invalid, reason: "token is bound to a key"},

		{name: "google: an ID token", config: likeGoogle, sent: idTokenOf(nil)},
		{name: "google: an ID token that an Android application of the project has", config: likeGoogle, sent: idTokenOf(set("azp", "android"))},
		{name: "google: an access token alone", config: likeGoogle, sent: accessTokenOf(nil), kind: providers.Incomplete, reason: "there is no id_token"},
		{name: "CDL1 google: an ID token of another application", config: likeGoogle, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{IDToken: secretly(r.op.IssueIDToken("alice", mobile, nil))}
		}, kind: providers.Invalid, reason: "aud is not this application"},
		{name: "google: an ID token of an application that is listed", config: func(c *providers.OIDCConfig) {
			likeGoogle(c)
			c.AllowedAudiences = []string{mobile}
		}, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{IDToken: secretly(r.op.IssueIDToken("alice", mobile, nil))}
		}},
		{name: "CDL3 google: an ID token of five minutes and a second", config: likeGoogle, sent: idTokenOf(issuedAgo(5*time.Minute + time.Second)),
			kind: providers.Invalid, reason: "issued too long ago"},
		{name: "CDL3 google: an ID token of just five minutes", config: likeGoogle, sent: idTokenOf(issuedAgo(5 * time.Minute))},
		{name: "JWT1 google: an unsigned token", config: likeGoogle, sent: idTokenOf(func(d *providertest.Draft) {
			d.Header["alg"], d.Sign = "none", providertest.Unsigned
		}), kind: providers.Invalid, reason: "algorithm is not allowed"},
		{name: "JWT2 google: a token signed with the client secret", config: likeGoogle, sent: idTokenOf(func(d *providertest.Draft) {
			d.Header["alg"], d.Sign = "HS256", providertest.HMAC([]byte(providertest.ClientSecret))
		}), kind: providers.Invalid, reason: "algorithm is not allowed"},
		{name: "google: a token with another signature", config: likeGoogle, sent: idTokenOf(func(d *providertest.Draft) {
			d.Sign = func([]byte) []byte { return make([]byte, 64) }
		}), kind: providers.Invalid, reason: "signature does not verify"},
		{name: "JWT7 google: another issuer", config: likeGoogle, sent: idTokenOf(set("iss", "https://op.example1")), kind: providers.Invalid, reason: "iss is not"},
		{name: "JWT9 google: an expired token", config: likeGoogle, sent: idTokenOf(set("exp", 1)), kind: providers.Invalid, reason: "token has expired"},
		{name: "JWT10 google: nobody", config: likeGoogle, sent: idTokenOf(set("sub", "")), kind: providers.Invalid, reason: "sub is missing"},
		{name: "JWT12 google: a logout token", config: likeGoogle, sent: idTokenOf(set("events", map[string]any{})), kind: providers.Invalid, reason: "tells of events"},
		{name: "JWT12 google: an access token in the place of an ID token", config: likeGoogle,
			sent: idTokenOf(typ("at+jwt")), kind: providers.Invalid, reason: "typ is not that of an ID token"},
		{name: "JWT13 google: a million dots", config: likeGoogle, sent: func(*rig) providers.ClientTokens {
			return providers.ClientTokens{IDToken: secretly(strings.Repeat(".", 1e6))}
		}, kind: providers.Invalid, reason: "token is too long"},

		{name: "google: an access token beside, named by at_hash", op: opaque, config: likeGoogle, sent: beside("alice", true)},
		{name: "CDL4 google: an access token beside, not the one of at_hash", op: opaque, config: likeGoogle, sent: func(r *rig) providers.ClientTokens {
			tokens := beside("alice", true)(r)
			tokens.AccessToken = beside("alice", true)(r).AccessToken
			return tokens
		}, kind: providers.Invalid, reason: "at_hash is not"},
		{name: "google: an access token beside, of whom userinfo says the same", op: opaque, config: likeGoogle, sent: beside("alice", false)},
		{name: "google: an access token beside, for this application", config: likeGoogle, sent: beside("alice", false)},
		{name: "CDL4 google: an access token beside, for this application, of another user", config: likeGoogle, sent: beside("bob", false),
			kind: providers.Invalid, reason: "the tokens are two users'"},
		{name: "CDL4 google: an access token beside, of whom userinfo says another", op: opaque, config: likeGoogle, sent: beside("bob", false),
			kind: providers.Invalid, reason: "the access token is not that user's"},
		{name: "CDL4 google: an access token beside, which is none", op: opaque, config: likeGoogle, sent: func(r *rig) providers.ClientTokens {
			tokens := idTokenOf(nil)(r)
			tokens.AccessToken = secretly("at_made_up")
			return tokens
		}, kind: providers.Invalid, reason: "the access token is not that user's"},
		{name: "CDL4 apple: an access token beside, and nobody to ask", op: opaque, config: func(c *providers.OIDCConfig) {
			likeApple(c)
			c.Endpoints = providers.Endpoints{Authorization: "https://op.example/authorize", Token: "https://op.example/token", Keys: "https://op.example/jwks"}
		}, sent: beside("alice", false), kind: providers.Invalid, reason: "nobody says whose the access token is"},

		{name: "apple: an ID token", config: likeApple, sent: idTokenOf(nil)},
		{name: "apple: nothing", config: likeApple, sent: nothing, kind: providers.Incomplete, reason: "there is no id_token"},
		{name: "JWT6 apple: an ID token that another client has", config: likeApple, sent: idTokenOf(set("azp", "other")),
			kind: providers.Invalid, reason: "azp is another client"},
		{name: "JWT6 apple: an ID token for several", config: likeApple, sent: idTokenOf(set("aud", []string{providertest.ClientID, "other"})),
			kind: providers.Invalid, reason: "azp is missing though there are several audiences"},

		{name: "microsoftaccount: an authentication token", config: likeMSA, sent: func(r *rig) providers.ClientTokens {
			return providers.ClientTokens{AuthenticationToken: idTokenOf(nil)(r).IDToken}
		}},
		{name: "microsoftaccount: an access token", config: likeMSA, sent: accessTokenOf(nil)},
		{name: "microsoftaccount: nothing", config: likeMSA, sent: nothing, kind: providers.Incomplete,
			reason: "there is no authentication_token and no access_token and no id_token"},

		{name: "custom: an ID token, where nobody asked for it", sent: idTokenOf(nil), kind: providers.Incomplete, reason: "no client signs its users in"},
		{name: "custom: an ID token, where ClientLogin takes it", config: func(c *providers.OIDCConfig) {
			c.ClientLogin.Tokens = []providers.ClientToken{providers.ClientIDToken}
		}, sent: idTokenOf(nil)},
		{name: "custom: a password, where InsecurePasswordGrant is not set", sent: password("alice", "alice"),
			op: func(c *providertest.Config) { c.PasswordGrant = true }, kind: providers.Incomplete, reason: "no client signs its users in"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := providertest.Config{AccessTokens: providertest.EntraV2, AccessTokenLifetime: time.Hour, IDTokenLifetime: time.Hour}
				if row.op != nil {
					row.op(&cfg)
				}
				if row.config == nil {
					row.config = func(*providers.OIDCConfig) {}
				}
				r := newRig(t, cfg, row.config)
				login, err := r.LoginWithTokens(t.Context(), row.sent(r))
				if row.reason != "" {
					wantError(t, err, row.kind, row.reason)
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if login.Provider != "op" || login.Identity.Issuer != "https://op.example" || login.Identity.Subject != "sub-alice" {
					t.Errorf("signed in: %+v", login.Identity)
				}
				if login.AuthTime.After(time.Now()) || login.AuthTime.IsZero() {
					t.Errorf("auth time %v", login.AuthTime)
				}
			})
		})
	}
}

func nothing(*rig) providers.ClientTokens { return providers.ClientTokens{} }

// beside is an ID token of alice's, with or without at_hash, and an opaque access
// token of owner's.
func beside(owner string, hash bool) sent {
	return func(r *rig) providers.ClientTokens {
		access := r.op.IssueAccessToken(owner, providertest.ClientID, "", nil)
		tokens := idTokenOf(func(d *providertest.Draft) {
			if hash {
				d.Claims["at_hash"] = providertest.HalfHash("ES256", access)
			}
		})(r)
		tokens.AccessToken = secretly(access)
		return tokens
	}
}

// TestClientLoginKeepsWhatCameAlong: the access token and its lifetime are taken
// into the grant.
func TestClientLoginKeepsWhatCameAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2, AccessTokenLifetime: time.Hour}, likeEntra)
		tokens := accessTokenOf(nil)(r)
		tokens.IDToken = idTokenOf(set("locale", "en"))(r).IDToken
		tokens.ExpiresIn = 20 * time.Hour
		login, err := r.LoginWithTokens(t.Context(), tokens)
		if err != nil {
			t.Fatal(err)
		}
		got := login.Tokens
		if !got.AccessToken.Equal(tokens.AccessToken) || !got.IDToken.Equal(tokens.IDToken) {
			t.Errorf("tokens %+v", got)
		}
		if got.ExpiresIn != time.Hour || !got.SentAt.Equal(time.Now()) {
			t.Errorf("expires in %v, whatever the client says; sent at %v", got.ExpiresIn, got.SentAt)
		}
		if login.Identity.Claims.String("locale") != "en" {
			t.Error("the claims are not those of the ID token")
		}
	})
}

// TestClientLoginTakesTheUsersOwnRefreshTokenOnly: without the client's secret a
// refresh token that was stolen is worth nothing, and nobody lends it ours.
func TestClientLoginTakesTheUsersOwnRefreshTokenOnly(t *testing.T) {
	untold := func(grant string, answer map[string]any) {
		if grant == "refresh_token" {
			delete(answer, "id_token")
		}
	}
	for _, row := range []struct {
		name     string
		user     string // whose the access token is; the refresh token is alice's
		rotation providertest.Rotation
		upset    func(*rig, providers.Secret)
		kept     bool
		kind     providers.Kind // with reason
		reason   string
	}{
		{name: "the user's", user: "alice", kept: true},
		{name: "the user's, which stays the same when it is used", user: "alice", rotation: providertest.Reusable, kept: true},
		{name: "CDL4 another user's", user: "bob", kind: providers.Invalid, reason: "the refresh token is another user's"},
		{name: "CDL4 another user's, where the provider does not say whose", user: "bob",
			upset: func(r *rig, _ providers.Secret) { r.op.Mutate(providertest.Mutations{TokenResponse: untold}) }},
		{name: "CDL4 another user's, with an ID token that is none", user: "bob",
			upset: func(r *rig, _ providers.Secret) { r.mutateIDToken(set("aud", "other")) }},
		{name: "a dead one", user: "alice", upset: func(r *rig, rt providers.Secret) { _ = r.Revoke(r.t.Context(), rt) }},
		{name: "any, while the provider is down", user: "alice",
			upset: func(r *rig, _ providers.Secret) { r.op.Fail(providertest.Token, providertest.Fault{Status: 503}) },
			kind:  providers.Gateway, reason: "status 503"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2, Rotation: row.rotation}, likeEntra)
			stolen := r.signIn().Tokens.RefreshToken
			if row.upset != nil {
				row.upset(r, stolen)
			}
			login, err := r.LoginWithTokens(t.Context(), providers.ClientTokens{
				AccessToken:  secretly(r.op.IssueAccessToken(row.user, mobile, providertest.ClientID, nil)),
				RefreshToken: stolen,
			})
			if row.reason != "" {
				wantError(t, err, row.kind, row.reason)
				return
			}
			if err != nil || login.Tokens.RefreshToken.IsZero() == row.kept {
				t.Fatalf("%v: %+v", err, login)
			}
			if row.kept {
				if _, err := r.refresh(login.Tokens.RefreshToken); err != nil {
					t.Errorf("what is kept is of no use: %v", err)
				}
			}
		})
	}
	t.Run("is not tried where the user may not come in", func(t *testing.T) {
		r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2}, likeEntra, func(c *providers.OIDCConfig) {
			c.Access.AllowedApplications = []string{"another"}
		})
		tokens := accessTokenOf(nil)(r)
		tokens.RefreshToken = secretly("rt")
		_, err := r.LoginWithTokens(t.Context(), tokens)
		wantError(t, err, providers.NotAllowed, "application that is not allowed")
		if n := r.op.Stats().Refreshes; n != 0 {
			t.Errorf("%d refreshes", n)
		}
	})
}

// TestClientLoginKeepsNoRefreshToken where the provider's are not taken.
func TestClientLoginKeepsNoRefreshToken(t *testing.T) {
	r := newRig(t, providertest.Config{}, likeApple)
	tokens := idTokenOf(nil)(r)
	tokens.RefreshToken = secretly("rt")
	if login, err := r.LoginWithTokens(t.Context(), tokens); err != nil || !login.Tokens.RefreshToken.IsZero() {
		t.Errorf("%v: %+v", err, login)
	}
}

// TestClientLoginKeepsNothingThatNobodyJudged: an authentication token beside the
// deciding one is not stored.
func TestClientLoginKeepsNothingThatNobodyJudged(t *testing.T) {
	for name, change := range map[string]func(*providers.OIDCConfig){"aad": likeEntra, "microsoftaccount": likeMSA} {
		r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2}, change)
		tokens := accessTokenOf(nil)(r)
		tokens.AuthenticationToken = secretly("made up")
		if login, err := r.LoginWithTokens(t.Context(), tokens); err != nil || !login.Tokens.AuthenticationToken.IsZero() {
			t.Errorf("%s: %v: %+v", name, err, login)
		}
	}
}

// TestClientLoginDropsAnIDTokenOfAnotherClient: a mobile application sends its own
// ID token along, which says nothing here and is not stored either.
func TestClientLoginDropsAnIDTokenOfAnotherClient(t *testing.T) {
	r := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2}, likeEntra)
	tokens := accessTokenOf(nil)(r)
	tokens.IDToken = secretly(r.op.IssueIDToken("bob", mobile, nil))
	login, err := r.LoginWithTokens(t.Context(), tokens)
	if err != nil || login.Identity.Subject != "sub-alice" || !login.Tokens.IDToken.IsZero() {
		t.Errorf("%v: %+v", err, login)
	}
}

// TestClientLoginTradesTheCodeOfAnSDK is Google's authorization_code.
func TestClientLoginTradesTheCodeOfAnSDK(t *testing.T) {
	for _, row := range []struct {
		name, user, registered, told string
		reason                       string
	}{
		{name: "without a redirect URI, as on Android", user: "alice"},
		{name: "with postmessage, as in a browser", user: "alice", registered: "postmessage", told: "postmessage"},
		{name: "with another redirect URI", user: "alice", registered: "postmessage", reason: "does not take the authorization code"},
		{name: "CDL4 the code of another user", user: "bob", reason: "the authorization code is another user's"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRig(t, providertest.Config{RefreshOnce: true}, likeGoogle)
			tokens := idTokenOf(nil)(r)
			tokens.AuthorizationCode, tokens.RedirectURI = secretly(r.op.IssueCode(row.user, providertest.ClientID, row.registered)), row.told
			login, err := r.LoginWithTokens(t.Context(), tokens)
			if row.reason != "" {
				wantError(t, err, providers.Invalid, row.reason)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if login.Tokens.AccessToken.IsZero() || login.Tokens.RefreshToken.IsZero() || login.Tokens.ExpiresIn == 0 {
				t.Errorf("tokens %+v", login.Tokens)
			}
		})
	}
	t.Run("JWT11 its ID token is about its access token", func(t *testing.T) {
		r := newRig(t, providertest.Config{}, likeGoogle)
		r.mutateIDToken(set("at_hash", "x"))
		tokens := idTokenOf(nil)(r)
		tokens.AuthorizationCode = secretly(r.op.IssueCode("alice", providertest.ClientID, ""))
		_, err := r.LoginWithTokens(t.Context(), tokens)
		wantError(t, err, providers.Invalid, "at_hash is not")
	})
	t.Run("is not tried where the ID token is not good", func(t *testing.T) {
		r := newRig(t, providertest.Config{}, likeGoogle)
		tokens := idTokenOf(set("aud", "other"))(r)
		tokens.AuthorizationCode = secretly(r.op.IssueCode("alice", providertest.ClientID, ""))
		_, err := r.LoginWithTokens(t.Context(), tokens)
		wantError(t, err, providers.Invalid, "aud is not this application")
		if n := r.op.Stats().CodeExchanges; n != 0 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// TestClientLoginFloodCostsTwoFetchesOfTheKeys is CDL6, from the open internet.
func TestClientLoginFloodCostsTwoFetchesOfTheKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, providertest.Config{}, likeGoogle)
		for range 200 {
			_, err := r.LoginWithTokens(t.Context(), idTokenOf(func(d *providertest.Draft) { d.Header["kid"] = "unknown" })(r))
			wantError(t, err, providers.Invalid, "signature does not verify")
		}
		if n := r.op.Stats().Requests[providertest.JWKS]; n > 2 {
			t.Errorf("%d fetches of the keys", n)
		}
	})
}

// TestClientLoginWaitsForTheKeys: a provider that is down says nothing about the
// token.
func TestClientLoginWaitsForTheKeys(t *testing.T) {
	r := newRig(t, providertest.Config{}, likeGoogle)
	tokens := idTokenOf(nil)(r)
	r.op.Fail(providertest.JWKS, providertest.Fault{Status: http.StatusBadGateway})
	_, err := r.LoginWithTokens(t.Context(), tokens)
	wantError(t, err, providers.Unready, "status 502")
}

// TestTokensOfAClientProveNoRecentSignIn: having one says nothing about when its
// owner was last asked who they are, unless the provider does. The owner of a
// stolen telephone would otherwise pass RequireRecentLogin.
func TestTokensOfAClientProveNoRecentSignIn(t *testing.T) {
	_, x, twitter := newTwitter(t)
	_, graph, facebook := newFacebook(t)
	aad := newRig(t, providertest.Config{AccessTokens: providertest.EntraV2}, likeEntra)
	value, secret := x.Token("alice")
	asked := time.Now().Add(-time.Hour).Truncate(time.Second)
	for name, row := range map[string]struct {
		provider providers.ClientLogin
		tokens   providers.ClientTokens
		want     time.Time
	}{
		"aad":                     {aad, accessTokenOf(nil)(aad), time.Unix(0, 0)},
		"aad, which tells it":     {aad, accessTokenOf(set("auth_time", asked.Unix()))(aad), asked},
		"twitter":                 {twitter, providers.ClientTokens{AccessToken: secretly(value), AccessTokenSecret: secretly(secret)}, time.Unix(0, 0)},
		"facebook, not told when": {facebook, providers.ClientTokens{AccessToken: secretly(graph.Token("alice"))}, time.Unix(0, 0)},
	} {
		login, err := row.provider.LoginWithTokens(t.Context(), row.tokens)
		if err != nil || !login.AuthTime.Equal(row.want) {
			t.Errorf("%s: signed in at %v, want %v: %v", name, login.AuthTime, row.want, err)
		}
	}
}
