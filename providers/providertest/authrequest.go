package providertest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authRequest is an authorization request that may be answered.
type authRequest struct {
	raw         string // as it came, for the page to bring it back
	client      Registration
	redirectURI string
	formPost    bool
	code        bool // the response brings a code
	idToken     bool // the response brings an ID token
	offline     bool // access_type=offline
	state       string
	nonce       string
	challenge   string
	scopes      []string
	prompts     []string
	resources   []string
	hint        string
	maxAge      time.Duration // negative: not asked for
}

// failure is an OAuth error on its way to the client.
type failure struct{ code, description string }

func (f *failure) params() url.Values {
	return url.Values{"error": {f.code}, "error_description": {f.description}}
}

// readRequest reads an authorization request. Without a client and a redirect
// URI to trust there is no request, only a problem to show; any other defect
// is a failure that the client is told.
func (s *Server) readRequest(params url.Values) (req *authRequest, problem string, fail *failure) {
	s.mu.Lock()
	client, known := s.clients[params.Get("client_id")]
	s.secrets.add(params.Get("state"))
	s.secrets.add(params.Get("nonce"))
	s.mu.Unlock()
	redirectURI := params.Get("redirect_uri")
	switch {
	case !known:
		return nil, "No client has this client_id.", nil
	case len(params["redirect_uri"]) != 1 || len(params["client_id"]) != 1:
		return nil, "The request needs one client_id and one redirect_uri.", nil
	case !allowed(client.RedirectURIs, redirectURI):
		return nil, "The redirect_uri is not registered for this client.", nil
	}
	req = &authRequest{
		raw: params.Encode(), client: client, redirectURI: redirectURI,
		formPost: params.Get("response_mode") == "form_post", offline: params.Get("access_type") == "offline",
		state: params.Get("state"), nonce: params.Get("nonce"), challenge: params.Get("code_challenge"),
		scopes: strings.Fields(params.Get("scope")), prompts: strings.Fields(params.Get("prompt")),
		resources: params["resource"], hint: params.Get("login_hint"), maxAge: -1,
	}
	if s.cfg.RequireConsentForOffline && !slices.Contains(req.prompts, "consent") {
		req.scopes = slices.DeleteFunc(req.scopes, func(s string) bool { return s == "offline_access" })
	}
	return req, "", s.check(req, params)
}

// check finds the first defect that the client is told of.
func (s *Server) check(req *authRequest, params url.Values) *failure {
	for name, values := range params {
		if len(values) > 1 && name != "resource" {
			return &failure{"invalid_request", name + " is there more than once"}
		}
	}
	if age := params.Get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 32)
		if err != nil {
			return &failure{"invalid_request", "max_age is not a number of seconds"}
		}
		req.maxAge = time.Duration(seconds) * time.Second
	}
	types := strings.Fields(params.Get("response_type"))
	slices.Sort(types)
	req.code, req.idToken = slices.Contains(types, "code"), slices.Contains(types, "id_token")
	supported := slices.Equal(types, []string{"code"}) ||
		s.cfg.FrontChannel && (slices.Equal(types, []string{"id_token"}) || slices.Equal(types, []string{"code", "id_token"}))
	method := params.Get("code_challenge_method")
	switch mode := params.Get("response_mode"); {
	case params.Has("request"):
		return &failure{"request_not_supported", "request objects are not supported"}
	case params.Has("request_uri"):
		return &failure{"request_uri_not_supported", "request objects are not supported"}
	case !supported:
		return &failure{"unsupported_response_type", "response_type must be code"}
	case req.idToken && (mode != "form_post" || req.nonce == ""):
		return &failure{"invalid_request", "an ID token in the response needs a nonce, and response_mode=form_post"}
	case mode != "" && mode != "query" && mode != "form_post":
		return &failure{"invalid_request", "response_mode must be query or form_post"}
	case len(req.scopes) == 0:
		return &failure{"invalid_scope", "scope is missing"}
	case req.code && req.challenge == "" && (!s.cfg.OptionalPKCE || req.client.Secret == ""):
		return &failure{"invalid_request", "code_challenge is missing"}
	case req.challenge != "" && method != "S256":
		return &failure{"invalid_request", "code_challenge_method must be S256"}
	case req.challenge != "" && len(req.challenge) != 43:
		return &failure{"invalid_request", "code_challenge is not a SHA-256 hash"}
	case slices.Contains(req.prompts, "none") && len(req.prompts) > 1:
		return &failure{"invalid_request", "prompt=none stands alone"}
	}
	return s.checkResources(req.resources)
}

func (s *Server) checkResources(resources []string) *failure {
	for _, resource := range resources {
		u, err := url.Parse(resource)
		if err != nil || !u.IsAbs() || u.Fragment != "" || len(s.cfg.Resources) > 0 && !slices.Contains(s.cfg.Resources, resource) {
			return &failure{"invalid_target", "the resource is not known"}
		}
	}
	return nil
}

// allowed reports whether a redirect may go to uri.
func allowed(registered []string, uri string) bool {
	if len(registered) > 0 {
		return slices.Contains(registered, uri)
	}
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Fragment == ""
}

// consentKey is what a person agrees to: the client, and its scopes.
func (req *authRequest) consentKey() string {
	return req.client.ID + "\n" + strings.Join(req.scopes, " ")
}
