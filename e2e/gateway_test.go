package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/e2e/internal/parts"
)

var buildGateway = builder("gateway", filepath.Join("..", "examples"), "./gateway")

// The application behind the gateway once in each language. It knows nothing of
// signing in, and reads the headers that App Service sets.
func TestAnApplicationInAnyLanguageBehindTheGateway(t *testing.T) {
	for name, interpreter := range map[string]func(testing.TB) string{
		"app.py":  parts.Python.Need,
		"app.mjs": parts.Node.Need,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := startGateway(t, interpreter(t), name)
			t.Run("its headers", g.tellsWhoIsSignedIn)
			t.Run("its doors", g.keepsStrangersOut)
			t.Run("its answers", g.leavesAnswersAlone)
			t.Run("a program", g.letsAProgramIn)
			t.Run("the end", g.signsOut)
		})
	}
}

// In a real browser, whose rules for cookies and forms no test kit has.
func TestPersonSignsInThroughTheGateway(t *testing.T) {
	t.Parallel()
	c := startChromium(t)
	g := startGateway(t, parts.Python.Need(t), "app.py")
	for i, row := range []struct{ open, ends, idp string }{
		{"/orders?x=1", "/orders?x=1", "aad"},
		{"/.auth/login/github?post_login_redirect_uri=/repositories", "/repositories", "github"},
	} {
		c.Visit(g.URL + row.open)
		c.Type("#user", "ada")
		c.Screenshot(fmt.Sprintf("%d-%s", 2*i+1, row.idp))
		c.Click("button[value=allow]")
		eventually(t, patience, func() bool { return c.Location() == g.URL+row.ends })
		c.Screenshot(fmt.Sprintf("%d-signed-in", 2*i+2))
		if text := c.Text("body"); !strings.Contains(text, `"X-MS-CLIENT-PRINCIPAL-IDP": "`+row.idp+`"`) {
			t.Errorf("signed in with %s, the application shows %s", row.idp, text)
		}
	}
	c.Visit(g.URL + "/signout")
	eventually(t, patience, func() bool { return strings.HasPrefix(c.Location(), g.URL+"/.auth/logout/complete") })
}

// gateway is the example's real binary in front of an application, both running.
type gateway struct {
	URL     string
	logs    logs
	jars    []*visitor
	secrets []string // that the application was told
}

// Secrets are the tokens that must not be in the log.
func (g *gateway) Secrets() []string { return g.secrets }

