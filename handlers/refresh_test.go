package handlers_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

// pageReason is the reason that an answer gives to programs.
func pageReason(p *providertest.Page) string {
	var problem struct{ Reason string }
	_ = json.Unmarshal(p.Body, &problem)
	return problem.Reason
}

// E5 of docs/refresh.md, second column.
func TestRefreshAnswersWithTheStatusesOfE5(t *testing.T) {
	type world struct {
		*site
		b *providertest.Browser
	}
	down := providertest.Fault{Down: true}
	for _, row := range []struct {
		name       string
		op         providertest.Config
		scopes     []string
		policy     providers.RefreshPolicy
		sessions   session.Config
		before     func(w world)
		status     int
		reason     string
		retryAfter string
		cleared    bool
		alive      bool // the session, afterwards
	}{
		{name: "refreshed", before: func(world) { time.Sleep(6 * time.Second) }, status: 200, alive: true},
		{name: "fresh within five seconds", status: 200, alive: true},
		{name: "session in its grace", before: func(world) { time.Sleep(8*time.Hour + time.Second) }, status: 200, alive: true},
		{name: "no refresh token stored", scopes: []string{"openid"}, before: func(world) { time.Sleep(time.Hour) },
			status: 400, reason: "no_refresh_token", alive: true},
		{name: "no session", before: func(w world) { w.b.ClearCookies() }, status: 401, reason: "sign_in_required", cleared: true},
		{name: "malformed cookie", before: func(w world) {
			w.b.SetCookie(app, &http.Cookie{Name: "__Host-easyauth", Value: "x", Path: "/", Secure: true})
		}, status: 401, reason: "sign_in_required", cleared: true},
		{name: "past its grace", op: providertest.Config{RefreshTokenLifetime: 1000 * time.Hour}, before: func(world) { time.Sleep(80*time.Hour + time.Second) },
			status: 401, reason: "sign_in_required", cleared: true},
		{name: "revoked at the provider", before: func(w world) { time.Sleep(time.Minute); w.op.RevokeAll() },
			status: 403, reason: "refresh_rejected", alive: true},
		{name: "revoked, and EndOnRevoke", sessions: session.Config{EndOnRevoke: true}, before: func(w world) { time.Sleep(time.Minute); w.op.RevokeAll() },
			status: 403, reason: "refresh_rejected"},
		{name: "provider says 503 and when", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}})
		}, status: 503, reason: "provider_unavailable", retryAfter: "120", alive: true},
		{name: "provider says 429 and when", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Status: 429, Header: http.Header{"Retry-After": {"9"}}})
		}, status: 503, reason: "provider_unavailable", retryAfter: "9", alive: true},
		{name: "provider says 500", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Status: 500})
		}, status: 503, reason: "provider_unavailable", retryAfter: "1-60", alive: true},
		{name: "provider cannot be reached", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, down)
		}, status: 503, reason: "provider_unavailable", retryAfter: "1-60", alive: true},
		{name: "answer lost", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Process: true, Cut: true, Times: 1})
		}, status: 503, reason: "provider_unavailable", retryAfter: "1-60", alive: true},
		{name: "answer unreadable", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Body: "<html>", Times: 1})
		}, status: 503, reason: "provider_unavailable", retryAfter: "1-60", alive: true},
		{name: "in doubt for as long as the access token lives", op: providertest.Config{AccessTokenLifetime: 3 * time.Hour}, policy: providers.RefreshPolicy{Wide: true},
			before: func(w world) {
				time.Sleep(6 * time.Second)
				w.op.Fail(providertest.Token, providertest.Fault{Process: true, Cut: true, Times: 1})
				fetch(t, w.b, http.MethodGet, "/.auth/refresh")
				time.Sleep(5 * time.Minute)
			}, status: 503, reason: "provider_unavailable", retryAfter: "60", alive: true},
		{name: "client rejected", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{OAuthError: "invalid_client", Status: 401})
		}, status: 502, reason: "provider_misconfigured", alive: true},
		{name: "4xx that is not OAuth", before: func(w world) {
			time.Sleep(time.Hour)
			w.op.Fail(providertest.Token, providertest.Fault{Status: 404, Body: "not here"})
		}, status: 502, reason: "provider_misconfigured", alive: true},
		{name: "store down", before: func(w world) { w.faulty.Fail(errors.New("down")) },
			status: 503, reason: "store_unavailable", retryAfter: "1-60", alive: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := world{site: newSite(t, setup{op: providertest.New(row.op), oidc: providers.OIDCConfig{Scopes: row.scopes, Refresh: row.policy}, sessions: row.sessions})}
				w.b = signedIn(t, w.site)
				if row.before != nil {
					row.before(w)
				}
				p := fetch(t, w.b, http.MethodGet, "/.auth/refresh")
				if p.Status != row.status || pageReason(p) != row.reason {
					t.Errorf("status %d %s: %s", p.Status, pageReason(p), p.Body)
				}
				switch got := p.Header.Get("Retry-After"); {
				case row.retryAfter != "1-60" && got != row.retryAfter,
					row.retryAfter == "1-60" && (got == "" || got == "0" || len(got) > 2 || got > "60" && len(got) == 2):
					t.Errorf("Retry-After %q, want %s", got, row.retryAfter)
				}
				switch cookie := p.Header.Get("Set-Cookie"); {
				case row.status == 200 && !strings.HasPrefix(cookie, "__Host-easyauth="),
					row.cleared && !strings.HasPrefix(cookie, "__Host-easyauth=;"),
					row.status != 200 && !row.cleared && cookie != "":
					t.Errorf("Set-Cookie %q", cookie)
				}
				w.faulty.Heal()
				w.op.Heal()
				if alive := fetch(t, w.b, http.MethodGet, "/").Body; (string(alive) == "sub-alice") != row.alive {
					t.Errorf("afterwards the application takes her for %s", alive)
				}
			})
		})
	}
}

