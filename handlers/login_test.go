package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestLOG4CallerCannotChooseTheSecretsOfAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		w := s.visitor().get("/.auth/login/aad?state=chosen&nonce=chosen&code_challenge=chosen&client_id=chosen&redirect_uri=https://evil.example/" +
			"&response_type=token&login_hint=alice&prompt=login")
		got := parse(w.Header().Get("Location")).Query()
		for name, values := range got {
			if slices.Contains(values, "chosen") || strings.Contains(values[0], "evil") {
				t.Errorf("%s=%s", name, values[0])
			}
		}
		if got.Get("login_hint") != "alice" || got.Get("prompt") != "login" {
			t.Errorf("the caller's own parameters are lost: %v", got)
		}
	})
}

func TestRED13TargetDoesNotSpillIntoTheAuthorizationRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		w := s.visitor().get("/.auth/login/aad?post_login_redirect_uri=" + url.QueryEscape("/x?a=b&scope=evil&client_id=evil"))
		location := w.Header().Get("Location")
		if strings.Contains(location, "evil") || strings.Contains(location, "post_login") {
			t.Errorf("Location %s", location)
		}
	})
}

func TestLOG9OnlyAPersonOpeningAPageBeginsALogin(t *testing.T) {
	const mode, dest = "Sec-Fetch-Mode", "Sec-Fetch-Dest"
	for name, row := range map[string]struct {
		headers []string
		begins  bool
	}{
		"navigation":            {[]string{mode, "navigate", dest, "document", "Sec-Fetch-Site", "none"}, true},
		"link on another site":  {[]string{mode, "navigate", dest, "document", "Sec-Fetch-Site", "cross-site"}, true},
		"browser without Sec-*": {nil, true},
		"program":               {[]string{"Accept", "*/*"}, true},
		"image":                 {[]string{mode, "no-cors", dest, "image", "Sec-Fetch-Site", "cross-site"}, false},
		"frame":                 {[]string{mode, "navigate", dest, "iframe", "Sec-Fetch-Site", "cross-site"}, false},
		"script":                {[]string{mode, "no-cors", dest, "script"}, false},
		"fetch of our own page": {[]string{mode, "cors", dest, "empty", "Sec-Fetch-Site", "same-origin"}, false},
		"fetch, purpose untold": {[]string{mode, "no-cors"}, false},
		"prefetch":              {[]string{mode, "navigate", dest, "document", "Sec-Purpose", "prefetch"}, false},
		"prerender":             {[]string{mode, "navigate", dest, "document", "Sec-Purpose", "prefetch;prerender"}, false},
		"older prefetch":        {[]string{"Purpose", "prefetch"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, setup{})
			v := s.visitor()
			w := v.get("/.auth/login/aad", row.headers...)
			if begun := w.Code == http.StatusFound; begun != row.begins || len(v.flows()) > 0 != row.begins {
				t.Errorf("status %d, attempts %v", w.Code, v.flows())
			}
			if !row.begins && w.Code != http.StatusForbidden {
				t.Errorf("status %d, want 403", w.Code)
			}
		})
	}
}

func TestProviderThatCannotBeUsedNow(t *testing.T) {
	for _, row := range []struct {
		failure    *providers.Error
		status     int
		why        string
		retryAfter string
	}{
		{&providers.Error{Kind: providers.Unready}, 503, "provider_unavailable", "5"},
		{&providers.Error{Kind: providers.NotSent, RetryAfter: 30 * time.Second}, 503, "provider_unavailable", "30"},
		{&providers.Error{Kind: providers.Busy}, 503, "provider_unavailable", "5"},
		{&providers.Error{Kind: providers.Misconfigured}, 502, "provider_misconfigured", ""},
		{&providers.Error{Kind: providers.Invalid}, 400, "bad_request", ""}, // of the caller's parameters
	} {
		t.Run(row.failure.Kind.String(), func(t *testing.T) {
			s := newSite(t, setup{stub: &stub{name: "aad", unready: row.failure}})
			v := s.visitor()
			w := v.get("/.auth/login/aad", program...)
			if w.Code != row.status || reason(t, w) != row.why || w.Header().Get("Retry-After") != row.retryAfter || len(v.flows()) != 0 {
				t.Errorf("status %d %s, Retry-After %q, attempts %v", w.Code, reason(t, w), w.Header().Get("Retry-After"), v.flows())
			}
			if got := v.get("/.auth/login/aad").Header().Get("Refresh"); got != row.retryAfter {
				t.Errorf("the page tries again after %q", got)
			}
		})
	}
}

func TestProviderDownAtStartIsAskedAgainLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := providertest.New(providertest.Config{})
		heal := op.Fail(providertest.Everything, providertest.Fault{Down: true})
		s := newSite(t, setup{op: op})
		w := s.visitor().get("/.auth/login/aad", program...)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Fatalf("while it is down: status %d", w.Code)
		}
		heal()
		time.Sleep(time.Minute)
		if w := s.visitor().get("/.auth/login/aad"); w.Code != http.StatusFound {
			t.Errorf("when it is back: status %d", w.Code)
		}
	})
}

func TestChooserOffersTheProvidersAndKeepsTheQuery(t *testing.T) {
	s := newSite(t, setup{providers: []providers.Provider{&stub{name: "aad"}, &stub{name: "corp_sso"}}})
	w := s.visitor().get("/.auth/login?post_login_redirect_url=/a%3Fb&login_hint=%22%3E%3Cscript%3E")
	golden(t, "choose.golden.html", w.Body.String())
	if w.Code != 200 || strings.Contains(w.Body.String(), "<script") {
		t.Errorf("status %d", w.Code)
	}
	w = s.visitor().get("/.auth/login?post_login_redirect_uri=javascript:alert(1)")
	if strings.Contains(w.Body.String(), "javascript") { // RED8
		t.Errorf("the page carries a target that is not allowed: %s", w.Body)
	}
	if w := s.visitor().get("/.auth/login?post_login_redirect_uri=/a&post_login_redirect_uri=/b"); w.Code != 400 {
		t.Errorf("status %d of a target given twice", w.Code)
	}
	head := s.visitor().do(s.visitor().request(http.MethodHead, "/.auth/login"))
	if head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD: status %d, %d bytes", head.Code, head.Body.Len())
	}
}

func TestChooserGoesStraightOnWhereThereIsOneProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{})
		v := s.visitor()
		state := v.begin(t, "/.auth/login?post_login_redirect_uri=/x&prompt=login")
		if s.stub.params[0].Get("prompt") != "login" {
			t.Errorf("the query is lost: %v", s.stub.params[0])
		}
		if w := v.get(callbackPath + "?code=alice&state=" + state); w.Header().Get("Location") != "/x" {
			t.Errorf("Location %q", w.Header().Get("Location"))
		}
	})
}

func TestHST1URLsComeFromTheConfigurationOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, setup{op: providertest.New(providertest.Config{})})
		for name, change := range map[string]func(*http.Request){
			"Host":              func(r *http.Request) { r.Host = "evil.example" },
			"no Host (HST2)":    func(r *http.Request) { r.Host = "" },
			"absolute (HST2)":   func(r *http.Request) { r.URL.Host, r.URL.Scheme = "evil.example", "http" },
			"forwarded (HST3)":  func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") },
			"Forwarded (HST3)":  func(r *http.Request) { r.Header.Set("Forwarded", "host=evil.example;proto=http") },
			"X-Forwarded-Proto": func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "http") },
		} {
			r := s.visitor().request(http.MethodGet, "/.auth/login/aad")
			change(r)
			w := s.visitor().do(r)
			if got := parse(w.Header().Get("Location")).Query().Get("redirect_uri"); got != app+callbackPath {
				t.Errorf("%s: redirect_uri %q", name, got)
			}
			if !strings.Contains(w.Header().Get("Set-Cookie"), "; Secure") { // COO2
				t.Errorf("%s: %s", name, w.Header().Get("Set-Cookie"))
			}
		}
	})
}
