package providertest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// GitHubConfig says which GitHub it is. The zero value is the GitHub of an
// OAuth app, at https://github.example.
type GitHubConfig struct {
	// URL is the address of the server; its API is at "/api/v3" below it.
	// Default: https://github.example.
	URL string

	// ClientID and ClientSecret are the application's registration. Default:
	// the constants of this package.
	ClientID     string
	ClientSecret string

	// Expiring makes the application a GitHub App whose user tokens expire in 8
	// hours and come with a refresh token. Scopes mean nothing to it.
	Expiring bool
}

// GitHub plays GitHub for [Social] sign-ins, with its habits: a token answer is
// a form unless JSON is asked for, errors have status 200, scopes are separated
// by commas, ids are numbers, and a refresh token takes its access token along
// when it is used.
type GitHub struct {
	*Social
	cfg  GitHubConfig
	flow codeFlow

	access  map[string]*githubToken // guarded by Social.mu, as are the codes
	refresh map[string]*githubToken
}

// githubToken is an access token and the refresh token that came with it.
type githubToken struct {
	user            string
	scopes          []string
	access, refresh string
	expires         time.Time // of the access token; zero: never
}

const (
	githubTokenLife   = 8 * time.Hour
	githubRefreshLife = 184 * 24 * time.Hour
)

// NewGitHub returns a GitHub that behaves as cfg says.
func NewGitHub(cfg GitHubConfig) *GitHub {
	cfg.URL = cmp.Or(cfg.URL, "https://github.example")
	cfg.ClientID, cfg.ClientSecret = cmp.Or(cfg.ClientID, ClientID), cmp.Or(cfg.ClientSecret, ClientSecret)
	g := &GitHub{Social: newSocial(cfg.URL), cfg: cfg, access: make(map[string]*githubToken), refresh: make(map[string]*githubToken)}
	g.secret(cfg.ClientSecret)
	g.flow = codeFlow{
		social: g.Social, clientID: cfg.ClientID, secret: cfg.ClientSecret, codes: make(map[string]*socialCode),
		denial: url.Values{"error": {"access_denied"}, "error_description": {"The user has denied your application access."}},
	}
	g.read = g.flow.read
	g.handle("GET /login/oauth/authorize", Authorization, g.authorize)
	g.handle("POST /login/oauth/access_token", Token, g.token)
	g.handle("GET /api/v3/user", UserInfo, g.user)
	g.handle("GET /api/v3/user/emails", EmailAddresses, g.emails)
	g.routes["DELETE /api/v3/applications/"+cfg.ClientID+"/token"] = guarded{g.engine, AccessRevocation, g.revoke}
	return g
}

// RevokeUser makes every token of a user invalid, as the user can in the
// settings of their account.
func (g *GitHub) RevokeUser(user string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gone := func(_ string, t *githubToken) bool { return t.user == user }
	maps.DeleteFunc(g.access, gone)
	maps.DeleteFunc(g.refresh, gone)
}

func (g *GitHub) token(w http.ResponseWriter, r *http.Request) {
	answer := g.trade(r.PostForm)
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		writeJSON(w, http.StatusOK, answer)
		return
	}
	form := url.Values{}
	for name, value := range answer {
		form.Set(name, fmt.Sprint(value))
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	fmt.Fprint(w, form.Encode())
}

// trade is an answer of the token endpoint; its status is 200 whatever it says.
func (g *GitHub) trade(form url.Values) map[string]any {
	g.secret(form.Get("code_verifier"))
	g.mu.Lock()
	defer g.mu.Unlock()
	failed := func(code, description string) map[string]any {
		return map[string]any{"error": code, "error_description": description, "error_uri": "https://docs.github.example/"}
	}
	switch {
	case !g.flow.authenticated(form):
		return failed("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.")
	case form.Get("grant_type") == grantRefresh:
		old := g.refresh[form.Get("refresh_token")]
		if old == nil {
			return failed("bad_refresh_token", "The refresh token passed is incorrect or expired.")
		}
		delete(g.refresh, old.refresh)
		delete(g.access, old.access)
		return g.issue(old.user, old.scopes)
	}
	c, known, rightURI := g.flow.redeem(form)
	switch {
	case !known:
		return failed("bad_verification_code", "The code passed is incorrect or expired.")
	case !rightURI:
		return failed("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL for this application.")
	}
	return g.issue(c.user, c.scopes)
}

// issue makes an answer with tokens. The caller holds the lock.
func (g *GitHub) issue(user string, scopes []string) map[string]any {
	t := &githubToken{user: user, scopes: scopes, access: g.secret("gho_" + rand.Text())}
	answer := map[string]any{"token_type": "bearer"}
	if g.cfg.Expiring {
		t.scopes = nil
		t.access, t.refresh = g.secret("ghu_"+rand.Text()), g.secret("ghr_"+rand.Text())
		t.expires = time.Now().Add(githubTokenLife)
		g.refresh[t.refresh] = t
		answer["refresh_token"] = t.refresh
		answer["expires_in"] = int64(githubTokenLife / time.Second)
		answer["refresh_token_expires_in"] = int64(githubRefreshLife / time.Second)
	}
	g.access[t.access] = t
	answer["access_token"], answer["scope"] = t.access, strings.Join(t.scopes, ",")
	return answer
}

// bearer returns the token of an API request, or answers 401.
func (g *GitHub) bearer(w http.ResponseWriter, r *http.Request) *githubToken {
	_, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.access[value]
	if t == nil || !t.expires.IsZero() && time.Now().After(t.expires) {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials", "status": "401"})
		return nil
	}
	return t
}

func (g *GitHub) user(w http.ResponseWriter, r *http.Request) {
	t := g.bearer(w, r)
	if t == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	person := NamedUser(t.user)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprint(w, g.profile(t.user, fmt.Sprintf(`{"login":%q,"id":%d,"node_id":"U_%s","avatar_url":"%s/u/%d","type":"User",`+
		`"site_admin":false,"name":%q,"company":null,"blog":"","email":null,"public_repos":2,"created_at":"2020-01-02T03:04:05Z"}`,
		t.user, userNumber(t.user), t.user, g.url, userNumber(t.user), person.Claims["name"])))
}

func (g *GitHub) emails(w http.ResponseWriter, r *http.Request) {
	t := g.bearer(w, r)
	if t == nil {
		return
	}
	if !g.cfg.Expiring && !slices.Contains(t.scopes, "user:email") && !slices.Contains(t.scopes, "user") {
		writeJSON(w, http.StatusNotFound, map[string]string{"message": "Not Found", "status": "404"})
		return
	}
	writeJSON(w, http.StatusOK, []map[string]any{
		{"email": fmt.Sprintf("%d+%s@users.noreply.github.example", userNumber(t.user), t.user), "primary": false, "verified": true, "visibility": nil},
		{"email": NamedUser(t.user).Claims["email"], "primary": true, "verified": true, "visibility": "private"},
	})
}

// revoke deletes one access token, for the application that it was issued to.
func (g *GitHub) revoke(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if id != g.cfg.ClientID || secret != g.cfg.ClientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]string{"message": "Requires authentication", "status": "401"})
		return
	}
	var body struct {
		AccessToken string `json:"access_token"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm)).Decode(&body) != nil || body.AccessToken == "" {
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"message": "Validation Failed", "status": "422"})
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.access[body.AccessToken] == nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"message": "Not Found", "status": "404"})
		return
	}
	delete(g.access, body.AccessToken)
	w.WriteHeader(http.StatusNoContent)
}
