package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store/storetest"
)

const backchannelPath = "/.auth/backchannel-logout/aad"

// tellingProvider tells its client of sign-outs, once it is told where clients are.
func tellingProvider() *providertest.Server {
	return providertest.New(providertest.Config{Algorithm: "ES256", Clients: []providertest.Registration{{
		ID: providertest.ClientID, Secret: providertest.ClientSecret, BackChannelLogoutURI: app + backchannelPath,
	}}})
}

// newTelling is a site with such a provider.
func newTelling(t testing.TB, in setup) *site {
	t.Helper()
	in.op = tellingProvider()
	s := newSite(t, in)
	s.op.ReachClients(s.network)
	return s
}

// deliver posts a logout token as a provider does, which has no cookies.
func (s *site) deliver(token string, headers ...string) *httptest.ResponseRecorder {
	return s.visitor().post(backchannelPath, url.Values{"logout_token": {token}}, headers...)
}

// visit signs name in with a browser of its own, and returns it as a visitor,
// with the name that the provider has for its session.
func (s *site) visit(t testing.TB, name string) (v *visitor, sid string) {
	t.Helper()
	b := providertest.NewBrowser(s.network)
	if _, err := b.SignIn(app+"/.auth/login/aad", name); err != nil {
		t.Fatal(err)
	}
	return s.visitorOf(t, b)
}

func (s *site) visitorOf(t testing.TB, b *providertest.Browser) (v *visitor, sid string) {
	t.Helper()
	v = s.visitor()
	for _, c := range b.Cookies(app) {
		v.cookies[c.Name] = c.Value
	}
	loaded, err := s.sessions.Load(v.request(http.MethodGet, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return v, loaded.User.Claims.String("sid")
}

// mustSpare demands that the sessions live.
func (s *site) mustSpare(t testing.TB, visitors ...*visitor) {
	t.Helper()
	if n := s.sessionCount(visitors...); n != len(visitors) {
		t.Errorf("%d of %d sessions are left", n, len(visitors))
	}
}

// mustRefuse demands the answer of Back-Channel Logout 2.8.
func mustRefuse(t testing.TB, w *httptest.ResponseRecorder, description string) {
	t.Helper()
	want := `{"error":"invalid_request","error_description":"` + description + `"}`
	if w.Code != 400 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v, %s; want %s", w.Code, w.Header(), w.Body, want)
	}
}

const (
	malformedLogout = "A form of at most 64 KiB with exactly one logout_token is expected."
	invalidLogout   = "The logout token is not valid here. The log of the application says why."
	usedLogout      = "The logout token was used before."
)

// The sign-out at the provider is all that happens; the application hears of it.
func TestSignOutAtTheProviderEndsTheSessionThatCameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		laptop, phone := signedIn(t, s), signedIn(t, s)
		other, _ := s.visit(t, "bob")
		old, _ := s.visitorOf(t, laptop)
		onPhone, _ := s.visitorOf(t, phone)

		if _, err := laptop.Open(s.op.Issuer() + "/logout"); err != nil {
			t.Fatal(err)
		}
		if got := s.op.Stats(); got.LogoutsTold != 1 || got.LogoutsLost != 0 {
			t.Errorf("the provider told %d and lost %d", got.LogoutsTold, got.LogoutsLost)
		}
		if s.sessionCount(old) != 0 {
			t.Error("the session lives on")
		}
		s.mustSpare(t, onPhone, other)
		if n := s.op.Stats().LiveGrants; n != 2 {
			t.Errorf("%d refresh tokens live, want those of the two other sessions", n)
		}
		if !strings.Contains(s.logs.String(), "reason=backchannel") || !strings.Contains(s.logs.String(), "sessions=1") {
			t.Errorf("log: %s", s.logs)
		}
	})
}

