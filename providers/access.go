package providers

import (
	"cmp"
	"errors"
	"slices"
)

// AccessPolicy says which of a provider's users may come in, and by which of its
// clients. Values are compared exactly, and an empty list asks nothing. All of
// the properties have to be fulfilled; between AllowedGroups and
// AllowedIdentities one is enough. It holds for every way to come in, and again
// at every refresh that brings an ID token: who has left the group is out then.
// It is what an App Service auth.json calls defaultAuthorizationPolicy and
// jwtClaimChecks.
type AccessPolicy struct {
	AllowedGroups        []string // groups, of which the user is in one
	AllowedIdentities    []string // or users, by subject, or by object id at Entra ID
	AllowedApplications  []string // clients that the token was issued to: its azp or appid
	RequiredGroups       []string // groups, of which the user is in one, whatever else lets them in
	RequiredApplications []string // clients, whatever else lets them in
}

var (
	errGroup        = errors.New("the user is in none of the allowed groups")
	errGroupsUntold = errors.New("the token leaves out the user's groups because they are too many: " +
		"have the provider list only the groups that are assigned to the application")
	errIdentity    = errors.New("the user is none of the allowed ones")
	errApplication = errors.New("the token was issued to an application that is not allowed")
)

// check decides about the user principal, who came by an application.
func (a AccessPolicy) check(c Claims, principal, application string) error {
	switch {
	case len(a.RequiredApplications) > 0 && !slices.Contains(a.RequiredApplications, application),
		len(a.AllowedApplications) > 0 && !slices.Contains(a.AllowedApplications, application):
		return errApplication
	case len(a.RequiredGroups) > 0 && !inOne(c, a.RequiredGroups):
		return noGroup(c)
	case len(a.AllowedGroups) == 0 && len(a.AllowedIdentities) == 0,
		slices.Contains(a.AllowedIdentities, principal),
		inOne(c, a.AllowedGroups):
		return nil
	case len(a.AllowedGroups) == 0:
		return errIdentity
	}
	return noGroup(c)
}

func inOne(c Claims, groups []string) bool {
	return slices.ContainsFunc(c.Strings("groups"), func(g string) bool { return slices.Contains(groups, g) })
}

// noGroup tells a user who is not in the group from one of whom the token does
// not say it: Entra ID then points to where the groups could be asked for.
func noGroup(c Claims) error {
	if pointers, err := ParseClaims(c.Raw("_claim_names")); c.Has("hasgroups") || err == nil && pointers.Has("groups") {
		return errGroupsUntold
	}
	return errGroup
}

func (a AccessPolicy) clone() AccessPolicy {
	return AccessPolicy{
		AllowedGroups:        slices.Clone(a.AllowedGroups),
		AllowedIdentities:    slices.Clone(a.AllowedIdentities),
		AllowedApplications:  slices.Clone(a.AllowedApplications),
		RequiredGroups:       slices.Clone(a.RequiredGroups),
		RequiredApplications: slices.Clone(a.RequiredApplications),
	}
}

// admit refuses somebody who is known, and may not come in.
func (p *OIDC) admit(c Claims, application string) error {
	principal := c.String(cmp.Or(p.cfg.Quirks.PrincipalClaim, "sub"))
	if err := p.cfg.Access.check(c, principal, application); err != nil {
		return p.refused("verify", NotAllowed, err)
	}
	return nil
}

// application is the client that an access token was issued to, as Entra ID 2.0,
// 1.0, RFC 9068 and Okta name it.
func application(c Claims) string {
	return cmp.Or(c.String("azp"), c.String("appid"), c.String("client_id"), c.String("cid"))
}