// What a provider asks of some is told to others as well, who need not ask it.
func TestRefreshWhileTheProviderIsLeftAloneTellsForHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := newSite(t, setup{op: op})
		var browsers []*providertest.Browser
		for range 6 {
			browsers = append(browsers, signedIn(t, s))
		}
		time.Sleep(time.Minute)
		op.Fail(providertest.Token, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"120"}}})
		for _, b := range browsers {
			p := fetch(t, b, http.MethodGet, "/.auth/refresh")
			if p.Status != 503 || p.Header.Get("Retry-After") != "120" {
				t.Errorf("status %d, Retry-After %q: %s", p.Status, p.Header.Get("Retry-After"), p.Body)
			}
		}
		if n := op.Stats().Refreshes; n != 5 {
			t.Errorf("%d calls to the provider, want none after the fifth", n)
		}
	})
}

func TestRefreshOfAProviderWithoutRefreshIs400(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		v.signIn(t, "alice")
		time.Sleep(2 * time.Hour)
		w := v.get("/.auth/refresh")
		if w.Code != 400 || reason(t, w) != "refresh_not_supported" || s.sessionCount(v) != 1 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

func TestRefreshTellsWhenItIsDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{AccessTokenLifetime: time.Minute})
		s := newSite(t, setup{op: op})
		b := signedIn(t, s)
		before := b.Cookies(app)
		time.Sleep(time.Minute)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			time.Sleep(6 * time.Second)
			p := fetch(t, b, method, "/.auth/refresh")
			golden(t, "refresh_"+strings.ToLower(method)+".golden.json", string(p.Body)+"\n")
		}
		if op.Stats().Refreshed != 2 || b.Cookies(app)[0].Value != before[0].Value {
			t.Errorf("%d refreshes, cookie value changed: %v", op.Stats().Refreshed, b.Cookies(app)[0].Value != before[0].Value)
		}
	})
}

func TestUserIDIsTheSameInEverySessionOfAUserAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		id := func(user string) string {
			b := providertest.NewBrowser(s.network)
			if _, err := b.SignIn(app+"/.auth/login/aad", user); err != nil {
				t.Fatal(err)
			}
			var got struct{ User struct{ UserID string } }
			if err := json.Unmarshal(fetch(t, b, http.MethodGet, "/.auth/refresh").Body, &got); err != nil {
				t.Fatal(err)
			}
			return got.User.UserID
		}
		if a, again, b := id("alice"), id("alice"), id("bob"); a != again || a == b || !strings.HasPrefix(a, "sid:") || len(a) != 36 {
			t.Errorf("alice %s, alice again %s, bob %s", a, again, b)
		}
	})
}

// CSR4: whatever a loop does, the provider hears of it once in five seconds.
func TestCSR4RefreshInALoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := newSite(t, setup{op: op})
		b := signedIn(t, s)
		for range 100 { // ten seconds
			if p := fetch(t, b, http.MethodGet, "/.auth/refresh"); p.Status != 200 {
				t.Fatalf("status %d: %s", p.Status, p.Body)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := op.Stats().Refreshes; n > 2 {
			t.Errorf("%d calls to the provider", n)
		}
	})
}

func TestCSR1CSR2RefreshCausedByAnotherSite(t *testing.T) {
	const site, dest, mode = "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode"
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		s := newSite(t, setup{op: op})
		b := signedIn(t, s)
		v := s.visitor()
		for _, c := range b.Cookies(app) {
			v.cookies[c.Name] = c.Value
		}
		time.Sleep(time.Minute)
		for name, row := range map[string]struct {
			method  string
			headers []string
		}{
			"image":               {"GET", []string{site, "cross-site", dest, "image", mode, "no-cors"}},
			"link":                {"GET", []string{site, "cross-site", dest, "document", mode, "navigate"}},
			"sibling's link":      {"GET", []string{site, "same-site", dest, "document", mode, "navigate"}},
			"prefetch":            {"GET", []string{site, "same-origin", "Sec-Purpose", "prefetch"}},
			"form":                {"POST", []string{site, "cross-site", dest, "document", mode, "navigate", "Origin", "https://evil.example"}},
			"form, older browser": {"POST", []string{"Origin", "https://evil.example"}},
			"form, Origin: null":  {"POST", []string{"Origin", "null"}},
			"sibling's form":      {"POST", []string{"Origin", "https://evil.app.example"}},
		} {
			w := v.do(v.request(row.method, "/.auth/refresh", row.headers...))
			if w.Code != 403 || reason(t, w) != "cross_site" || s.sessionCount(v) != 1 {
				t.Errorf("%s: status %d", name, w.Code)
			}
		}
		if n := op.Stats().Refreshes; n != 0 {
			t.Errorf("%d calls to the provider", n)
		}
	})
}

func TestRefreshKeepsTheSessionsCookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		b := signedIn(t, s)
		time.Sleep(time.Minute)
		lines := fetch(t, b, http.MethodGet, "/.auth/refresh").Header["Set-Cookie"]
		if len(lines) != 1 || !strings.HasSuffix(lines[0], "; HttpOnly; Secure; SameSite=Lax") || !strings.Contains(lines[0], "; Path=/;") {
			t.Errorf("Set-Cookie %q", lines)
		}
	})
}
