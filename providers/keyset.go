package providers

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

// maxAttempts bounds the signatures tried for one token (docs/threats.md G10).
const maxAttempts = 10

var errSignature = errors.New("signature does not verify with any published key")

// keySet is the provider's published keys.
type keySet struct {
	published fetched[[]key]
	issuers   func() issuers // whom keys can be bound to
}

// verify checks the token's signature and returns the signed payload. Keys are
// fetched when there are none, and again, at most once a minute, when none of
// them verifies the token: the provider may have new ones (OpenID Connect Core
// 10.1.1). The caller has checked the claims, so that garbage costs no fetch
// (docs/threats.md G8).
func (s *keySet) verify(ctx context.Context, token jwt) ([]byte, error) {
	keys, version, err := s.published.load(ctx)
	for err == nil {
		for _, k := range s.candidates(keys, token) {
			if payload, err := verifySignature(k.public, token); err == nil {
				return payload, nil
			}
		}
		seen := version
		if keys, version, err = s.published.renew(ctx, seen); err == nil && version == seen {
			return nil, errSignature
		}
	}
	return nil, err
}

// candidates are the keys that may have signed the token.
func (s *keySet) candidates(keys []key, token jwt) []key {
	var fit []key
	for _, k := range keys {
		if k.keyType == algorithms[token.alg].keyType &&
			(k.alg == "" || k.alg == token.alg) &&
			(token.kid == "" || k.id == token.kid) &&
			s.bound(k, token) {
			fit = append(fit, k)
		}
	}
	return fit[:min(len(fit), maxAttempts)]
}

// bound reports whether the key may sign for the token's issuer. Entra ID
// publishes the keys of other tenants and clouds in one set with a tenant's own,
// each with the issuer it is for; without the comparison one signs for another.
// That the token's issuer is the provider's has been found out before, so that
// another spelling of it on the key is as good.
func (s *keySet) bound(k key, token jwt) bool {
	tid := token.claims.String("tid")
	return k.issuer == "" || s.issuers().spells(ofTenant(k.issuer, tid), tid)
}

func verifySignature(key any, token jwt) ([]byte, error) {
	jws, err := jose.ParseSignedCompact(token.raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(token.alg)})
	if err != nil {
		return nil, err
	}
	return jws.Verify(key)
}

// fetchKeys reads the key set at the address that discovery told.
func (p *OIDC) fetchKeys(ctx context.Context) ([]key, *Error) {
	meta, failure := p.metadata(ctx, "verify")
	if failure != nil {
		return nil, failure
	}
	body, failure := p.document(ctx, "verify", meta.keysURL)
	if failure != nil {
		return nil, failure
	}
	keys, err := parseKeys(body)
	if err != nil {
		return nil, p.refused("verify", Unready, err)
	}
	return keys, nil
}

// document reads a public document of the provider.
func (p *OIDC) document(ctx context.Context, op, address string) ([]byte, *Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, p.refused(op, Misconfigured, errors.New("the document's address is unusable"))
	}
	req.Header.Set("Accept", "application/json")
	ans, err := p.wire.do(req)
	if err != nil {
		return nil, p.refused(op, Unready, err)
	}
	if ans.status != http.StatusOK {
		wait, _ := retryAfter(ans.header)
		return nil, &Error{Provider: p.cfg.Name, Op: op, Kind: Unready, Status: ans.status, RetryAfter: wait}
	}
	return ans.body, nil
}