// TestConformanceBackChannelLogout plays the RP modules of the conformance suite:
// the well-formed token, and one defect each.
func TestConformanceBackChannelLogout(t *testing.T) {
	claim := func(name string, value any) func(*providertest.Draft) {
		return func(d *providertest.Draft) { d.Claims[name] = value }
	}
	for module, row := range map[string]struct {
		change func(*providertest.Draft)
		status int
	}{
		"-rp-backchannel-rpinitlogout": {claim("ignored_claim", "ignored"), 200},
		"-rp-backchannel-rpinitlogout-alg-none": {func(d *providertest.Draft) {
			d.Header["alg"], d.Sign = "none", providertest.Unsigned
		}, 400},
		"-rp-backchannel-rpinitlogout-wrong-alg": {func(d *providertest.Draft) {
			other := providertest.New(providertest.Config{}) // RS256
			d.Header["alg"], d.Header["kid"], d.Sign = "RS256", nil, other.Sign
			delete(d.Header, "kid")
		}, 400},
		"-rp-backchannel-rpinitlogout-wrong-aud": {claim("aud", providertest.ClientID+"1"), 400},
		"-rp-backchannel-rpinitlogout-wrong-iss": {claim("iss", "https://op.example1"), 400},
		"-rp-backchannel-rpinitlogout-no-event":  {func(d *providertest.Draft) { delete(d.Claims, "events") }, 400},
		"-rp-backchannel-rpinitlogout-wrong-event": {
			claim("events", map[string]any{"http://schemas.openid.net/event/foobar": map[string]any{}}), 400},
		"-rp-backchannel-rpinitlogout-with-nonce": {claim("nonce", "n-0S6_WzA2Mj"), 400},
	} {
		t.Run(module, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTelling(t, setup{})
				v, sid := s.visit(t, "alice")
				s.op.Mutate(providertest.Mutations{LogoutToken: row.change})
				w := s.deliver(s.op.LogoutToken(providertest.ClientID, "sub-alice", sid))
				if w.Code != row.status || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("status %d, Cache-Control %q: %s", w.Code, w.Header().Get("Cache-Control"), w.Body)
				}
				if row.status == 200 {
					if w.Body.Len() != 0 || s.sessionCount(v) != 0 {
						t.Errorf("%d bytes, %d sessions left", w.Body.Len(), s.sessionCount(v))
					}
					return
				}
				mustRefuse(t, w, invalidLogout)
				s.mustSpare(t, v)
			})
		})
	}
}

// What a token names is what ends (Back-Channel Logout 2.6 (9)-(11)), and that
// nothing ends is the same answer.
func TestLogoutTokenEndsWhatItNames(t *testing.T) {
	for _, row := range []struct {
		name         string
		subject, sid string // LAPTOP stands for the sid of that session
		left         string
	}{
		{"a session", "", "LAPTOP", "phone bob"},
		{"a session of a subject", "sub-alice", "LAPTOP", "phone bob"},
		{"a session of another subject", "sub-bob", "LAPTOP", "laptop phone bob"},
		{"a subject", "sub-alice", "", "bob"},
		{"an unknown session", "", "unknown", "laptop phone bob"},
		{"an unknown session of a subject", "sub-alice", "unknown", "laptop phone bob"},
		{"an unknown subject", "sub-nobody", "", "laptop phone bob"},
		{"a subject in another case", "SUB-ALICE", "", "laptop phone bob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTelling(t, setup{})
				laptop, sid := s.visit(t, "alice")
				phone, _ := s.visit(t, "alice")
				bob, _ := s.visit(t, "bob")
				w := s.deliver(s.op.LogoutToken(providertest.ClientID, row.subject, strings.Replace(row.sid, "LAPTOP", sid, 1)))
				if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("status %d: %s", w.Code, w.Body)
				}
				var left []string
				for i, v := range []*visitor{laptop, phone, bob} {
					if s.sessionCount(v) == 1 {
						left = append(left, []string{"laptop", "phone", "bob"}[i])
					}
				}
				if got := strings.Join(left, " "); got != row.left {
					t.Errorf("left: %s, want %s", got, row.left)
				}
			})
		})
	}
}

