package providertest

import (
	"encoding/json"
	"net/http"
)

// discovery serves the metadata (OpenID Connect Discovery 4).
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	responseTypes, grantTypes := []string{"code"}, []string{"authorization_code", "refresh_token"}
	if s.cfg.FrontChannel {
		responseTypes = append(responseTypes, "id_token", "code id_token")
	}
	if s.cfg.PasswordGrant {
		grantTypes = append(grantTypes, grantPasswd)
	}
	doc := map[string]any{
		"issuer":                                         s.cfg.Issuer,
		"authorization_endpoint":                         s.endpoint("/authorize"),
		"token_endpoint":                                 s.endpoint("/token"),
		"userinfo_endpoint":                              s.endpoint("/userinfo"),
		"jwks_uri":                                       s.endpoint("/jwks"),
		"revocation_endpoint":                            s.endpoint("/revoke"),
		"end_session_endpoint":                           s.endpoint("/logout"),
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"response_types_supported":                       responseTypes,
		"response_modes_supported":                       []string{"query", "form_post"},
		"grant_types_supported":                          grantTypes,
		"subject_types_supported":                        []string{"public"},
		"id_token_signing_alg_values_supported":          []string{s.cfg.Algorithm},
		"scopes_supported":                               []string{"openid", "profile", "email", "address", "phone", "offline_access"},
		"claims_supported":                               []string{"sub", "name", "preferred_username", "email", "email_verified"},
		"token_endpoint_auth_methods_supported":          s.authMethods(),
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"prompt_values_supported":                        []string{"none", "login", "consent", "select_account"},
	}
	if mutate := s.mutation().Discovery; mutate != nil {
		mutate(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

// jwks serves the public keys.
func (s *Server) jwks(w http.ResponseWriter, r *http.Request) {
	keys := []any{}
	for _, k := range s.keys.published() {
		keys = append(keys, k.jwk())
	}
	doc := map[string]any{"keys": keys}
	if mutate := s.mutation().JWKS; mutate != nil {
		mutate(doc)
	}
	writeJSON(w, http.StatusOK, doc)
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic("providertest: answer: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body)
}

// oauthError answers with an OAuth error (RFC 6749 section 5.2). description
// says to the person who writes the client what to change.
func oauthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
