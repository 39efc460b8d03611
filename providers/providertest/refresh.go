package providertest

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// renew trades a refresh token for fresh tokens. Everything is checked before
// the token is spent. The caller holds s.mu.
func (s *Server) renew(client Registration, form url.Values, now time.Time) (*issued, *failure) {
	t := s.state.refresh[form.Get("refresh_token")]
	switch {
	case t == nil || t.grant.client != client.ID:
		return nil, &failure{"invalid_grant", "the refresh token is unknown"}
	case !t.grant.live(now):
		return nil, &failure{"invalid_grant", "the grant was revoked"}
	case now.After(t.expires):
		return nil, &failure{"invalid_grant", "the refresh token has expired"}
	}
	scopes := t.grant.scopes
	if asked := strings.Fields(form.Get("scope")); len(asked) > 0 {
		for _, scope := range asked {
			if !slices.Contains(scopes, scope) {
				return nil, &failure{"invalid_scope", "the scope was not granted"}
			}
		}
		scopes = asked
	}
	audience, fail := s.audience(t.grant, form)
	if fail != nil {
		return nil, fail
	}
	if !s.mayUse(t, now) {
		s.stats.ReuseDetected++
		s.revokeFamily(t.grant, s.cfg.WideReuse)
		return nil, &failure{"invalid_grant", "the refresh token was used before"}
	}
	return s.rotate(t, scopes, audience, now), nil
}

// mayUse reports whether using t now is no reuse.
func (s *Server) mayUse(t *refreshToken, now time.Time) bool {
	if t.firstUse.IsZero() {
		return true
	}
	inWindow := now.Sub(t.firstUse) < s.cfg.GraceWindow // counted from the first use, so replaying does not extend it
	switch s.cfg.Rotation {
	case Graced, GracedSame:
		return inWindow
	case GracedPrevious:
		return inWindow && !slices.ContainsFunc(t.successors, func(n *refreshToken) bool { return !n.firstUse.IsZero() })
	case Reusable, ReusableRenewed:
		return true
	}
	return false
}

// rotate uses t.
func (s *Server) rotate(t *refreshToken, scopes []string, audience string, now time.Time) *issued {
	first := t.firstUse.IsZero()
	if first {
		t.firstUse = now
	}
	if last := t.answer; last != nil && s.cfg.Rotation == GracedSame &&
		last.access.audience == audience && slices.Equal(last.access.scopes, scopes) {
		return last
	}
	a := s.issue(t.grant, scopes, audience, now)
	switch {
	case s.cfg.Rotation == Reusable:
		t.expires = now.Add(s.cfg.RefreshTokenLifetime) // it lives on as long as it is used
		t.grant.expires = t.expires
	case s.cfg.Rotation == GracedSame && !first:
		a.refresh = t.answer.refresh
	default:
		a.refresh = s.mintRefresh(t.grant, now)
		t.successors = append(t.successors, a.refresh)
	}
	if first {
		t.answer = a
	}
	s.stats.Refreshed++
	return a
}