// A provider that names sessions in its logout tokens only: which of the user's is
// meant cannot be known, and signing out nobody is worse than one too many.
func TestLogoutTokenNamesASessionWhoseIDTokenHadNoSID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		named, _ := s.visit(t, "alice")
		s.op.Mutate(providertest.Mutations{IDToken: func(d *providertest.Draft) { delete(d.Claims, "sid") }})
		nameless, _ := s.visit(t, "alice")
		bob, _ := s.visit(t, "bob")
		if w := s.deliver(s.op.LogoutToken(providertest.ClientID, "sub-alice", "a-sid")); w.Code != 200 || s.sessionCount(nameless) != 0 {
			t.Errorf("status %d, %d sessions left", w.Code, s.sessionCount(nameless))
		}
		s.mustSpare(t, named, bob)
	})
}

// SES11: an older session of the user was killed meanwhile.
func TestSES11SubjectSignedOutAfterAnOlderSessionWasKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		first, _ := s.visit(t, "alice")
		second, _ := s.visit(t, "alice")
		third, _ := s.visit(t, "alice")
		if first.get("/.auth/logout"); s.sessionCount(first) != 0 {
			t.Fatal("the first session lives")
		}
		s.op.SignOut("sub-alice")
		if n := s.sessionCount(first, second, third); n != 0 || s.op.Stats().LogoutsTold != 1 {
			t.Errorf("%d sessions left, %d logouts told", n, s.op.Stats().LogoutsTold)
		}
	})
}

// REP5: a logout token is good for once, at every replica, until it has long
// expired; and nobody is signed out by a second use.
func TestREP5LogoutTokenWorksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		replica := newSite(t, setup{op: s.op, shared: s.counting})
		v, _ := s.visit(t, "alice")
		token := s.op.LogoutToken(providertest.ClientID, "sub-alice", "")
		if w := s.deliver(token); w.Code != 200 || s.sessionCount(v) != 0 {
			t.Fatalf("status %d: %s", w.Code, w.Body)
		}
		again, _ := s.visit(t, "alice")
		for range 3 {
			mustRefuse(t, s.deliver(token), usedLogout)
			mustRefuse(t, replica.deliver(token), usedLogout)
		}
		time.Sleep(time.Minute) // still good for another one
		mustRefuse(t, s.deliver(token), usedLogout)
		time.Sleep(5 * time.Minute)
		mustRefuse(t, s.deliver(token), invalidLogout)
		s.mustSpare(t, again)
	})
}

func TestREP5FiftyCopiesOfALogoutTokenOnFourReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan session.Event, 100)
		hooks := session.Config{Hooks: session.Hooks{Ended: func(_ context.Context, e session.Event) { ended <- e }}}
		s := newTelling(t, setup{sessions: hooks})
		replicas := []*site{s}
		for range 3 {
			replicas = append(replicas, newSite(t, setup{op: s.op, shared: s.counting, sessions: hooks}))
		}
		v, sid := s.visit(t, "alice")
		token := s.op.LogoutToken(providertest.ClientID, "sub-alice", sid)
		var accepted atomic.Int32
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				if replicas[i%4].deliver(token).Code == 200 {
					accepted.Add(1)
				}
			})
		}
		all.Wait()
		if n := accepted.Load(); n != 1 || s.sessionCount(v) != 0 {
			t.Errorf("%d copies accepted, %d sessions left", n, s.sessionCount(v))
		}
		synctest.Wait()
		if len(ended) != 1 {
			t.Errorf("%d sessions ended", len(ended))
		}
		if e := <-ended; e.Reason != session.ReasonBackchannel || e.UserID != "sub-alice" || e.Provider != "aad" {
			t.Errorf("told of %+v", e)
		}
	})
}

// A15: two tokens about a session that has ended are two tokens.
func TestA15TwoTokensForOneSessionAreTakenBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		v, sid := s.visit(t, "alice")
		for range 2 {
			if w := s.deliver(s.op.LogoutToken(providertest.ClientID, "sub-alice", sid)); w.Code != 200 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			if s.sessionCount(v) != 0 {
				t.Error("the session lives")
			}
		}
	})
}

