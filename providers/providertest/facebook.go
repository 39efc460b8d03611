package providertest

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// FacebookConfig says which Facebook it is. The zero value is one at
// https://facebook.example.
type FacebookConfig struct {
	// URL is the address of both the sign-in dialog and the Graph API.
	// Default: https://facebook.example.
	URL string

	// AppID and AppSecret are the application's registration. Default: the
	// constants of this package.
	AppID     string
	AppSecret string
}

// Facebook plays Facebook for [Social] sign-ins, with its habits: tokens live
// two hours until they are exchanged for ones of 60 days, errors are objects
// with numbers, a profile has only those fields that were asked for and, for
// some, permitted, a call without the proof of the app secret is refused, and so
// is a field that it does not know.
type Facebook struct {
	*Social
	cfg  FacebookConfig
	flow codeFlow

	tokens map[string]*facebookToken // guarded by Social.mu, as are the codes
}

type facebookToken struct {
	app     string
	user    string
	scopes  []string
	expires time.Time
}

const (
	facebookShortLife = 2 * time.Hour
	facebookLongLife  = 60 * 24 * time.Hour
)

// NewFacebook returns a Facebook that behaves as cfg says.
func NewFacebook(cfg FacebookConfig) *Facebook {
	cfg.URL = cmp.Or(cfg.URL, "https://facebook.example")
	cfg.AppID, cfg.AppSecret = cmp.Or(cfg.AppID, ClientID), cmp.Or(cfg.AppSecret, ClientSecret)
	f := &Facebook{Social: newSocial(cfg.URL), cfg: cfg, tokens: make(map[string]*facebookToken)}
	f.secret(cfg.AppSecret)
	f.flow = codeFlow{
		social: f.Social, clientID: cfg.AppID, secret: cfg.AppSecret, codes: make(map[string]*socialCode),
		denial: url.Values{"error": {"access_denied"}, "error_code": {"200"}, "error_reason": {"user_denied"}, "error_description": {"Permissions error"}},
	}
	f.read = f.flow.read
	f.trim = func(path string) string { return graphVersion.ReplaceAllString(path, "/") }
	f.refine = func(route string, r *http.Request) string {
		if route == "POST /oauth/access_token" && r.FormValue("grant_type") == "fb_exchange_token" {
			return route + " exchange"
		}
		return route
	}
	f.handle("GET /dialog/oauth", Authorization, f.authorize)
	f.handle("POST /oauth/access_token", Token, f.code)
	f.handle("POST /oauth/access_token exchange", TokenExchange, f.exchange)
	f.handle("GET /debug_token", TokenInspection, f.inspect)
	f.handle("GET /me", UserInfo, f.me)
	return f
}

// Token returns an access token of user, as Facebook's SDK in a mobile
// application of this registration gets one.
func (f *Facebook) Token(user string, scopes ...string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mint(f.cfg.AppID, user, scopes, facebookShortLife)
}

// ForeignToken returns an access token of user that was issued to another
// application.
func (f *Facebook) ForeignToken(user string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mint("another-application", user, nil, facebookShortLife)
}

// RevokeUser makes every token of a user invalid, as a change of their password
// does.
func (f *Facebook) RevokeUser(user string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tokens {
		if t.user == user {
			t.expires = time.Time{}
		}
	}
}

// graphVersion begins every path; all versions are served alike.
var graphVersion = regexp.MustCompile(`^/v[0-9]+\.[0-9]+/`)

// mint makes a token. The caller holds the lock.
func (f *Facebook) mint(app, user string, scopes []string, life time.Duration) string {
	value := f.secret("EAA" + rand.Text())
	f.tokens[value] = &facebookToken{app: app, user: user, scopes: slices.Clone(scopes), expires: time.Now().Add(life)}
	return value
}

func (f *Facebook) code(w http.ResponseWriter, r *http.Request) {
	f.secret(r.PostForm.Get("code_verifier"))
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.flow.authenticated(r.PostForm) {
		graphFailed(w, 1, 0, "Error validating client secret.")
		return
	}
	c, known, rightURI := f.flow.redeem(r.PostForm)
	switch {
	case !known:
		graphFailed(w, 100, 36009, "This authorization code has been used.")
	case !rightURI:
		graphFailed(w, 100, 36008, "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request")
	default:
		f.writeToken(w, c.user, c.scopes, facebookShortLife)
	}
}

