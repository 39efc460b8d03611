package providertest

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// TwitterConfig says which X, formerly Twitter, it is. The zero value is one at
// https://twitter.example.
type TwitterConfig struct {
	// URL is the address of the API, and of the page where people sign in.
	// Default: https://twitter.example.
	URL string

	// ConsumerKey and ConsumerSecret are the application's registration.
	// Default: the constants of this package.
	ConsumerKey    string
	ConsumerSecret string
}

// Twitter plays X for [Social] sign-ins: OAuth 1.0a with its signatures, nonces
// and timestamps checked (RFC 5849), and X's habits: answers with tokens are
// forms, whatever their content type says, a user has one and the same token at
// every sign-in, and a refusal comes back as the parameter denied.
type Twitter struct {
	*Social
	cfg TwitterConfig

	requests map[string]*twitterRequest // guarded by Social.mu
	tokens   map[string]*twitterToken
	nonces   map[string]bool
}

// twitterRequest is a request token.
type twitterRequest struct {
	secret   string
	callback string
	verifier string
	user     string // who authorized it; empty: nobody yet
}

type twitterToken struct {
	consumer string
	secret   string
	user     string
	revoked  bool
}

// NewTwitter returns a Twitter that behaves as cfg says.
func NewTwitter(cfg TwitterConfig) *Twitter {
	cfg.URL = cmp.Or(cfg.URL, "https://twitter.example")
	cfg.ConsumerKey, cfg.ConsumerSecret = cmp.Or(cfg.ConsumerKey, ClientID), cmp.Or(cfg.ConsumerSecret, ClientSecret)
	t := &Twitter{
		Social: newSocial(cfg.URL), cfg: cfg,
		requests: make(map[string]*twitterRequest), tokens: make(map[string]*twitterToken), nonces: make(map[string]bool),
	}
	t.secret(cfg.ConsumerSecret)
	t.read = t.consent
	t.handle("POST /oauth/request_token", RequestTokens, t.requestToken)
	t.handle("GET /oauth/authenticate", Authorization, t.authorize)
	t.handle("GET /oauth/authorize", Authorization, t.authorize)
	t.handle("POST /oauth/access_token", Token, t.accessToken)
	t.handle("GET /1.1/account/verify_credentials.json", UserInfo, t.verifyCredentials)
	return t
}

// Token returns the access token of user and its secret, as a mobile application
// of this registration gets them.
func (t *Twitter) Token(user string) (token, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mint(t.cfg.ConsumerKey, user)
}

// ForeignToken returns what Token does, issued to another application.
func (t *Twitter) ForeignToken(user string) (token, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mint("another-application", user)
}

// RevokeUser makes the token of a user invalid, as the user can in the settings
// of their account.
func (t *Twitter) RevokeUser(user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, token := range t.tokens {
		token.revoked = token.revoked || token.user == user
	}
}

// mint returns the token that a user has at an application. The caller holds
// the lock.
func (t *Twitter) mint(consumer, user string) (value, secret string) {
	for value, token := range t.tokens {
		if token.consumer == consumer && token.user == user && !token.revoked {
			return value, token.secret
		}
	}
	value, secret = t.secret(t.UserID(user)+"-"+rand.Text()), t.secret(rand.Text())
	t.tokens[value] = &twitterToken{consumer: consumer, secret: secret, user: user}
	return value, secret
}

func (t *Twitter) requestToken(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	params, ok := t.signed(w, r, func(token string) (string, bool) { return "", token == "" })
	if !ok {
		return
	}
	callback, err := url.Parse(params.Get("oauth_callback"))
	if err != nil || !callback.IsAbs() {
		twitterFailed(w, http.StatusForbidden, 415, "Callback URL not approved for this client application.")
		return
	}
	t.secret(callback.Query().Get("state"))
	value, secret := t.secret("req_"+rand.Text()), t.secret(rand.Text())
	t.requests[value] = &twitterRequest{secret: secret, callback: callback.String()}
	writeForm(w, url.Values{"oauth_token": {value}, "oauth_token_secret": {secret}, "oauth_callback_confirmed": {"true"}})
}