// startGateway runs both, with the auth.json of the application and the
// development provider, and waits until the application answers through it.
func startGateway(t *testing.T, interpreter, application string) *gateway {
	t.Helper()
	dir := filepath.Join("testdata", "gateway")
	upstream, addr := freeAddr(t), freeAddr(t)
	g := &gateway{URL: "http://" + addr}
	g.run(t, interpreter, filepath.Join(dir, application), upstream[strings.LastIndexByte(upstream, ':')+1:])
	g.run(t, buildGateway(t), "-dev", "-v", "-config", filepath.Join(dir, "auth.json"),
		"-upstream", "http://"+upstream, "-addr", addr, "-store", "sqlite:"+filepath.Join(t.TempDir(), "sessions.db"))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("gateway and application wrote:\n%s", g.logs.String())
		}
	})
	eventually(t, 20*time.Second, func() bool {
		resp, err := http.Get(g.URL + "/public/health")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return g
}

// run runs a program until the test ends.
func (g *gateway) run(t *testing.T, program string, args ...string) {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &g.logs, &g.logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
}

// told is what the application tells of a request.
type told struct {
	Path, Host, Cookie string
	Received           int
	Principal          *struct {
		AuthTyp string `json:"auth_typ"`
		NameTyp string `json:"name_typ"`
		Claims  []struct{ Typ, Val string }
	}
	Headers map[string]string
}

// SignedIn is a visitor who opened a page of the application and had to sign in.
func (g *gateway) SignedIn(t *testing.T, name string) *visitor {
	t.Helper()
	v := newVisitor(t)
	g.jars = append(g.jars, v)
	p := v.read(v.SignIn(g.URL+"/orders?x=1", name))
	if p.Status != http.StatusOK || p.URL.String() != g.URL+"/orders?x=1" {
		t.Fatalf("signing in ends with %d at %s: %s", p.Status, p.URL, p.Text)
	}
	return v
}

func (g *gateway) tellsWhoIsSignedIn(t *testing.T) {
	v := g.SignedIn(t, "ada")
	for header, value := range map[string]string{"X-MS-CLIENT-PRINCIPAL-NAME": "root", "X_MS_CLIENT_PRINCIPAL_ID": "root", "X-MS-TOKEN-TWITTER-ACCESS-TOKEN": "root"} {
		var app told
		p := v.with(http.MethodGet, g.URL+"/whoami", "", map[string]string{header: value})
		p.mustDecode(t, &app)
		for name, got := range app.Headers {
			if strings.Contains(got, "root") {
				t.Errorf("%s: %s is believed by the application as %s", header, value, name)
			}
		}
		named := 0
		if app.Principal == nil {
			t.Fatalf("the application knows nobody: %s", p.Text)
		}
		for _, claim := range app.Principal.Claims {
			if claim.Typ == app.Principal.NameTyp && claim.Val == "ada@example.com" {
				named++
			}
		}
		if app.Principal.AuthTyp != "aad" || named != 1 || app.Headers["X-MS-CLIENT-PRINCIPAL-IDP"] != "aad" || app.Headers["X-MS-CLIENT-PRINCIPAL-NAME"] != "ada@example.com" {
			t.Errorf("the application is told %s", p.Text)
		}
		if app.Host != strings.TrimPrefix(g.URL, "http://") || app.Headers["X-FORWARDED-PROTO"] != "http" || app.Headers["X-FORWARDED-FOR"] != "127.0.0.1" {
			t.Errorf("the application takes itself to be elsewhere: %s", p.Text)
		}
		if session := v.Cookies(g.URL)[0]; app.Cookie != session.Name+"="+session.Value {
			t.Errorf("the session cookie does not reach the application: %q", app.Cookie)
		}
	}
	var me []struct {
		Provider    string `json:"provider_name"`
		User        string `json:"user_id"`
		AccessToken string `json:"access_token"`
	}
	v.Ask(g.URL+"/.auth/me").mustDecode(t, &me)
	if len(me) != 1 || me[0].Provider != "aad" || me[0].User != "ada@example.com" || me[0].AccessToken == "" {
		t.Errorf("/.auth/me tells %+v", me)
	}

	// A refresh gives the application a new access token.
	var before, after told
	v.Ask(g.URL+"/whoami").mustDecode(t, &before)
	pass(t, justRenewed)
	if p := v.Ask(g.URL + "/.auth/refresh"); p.Status != http.StatusOK {
		t.Errorf("a refresh answers %d: %s", p.Status, p.Text)
	}
	v.Ask(g.URL+"/whoami").mustDecode(t, &after)
	const token = "X-MS-TOKEN-AAD-ACCESS-TOKEN"
	if after.Headers[token] == "" || after.Headers[token] == before.Headers[token] {
		t.Error("refreshed, and the application is told of the same access token")
	}
	for _, kind := range []string{"ACCESS-TOKEN", "ID-TOKEN", "REFRESH-TOKEN"} {
		g.secrets = append(g.secrets, before.Headers["X-MS-TOKEN-AAD-"+kind], after.Headers["X-MS-TOKEN-AAD-"+kind])
	}
}

func (g *gateway) keepsStrangersOut(t *testing.T) {
	stranger := newVisitor(t)
	if p := stranger.Step(g.URL + "/orders"); p.Status != http.StatusFound || !strings.Contains(p.Header.Get("Location"), "/.auth/login/aad") {
		t.Errorf("a stranger who opens a page is answered %d, Location %q", p.Status, p.Header.Get("Location"))
	}
	api := stranger.Ask(g.URL + "/api/orders")
	if api.Status != http.StatusUnauthorized || !strings.HasPrefix(api.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("a stranger's script is answered %d, %q", api.Status, api.Header.Get("WWW-Authenticate"))
	}
	var app told
	p := stranger.with(http.MethodGet, g.URL+"/public/health", "", map[string]string{"X-MS-CLIENT-PRINCIPAL-NAME": "root"})
	p.mustDecode(t, &app)
	if p.Status != http.StatusOK || app.Principal != nil || app.Headers["X-MS-CLIENT-PRINCIPAL-NAME"] != "" {
		t.Errorf("an excluded path answers a stranger %d: %s", p.Status, p.Text)
	}
	for _, path := range []string{"/public/../orders", "/public/%2e%2e/orders", "/orders?x=/public/a", "/public%2f..%2forders", "/publicity"} { // PTH3, PTH4, PTH8
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Opaque = path // as it stands
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode < 400 {
			t.Errorf("%s answers a stranger %d", path, resp.StatusCode)
		}
	}

	ada := g.SignedIn(t, "ada")
	app = told{}
	ada.Ask(g.URL+"/public/health").mustDecode(t, &app)
	if app.Headers["X-MS-CLIENT-PRINCIPAL-NAME"] != "ada@example.com" { // PTH9
		t.Errorf("on an excluded path she is %q", app.Headers["X-MS-CLIENT-PRINCIPAL-NAME"])
	}
	if p := ada.with(http.MethodPost, g.URL+"/api/orders", "order", map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}); p.Status != http.StatusForbidden {
		t.Errorf("another site posts with her cookie: %d", p.Status)
	}
	if p := ada.with(http.MethodPost, g.URL+"/api/orders", "order", nil); p.Status != http.StatusOK {
		t.Errorf("her own page posts: %d: %s", p.Status, p.Text)
	}
}

