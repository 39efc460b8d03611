package providertest

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
)

// API returns a protected resource for tests of API clients. It wants an
// access token whose audience is resource (RFC 8707), or, if that is empty, one
// that was issued for no particular resource; anything else is 401 with
// WWW-Authenticate (RFC 6750 section 3). A good token is answered with JSON:
// sub, client_id, scope, resource, token_sha256 in hex, and the method and body
// as they arrived.
func (s *Server) API(resource string) http.Handler {
	return guarded{s, Resource, func(w http.ResponseWriter, r *http.Request) {
		t := s.bearer(w, r, resource)
		if t == nil {
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		user, _ := s.lookup(t.grant.user)
		hash := sha256.Sum256([]byte(t.value))
		writeJSON(w, http.StatusOK, map[string]any{
			"sub": user.Subject, "client_id": t.grant.client, "scope": strings.Join(t.scopes, " "),
			"resource": t.audience, "token_sha256": hex.EncodeToString(hash[:]),
			"method": r.Method, "body": string(body),
		})
	}}
}