// consent is Social.read.
func (t *Twitter) consent(q url.Values) (*consent, string) {
	value := q.Get("oauth_token")
	t.mu.Lock()
	defer t.mu.Unlock()
	request := t.requests[value]
	if request == nil || request.user != "" {
		return nil, "There is no request token for this page. That's the special key we need from applications asking to use your account."
	}
	return &consent{
		client: t.cfg.ConsumerKey, redirectURI: request.callback,
		deny: func() url.Values { return url.Values{"denied": {value}} },
		grant: func(user string) url.Values {
			t.mu.Lock()
			defer t.mu.Unlock()
			request.user, request.verifier = user, t.secret(rand.Text())
			return url.Values{"oauth_token": {value}, "oauth_verifier": {request.verifier}}
		},
	}, ""
}

func (t *Twitter) accessToken(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	params, ok := t.signed(w, r, func(token string) (string, bool) {
		request := t.requests[token]
		if request == nil || request.user == "" {
			return "", false
		}
		return request.secret, true
	})
	if !ok {
		return
	}
	value := params.Get("oauth_token")
	request := t.requests[value]
	if params.Get("oauth_verifier") != request.verifier {
		twitterFailed(w, http.StatusUnauthorized, 32, "Could not authenticate you.")
		return
	}
	delete(t.requests, value)
	token, secret := t.mint(t.cfg.ConsumerKey, request.user)
	writeForm(w, url.Values{
		"oauth_token": {token}, "oauth_token_secret": {secret}, "user_id": {t.UserID(request.user)}, "screen_name": {request.user},
	})
}

func (t *Twitter) verifyCredentials(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	params, ok := t.signed(w, r, func(value string) (string, bool) {
		token := t.tokens[value]
		if token == nil || token.revoked || token.consumer != t.cfg.ConsumerKey {
			return "", false
		}
		return token.secret, true
	})
	if !ok {
		return
	}
	user := t.tokens[params.Get("oauth_token")].user
	name := NamedUser(user).Claims["name"]
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprint(w, t.profile(user, fmt.Sprintf(`{"id":%s,"id_str":%q,"name":%q,"screen_name":%q,"location":"","description":"About %s",`+
		`"url":null,"protected":false,"verified":false,"utc_offset":null,"time_zone":null,"lang":null,"profile_image_url_https":"%s/i/%s.png"}`,
		t.UserID(user), t.UserID(user), name, user, user, t.url, user)))
}

// signed checks the signature of a request and returns its parameters, or
// answers 401. secretOf tells the secret of the token that signed it, and
// whether there is such a token. The caller holds the lock.
func (t *Twitter) signed(w http.ResponseWriter, r *http.Request, secretOf func(token string) (string, bool)) (url.Values, bool) {
	refused := func(code int, message string) (url.Values, bool) {
		twitterFailed(w, http.StatusUnauthorized, code, message)
		return nil, false
	}
	oauth, ok := oauth1Header(r.Header.Get("Authorization"))
	if !ok {
		return refused(215, "Bad Authentication data.")
	}
	secret, known := secretOf(oauth.Get("oauth_token"))
	nonce := oauth.Get("oauth_timestamp") + " " + oauth.Get("oauth_nonce")
	switch {
	case oauth.Get("oauth_consumer_key") != t.cfg.ConsumerKey:
		return refused(32, "Could not authenticate you.")
	case !known:
		return refused(89, "Invalid or expired token.")
	case !oauth1Signed(t.url, r, oauth, t.cfg.ConsumerSecret, secret):
		return refused(32, "Could not authenticate you.")
	case !oauth1Recent(oauth.Get("oauth_timestamp"), time.Now()):
		return refused(135, "Timestamp out of bounds.")
	case oauth.Get("oauth_nonce") == "" || t.nonces[nonce]:
		return refused(32, "Could not authenticate you.")
	}
	t.nonces[nonce] = true
	return oauth, true
}

// twitterFailed answers as the API refuses.
func twitterFailed(w http.ResponseWriter, status, code int, message string) {
	writeJSON(w, status, map[string]any{"errors": []map[string]any{{"code": code, "message": message}}})
}

// writeForm answers with tokens, under the content type that X sends them with.
func writeForm(w http.ResponseWriter, form url.Values) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, form.Encode())
}