func (g *gateway) leavesAnswersAlone(t *testing.T) {
	v := g.SignedIn(t, "ada")
	var app told
	p := v.Visit(g.URL + "/begin")
	p.mustDecode(t, &app)
	if app.Path != "/whoami?from=begin" || !strings.Contains(app.Cookie, "seen=") || p.URL.String() != g.URL+app.Path {
		t.Errorf("the application's redirect and cookie end at %s: %s", p.URL, p.Text)
	}
	if p := v.Ask(g.URL + "/events"); p.Text != "data: 0\n\ndata: 1\n\ndata: 2\n\n" {
		t.Errorf("its events are %q", p.Text)
	}
	const size = 5 << 20
	v.with(http.MethodPost, g.URL+"/upload", strings.Repeat("x", size), nil).mustDecode(t, &app)
	if app.Received != size {
		t.Errorf("of %d bytes %d arrive", size, app.Received)
	}
}

// letsAProgramIn calls the API as a mobile client does, with a session token.
func (g *gateway) letsAProgramIn(t *testing.T) {
	var login struct {
		Token string `json:"authenticationToken"`
	}
	g.SignedIn(t, "ada").Ask(g.URL+"/.auth/refresh").mustDecode(t, &login)
	if login.Token == "" {
		t.Fatal("a refresh gives no session token")
	}
	g.secrets = append(g.secrets, login.Token)
	var app told
	newVisitor(t).with(http.MethodPost, g.URL+"/api/orders", "order", map[string]string{"X-ZUMO-AUTH": login.Token}).mustDecode(t, &app)
	if app.Headers["X-MS-CLIENT-PRINCIPAL-NAME"] != "ada@example.com" || app.Headers["X-ZUMO-AUTH"] != login.Token {
		t.Errorf("the application is told %+v", app)
	}
	if p := newVisitor(t).with(http.MethodGet, g.URL+"/api/orders", "", map[string]string{"X-ZUMO-AUTH": login.Token + "x"}); p.Status != http.StatusUnauthorized {
		t.Errorf("a token that was changed is answered %d", p.Status)
	}
}

func (g *gateway) signsOut(t *testing.T) {
	for _, path := range []string{"/.auth/logout", "/signout"} {
		v := g.SignedIn(t, "ada")
		if p := v.read(v.Follow(g.URL + path)); p.URL.Path != "/.auth/logout/complete" || p.Status != http.StatusOK {
			t.Errorf("%s ends with %d at %s", path, p.Status, p.URL)
		}
		if p := v.Ask(g.URL + "/api/orders"); p.Status != http.StatusUnauthorized {
			t.Errorf("%s, and then the API answers %d", path, p.Status)
		}
	}
	g.logs.mustNotHold(t, g, g.jars)
}

// with asks as a script of the page does, with headers of its own.
func (v *visitor) with(method, target, body string, headers map[string]string) page {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	if body == "" {
		r.Body = nil
	}
	for name, value := range headers {
		r.Header[name] = []string{value}
	}
	return v.read(v.Fetch(r))
}

// mustDecode demands a page that is JSON.
func (p page) mustDecode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal(p.Body, into); err != nil {
		t.Fatalf("%s answers %d: %v: %q", p.URL, p.Status, err, p.Text)
	}
}
