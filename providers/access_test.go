package providers_test

import (
	"testing"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

// TestContract4AccessPolicy is the paragraph "AAD authorization checks" of
// contract section 4: AND between the properties, OR between groups and
// identities.
func TestContract4AccessPolicy(t *testing.T) {
	const (
		noGroup = "in none of the allowed groups"
		untold  = "leaves out the user's groups because they are too many"
		nobody  = "none of the allowed ones"
	)
	groups := map[string]any{"oid": "o-alice", "groups": []string{"g1", "g2"}}
	overage := elsewhere(map[string]any{"oid": "o-alice"})
	for _, row := range []struct {
		name   string
		policy providers.AccessPolicy
		claims map[string]any
		reason string
	}{
		{name: "no policy"},
		{name: "in an allowed group", policy: providers.AccessPolicy{AllowedGroups: []string{"g0", "g2"}}, claims: groups},
		{name: "in no allowed group", policy: providers.AccessPolicy{AllowedGroups: []string{"g0"}}, claims: groups, reason: noGroup},
		{name: "in no group at all", policy: providers.AccessPolicy{AllowedGroups: []string{"g0"}}, reason: noGroup},
		{name: "a group whose name differs in case", policy: providers.AccessPolicy{AllowedGroups: []string{"G1"}}, claims: groups, reason: noGroup},
		{name: "too many groups to tell", policy: providers.AccessPolicy{AllowedGroups: []string{"g1"}}, claims: overage, reason: untold},
		{name: "too many groups to tell, version 1.0", policy: providers.AccessPolicy{RequiredGroups: []string{"g1"}},
			claims: map[string]any{"hasgroups": true}, reason: untold},
		{name: "an allowed identity", policy: providers.AccessPolicy{AllowedIdentities: []string{"o-bob", "o-alice"}}, claims: groups},
		{name: "no allowed identity", policy: providers.AccessPolicy{AllowedIdentities: []string{"o-bob"}}, claims: groups, reason: nobody},
		{name: "the subject is no object id", policy: providers.AccessPolicy{AllowedIdentities: []string{"sub-alice"}}, claims: groups, reason: nobody},
		{name: "an allowed identity, or an allowed group", claims: groups,
			policy: providers.AccessPolicy{AllowedIdentities: []string{"o-alice"}, AllowedGroups: []string{"g0"}}},
		{name: "an allowed identity with too many groups to tell", claims: overage,
			policy: providers.AccessPolicy{AllowedIdentities: []string{"o-alice"}, AllowedGroups: []string{"g0"}}},
		{name: "an allowed group, or an allowed identity", claims: groups,
			policy: providers.AccessPolicy{AllowedIdentities: []string{"o-bob"}, AllowedGroups: []string{"g1"}}},
		{name: "an allowed identity, but not the group that all need", claims: groups, reason: noGroup,
			policy: providers.AccessPolicy{AllowedIdentities: []string{"o-alice"}, RequiredGroups: []string{"g0"}}},
		{name: "this application among the allowed ones", policy: providers.AccessPolicy{AllowedApplications: []string{"x", providertest.ClientID}}},
		{name: "this application not among the allowed ones", policy: providers.AccessPolicy{AllowedApplications: []string{"x"}}, reason: "issued to an application"},
		{name: "this application not among the required ones", reason: "issued to an application",
			policy: providers.AccessPolicy{AllowedApplications: []string{providertest.ClientID}, RequiredApplications: []string{"x"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := providertest.Config{Users: []providertest.User{{Name: "alice", Claims: row.claims}}, AccessTokens: providertest.EntraV2}
			r := newRig(t, cfg, likeEntra, func(c *providers.OIDCConfig) { c.Access = row.policy })
			_, redirect := r.attempt()
			_, client := r.LoginWithTokens(t.Context(), idTokenOf(nil)(r))
			own := secretly(r.op.IssueAccessToken("alice", providertest.ClientID, "", nil))
			_, _, bearer := r.VerifyBearer(t.Context(), own)
			for way, err := range map[string]error{"redirect": redirect, "client": client, "bearer": bearer} {
				t.Run(way, func(t *testing.T) {
					if row.reason != "" {
						wantError(t, err, providers.NotAllowed, row.reason)
					} else if err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// elsewhere adds what Entra ID writes in the place of more than 200 groups.
func elsewhere(claims map[string]any) map[string]any {
	claims["_claim_names"] = map[string]any{"groups": "src1"}
	claims["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": "https://graph.example/getMemberObjects"}}
	return claims
}

// TestAccessPolicyJudgesTheClientOfAnAccessToken: azp in version 2.0, appid in
// 1.0, client_id in RFC 9068.
func TestAccessPolicyJudgesTheClientOfAnAccessToken(t *testing.T) {
	for format, name := range map[providertest.TokenFormat]string{
		providertest.EntraV1: "appid", providertest.EntraV2: "azp", providertest.JWT: "client_id",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, providertest.Config{AccessTokens: format}, likeEntra, func(c *providers.OIDCConfig) {
				c.Access.AllowedApplications = []string{mobile}
			})
			token := func(client string) providers.Secret {
				return secretly(r.op.IssueAccessToken("alice", client, providertest.ClientID, nil))
			}
			if _, _, err := r.VerifyBearer(t.Context(), token(mobile)); err != nil {
				t.Error(err)
			}
			_, _, err := r.VerifyBearer(t.Context(), token("other"))
			wantError(t, err, providers.NotAllowed, "issued to an application that is not allowed")
			_, err = r.LoginWithTokens(t.Context(), providers.ClientTokens{AccessToken: token("other")})
			wantError(t, err, providers.NotAllowed, "issued to an application that is not allowed")
		})
	}
}

// TestAccessPolicyHoldsAtARefresh: who has left the group is out with the next
// token, and so is who got too many groups to tell.
func TestAccessPolicyHoldsAtARefresh(t *testing.T) {
	member := func(groups ...string) providertest.User {
		u := providertest.User{Name: "alice", Claims: map[string]any{"groups": groups}}
		if len(groups) == 0 {
			u.Claims["groups"] = nil
		}
		return u
	}
	for name, row := range map[string]struct {
		now    providertest.User
		reason string
	}{
		"still in":         {now: member("g2", "g1")},
		"in another group": {now: member("g2"), reason: "in none of the allowed groups"},
		"in no group now":  {now: member(), reason: "in none of the allowed groups"},
		"in too many groups": {now: providertest.User{Name: "alice", Claims: elsewhere(map[string]any{})},
			reason: "too many"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, providertest.Config{Users: []providertest.User{member("g1")}}, func(c *providers.OIDCConfig) {
				c.Access.AllowedGroups = []string{"g1"}
			})
			login := r.signIn()
			r.op.SetUser(row.now)
			tokens, err := r.refresh(login.Tokens.RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.VerifyRefreshed(t.Context(), tokens.IDToken, login.Identity)
			if row.reason == "" && err != nil {
				t.Fatal(err)
			}
			if row.reason != "" {
				wantError(t, err, providers.NotAllowed, row.reason)
			}
		})
	}
}

// TestAccessPolicyIsAskedLast: a token that nobody signed says nothing about who
// may come in.
func TestAccessPolicyIsAskedLast(t *testing.T) {
	r := newRig(t, providertest.Config{}, func(c *providers.OIDCConfig) { c.Access.AllowedGroups = []string{"g1"} })
	r.mutateIDToken(alterSignature)
	_, err := r.attempt()
	wantError(t, err, providers.Invalid, "signature does not verify")
}