func (f *Facebook) exchange(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.valid(r.PostForm.Get("fb_exchange_token"))
	switch {
	case !f.flow.authenticated(r.PostForm):
		graphFailed(w, 1, 0, "Error validating client secret.")
	case t == nil || t.app != f.cfg.AppID:
		graphFailed(w, 190, 0, "Error validating access token.")
	default:
		f.writeToken(w, t.user, t.scopes, facebookLongLife)
	}
}

// writeToken answers with a new token. The caller holds the lock.
func (f *Facebook) writeToken(w http.ResponseWriter, user string, scopes []string, life time.Duration) {
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": f.mint(f.cfg.AppID, user, scopes, life), "token_type": "bearer", "expires_in": int64(life / time.Second),
	})
}

// valid returns a token that is good now. The caller holds the lock.
func (f *Facebook) valid(value string) *facebookToken {
	if t := f.tokens[value]; t != nil && time.Now().Before(t.expires) {
		return t
	}
	return nil
}

func (f *Facebook) inspect(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bearerOf(r) != f.cfg.AppID+"|"+f.cfg.AppSecret {
		graphFailed(w, 190, 0, "Invalid OAuth access token signature.")
		return
	}
	value := r.Form.Get("input_token")
	t := f.tokens[value]
	switch {
	case t == nil:
		writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
			"error": map[string]any{"code": 190, "message": "Invalid OAuth access token."}, "is_valid": false, "scopes": []string{},
		}})
	case t.app != f.cfg.AppID:
		graphFailed(w, 100, 0, "(#100) The App_id in the input_token did not match the Viewing App")
	default:
		writeJSON(w, http.StatusOK, map[string]any{"data": map[string]any{
			"app_id": t.app, "type": "USER", "application": "Test", "expires_at": t.expires.Unix(), "is_valid": f.valid(value) != nil,
			"scopes": t.scopes, "user_id": f.UserID(t.user),
		}})
	}
}

// facebookPermissions are what the fields of a profile need that not everybody
// may read.
var facebookPermissions = map[string]string{"email": "email", "link": "user_link", "gender": "user_gender"}

func (f *Facebook) me(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value := bearerOf(r)
	mac := hmac.New(sha256.New, []byte(f.cfg.AppSecret))
	mac.Write([]byte(value))
	t := f.valid(value)
	switch {
	case t == nil:
		graphFailed(w, 190, 463, "Error validating access token: Session has expired.")
		return
	case r.Form.Get("appsecret_proof") != hex.EncodeToString(mac.Sum(nil)):
		graphFailed(w, 100, 0, "Invalid appsecret_proof provided in the API argument")
		return
	}
	name := NamedUser(t.user).Claims["name"]
	object := f.profile(t.user, fmt.Sprintf(`{"id":%q,"name":%q,"first_name":%q,"last_name":"Example",`+
		`"link":"%s/%s","gender":"female","email":%q}`, f.UserID(t.user), fmt.Sprint(name, " Example"), name, f.url, t.user, t.user+"@example.com"))
	var profile map[string]json.RawMessage
	if json.Unmarshal([]byte(object), &profile) != nil { // a test's own idea of an answer
		fmt.Fprint(w, object)
		return
	}
	var members []string
	for _, field := range strings.Split(r.Form.Get("fields"), ",") {
		raw, known := profile[field]
		switch permission := facebookPermissions[field]; {
		case permission != "" && !slices.Contains(t.scopes, permission):
		case !known && permission == "" && !slices.Contains([]string{"id", "name", "first_name", "last_name"}, field):
			graphFailed(w, 100, 0, "(#100) Tried accessing nonexisting field ("+field+") on node type (User)")
			return
		case known:
			members = append(members, fmt.Sprintf("%q:%s", field, raw))
		}
	}
	var body bytes.Buffer
	fmt.Fprintf(&body, "{%s}", strings.Join(members, ","))
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.Write(body.Bytes())
}

// graphFailed answers as the Graph API refuses.
func graphFailed(w http.ResponseWriter, code, subcode int, message string) {
	failure := map[string]any{"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A" + rand.Text()[:10]}
	if subcode != 0 {
		failure["error_subcode"] = subcode
	}
	writeJSON(w, http.StatusBadRequest, map[string]any{"error": failure})
}

func bearerOf(r *http.Request) string {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return value
}