// The same jti of another provider, or of another issuer behind the same one, is
// another token.
func TestTokenIDsAreUniqueWithinTheirIssuerOnly(t *testing.T) {
	a := &teller{stub: stub{name: "a"}, says: providers.Logout{Issuer: "https://a.example", Subject: "x", TokenID: "1", ExpiresAt: time.Now().Add(time.Minute)}}
	b := &teller{stub: stub{name: "b"}, says: a.says}
	s := newSite(t, setup{providers: []providers.Provider{a, b}})
	post := func(name string) int {
		return s.visitor().post("/.auth/backchannel-logout/"+name, url.Values{"logout_token": {"any"}}).Code
	}
	if first, other, second := post("a"), post("b"), post("a"); first != 200 || other != 200 || second != 400 {
		t.Errorf("a %d, b %d, a again %d", first, other, second)
	}
	if a.says.Issuer = "https://a2.example"; post("a") != 200 {
		t.Error("a token of another issuer was taken for the first")
	}
}

// DOS8: whatever is not one token in a small form costs no look at the store
// or at the provider.
func TestDOS8MalformedDeliveriesCostNothing(t *testing.T) {
	s := newTelling(t, setup{})
	v, sid := s.visit(t, "alice")
	token := s.op.LogoutToken(providertest.ClientID, "sub-alice", sid)
	good := "logout_token=" + token
	const form = "application/x-www-form-urlencoded"
	s.counting.Reset()
	before := s.op.Stats()
	for name, in := range map[string]struct{ media, query, body string }{
		"no parameter":            {form, "", "x=1"},
		"no body":                 {form, "", ""},
		"an empty token":          {form, "", "logout_token="},
		"in the query only":       {form, "?" + good, ""},
		"two of them":             {form, "", good + "&" + good},
		"two, of which one empty": {form, "", "logout_token=&" + good},
		"another case":            {form, "", "Logout_Token=" + token},
		"more than 64 KiB":        {form, "", good + "&x=" + strings.Repeat("a", 64<<10)},
		"a token of 64 KiB":       {form, "", good + strings.Repeat("a", 64<<10)},
		"broken escapes":          {form, "", good + "&x=%zz"},
		"semicolons":              {form, "", good + ";x=1"},
		"no content type":         {"-", "", good},
		"multipart":               {`multipart/form-data; boundary="x"`, "", "--x\r\nContent-Disposition: form-data; name=\"logout_token\"\r\n\r\n" + token + "\r\n--x--\r\n"},
		"JSON":                    {"application/json", "", `{"logout_token":"` + token + `"}`},
		"the token alone":         {"application/logout+jwt", "", token},
		"plain text":              {"text/plain", "", good},
		"no token":                {form, "", "logout_token=hello"},
		"an unsigned token":       {form, "", good[:strings.LastIndexByte(good, '.')+1]},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, app+backchannelPath+in.query, strings.NewReader(in.body))
			if in.media != "-" {
				r.Header.Set("Content-Type", in.media)
			}
			want := malformedLogout
			if strings.Contains(name, "an empty token") || strings.HasSuffix(name, "no token") || name == "an unsigned token" {
				want = invalidLogout
			}
			mustRefuse(t, s.visitor().do(r), want)
		})
	}
	if got := s.counting.Counts(); got != (storetest.Counts{}) {
		t.Errorf("store calls: %+v", got)
	}
	if got := s.op.Stats(); got.Requests[providertest.JWKS] != before.Requests[providertest.JWKS] {
		t.Errorf("the keys were fetched %d times", got.Requests[providertest.JWKS]-before.Requests[providertest.JWKS])
	}
	s.mustSpare(t, v)
	if w := s.visitor().post(backchannelPath, url.Values{"logout_token": {token}, "another": {"1", "2"}},
		"Content-Type", form+"; charset=utf-8"); w.Code != 200 {
		t.Errorf("with parameters of somebody else: status %d: %s", w.Code, w.Body)
	}
}

func TestBackChannelLogoutIsAPostToAProviderThatHasIt(t *testing.T) {
	able, unable := &teller{stub: stub{name: "able"}}, &stub{name: "unable"}
	s := newSite(t, setup{providers: []providers.Provider{able, unable}})
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		w := s.visitor().do(s.visitor().request(method, "/.auth/backchannel-logout/able?logout_token=x"))
		if w.Code != 405 || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s: status %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
		checkHeaders(t, method, w)
	}
	for _, path := range []string{"unable", "unknown", "able/", "able/x", "", "able%2f"} {
		w := s.visitor().post("/.auth/backchannel-logout/"+path, url.Values{"logout_token": {"x"}})
		if w.Code != 404 {
			t.Errorf("%q: status %d", path, w.Code)
		}
	}
	if w := s.visitor().post("/.auth/backchannel-logout", nil); w.Code != 404 {
		t.Errorf("without a provider: status %d", w.Code)
	}
	if able.asked != 0 {
		t.Errorf("%d tokens looked at", able.asked)
	}
}

// No browser takes part, so nothing of one counts: the signature is the authority.
func TestBackChannelLogoutReadsNoCookieAndAsksForNoOrigin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		alice, _ := s.visit(t, "alice")
		mallory, _ := s.visit(t, "mallory")
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Origin", "https://evil.example"},
			{"Origin", "null"},
			{"Sec-Fetch-Site", "same-origin"},
		} {
			w := mallory.post(backchannelPath, url.Values{"logout_token": {s.op.LogoutToken(providertest.ClientID, "sub-alice", "")}}, headers...)
			if w.Code != 200 || len(w.Result().Cookies()) != 0 {
				t.Errorf("%v: status %d, cookies %v", headers, w.Code, w.Result().Cookies())
			}
			checkHeaders(t, headers[0], w)
			w = mallory.post(backchannelPath, url.Values{"logout_token": {"forged"}}, headers...)
			mustRefuse(t, w, invalidLogout)
			checkHeaders(t, headers[0], w)
		}
		if s.sessionCount(alice) != 0 {
			t.Error("alice's session lives")
		}
		s.mustSpare(t, mallory)
	})
}

// LEA2, LEA7: neither answers nor logs tell what a token says.
func TestLEA2LogoutTokensAreInNoLogAndNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		_, sid := s.visit(t, "alice")
		defects := []func(*providertest.Draft){
			nil,
			func(d *providertest.Draft) { d.Claims["iss"] = "https://canary.example" },
			func(d *providertest.Draft) { d.Claims["aud"] = "canary" },
			func(d *providertest.Draft) { d.Claims["nonce"] = "canary" },
			func(d *providertest.Draft) { d.Header["typ"] = "canary" },
			func(d *providertest.Draft) { d.Header["kid"] = "canary" },
			func(d *providertest.Draft) { d.Header["alg"] = "canary" },
		}
		var answers strings.Builder
		for _, defect := range defects {
			s.op.Mutate(providertest.Mutations{LogoutToken: defect})
			token := s.op.LogoutToken(providertest.ClientID, "sub-alice", sid)
			answers.WriteString(s.deliver(token).Body.String())
			answers.WriteString(s.deliver(token).Body.String())
		}
		for where, text := range map[string]string{"answers": answers.String(), "log": s.logs.String()} {
			for _, secret := range append(s.op.Secrets(), sid, "canary") {
				if strings.Contains(text, secret) {
					t.Errorf("%q is in the %s", secret, where)
				}
			}
		}
		for _, why := range []string{"reason=logout_token_invalid", "reason=logout_token_used"} {
			if !strings.Contains(s.logs.String(), why) {
				t.Errorf("%s is not in the log:\n%s", why, s.logs)
			}
		}
	})
}

// teller is a stub that takes every logout token for what it is told.
type teller struct {
	stub
	says  providers.Logout
	err   error
	asked int
}

func (p *teller) VerifyLogout(context.Context, providers.Secret) (providers.Logout, error) {
	p.asked++
	return p.says, p.err
}
