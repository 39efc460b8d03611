package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// op is a provider that answers as a test says.
type op struct {
	policy   providers.RefreshPolicy
	mu       sync.Mutex
	calls    int
	refuse   error            // what Refresh fails with
	revoked  []string         // refresh tokens
	userInfo providers.Claims // beyond the ID token
	infoErr  error
	claims   providers.Claims // of the next refreshed ID token
	verify   error
	takes    time.Duration

	revokeTakes time.Duration
	unready     error
	online      bool // sign-ins ask for no refresh token
}

func (o *op) Name() string { return "op" }
func (o *op) Begin(context.Context, *providers.Flow, url.Values) (string, error) {
	panic("not part of these tests")
}
func (o *op) Complete(context.Context, providers.Flow, url.Values) (*providers.Login, error) {
	panic("not part of these tests")
}
func (o *op) Ready(ctx context.Context) error {
	if errors.Is(o.unready, context.DeadlineExceeded) {
		<-ctx.Done()
	}
	return o.unready
}
func (o *op) AsksForRefresh() bool { return !o.online }

func (o *op) RefreshPolicy() providers.RefreshPolicy { return o.policy }

func (o *op) Refresh(context.Context, providers.RefreshRequest) (*providers.Tokens, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	time.Sleep(o.takes)
	o.calls++
	if o.refuse != nil {
		return nil, o.refuse
	}
	return &providers.Tokens{
		AccessToken:  providers.NewSecret(fmt.Sprintf("access-%d", o.calls)),
		RefreshToken: providers.NewSecret(fmt.Sprintf("refresh-%d", o.calls)),
		IDToken:      providers.NewSecret("id-token"),
		SentAt:       time.Now(), ExpiresIn: time.Hour,
	}, nil
}

func (o *op) VerifyRefreshed(_ context.Context, _ providers.Secret, was providers.Identity) (providers.Identity, error) {
	if o.claims.Len() > 0 {
		was.Claims = o.claims
	}
	return was, o.verify
}

func (o *op) UserInfo(context.Context, providers.Secret, string) (providers.Claims, error) {
	return o.userInfo, o.infoErr
}

func (o *op) Revoke(_ context.Context, rt providers.Secret) error {
	time.Sleep(o.revokeTakes)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.revoked = append(o.revoked, rt.Reveal())
	return nil
}

// house is an application with one manager, over a store that counts and fails.
type house struct {
	*session.Manager
	t     *testing.T
	op    *op
	rows  *memstore.Store
	fault *storetest.Faulty
	count *storetest.Counting
	mu    sync.Mutex
	said  []string
}

// story runs one test in virtual time.
func story(t *testing.T, change func(*session.Config), tell func(t *testing.T, h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, op: &op{}, rows: memstore.New()}
		h.fault = storetest.NewFaulty(h.rows)
		h.count = storetest.NewCounting(h.fault)
		note := func(what string) func(context.Context, session.Event) {
			return func(_ context.Context, e session.Event) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.said = append(h.said, strings.TrimSpace(what+" "+string(e.Reason)))
			}
		}
		cfg := session.Config{Store: h.count, Providers: []providers.Provider{h.op}, Hooks: session.Hooks{
			Started: note("started"), Refreshed: note("refreshed"), RefreshFailed: note("failed"), Ended: note("ended"),
		}}
		if change != nil {
			change(&cfg)
		}
		m, err := session.NewManager(cfg)
		if err != nil {
			t.Fatal(err)
		}
		h.Manager = m
		tell(t, h)
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}

func claims(t *testing.T, object string) providers.Claims {
	t.Helper()
	c, err := providers.ParseClaims([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (h *house) login() *providers.Login {
	return &providers.Login{
		Provider: "op",
		Identity: providers.Identity{Issuer: "https://op.example", Subject: "alice",
			Claims: claims(h.t, `{"iss":"https://op.example","sub":"alice","name":"Alice","email":"alice@example.org","groups":["a","b"]}`)},
		Tokens: providers.Tokens{AccessToken: providers.NewSecret("access-0"), RefreshToken: providers.NewSecret("refresh-0"),
			IDToken: providers.NewSecret("id-token"), SentAt: time.Now(), ExpiresIn: time.Hour},
	}
}

// signIn starts a session in a browser that sends these cookies, and returns
// the browser's next request.
func (h *house) signIn(cookies ...string) *http.Request {
	h.t.Helper()
	w, r := httptest.NewRecorder(), request(cookies...)
	if _, err := h.Start(w, r, h.login(), ""); err != nil {
		h.t.Fatal(err)
	}
	set := w.Result().Cookies()
	if len(set) != 1 {
		h.t.Fatalf("cookies %v, want one", set)
	}
	return request(set[0].Name + "=" + set[0].Value)
}

func request(cookies ...string) *http.Request {
	r := httptest.NewRequest("GET", "https://app.example/", nil)
	if len(cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
	}
	return r
}

func (h *house) load(r *http.Request) *session.Session {
	h.t.Helper()
	s, err := h.Load(r)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) wantNone(r *http.Request) {
	h.t.Helper()
	if s, err := h.Load(r); !errors.Is(err, session.ErrNone) || s != nil {
		h.t.Fatalf("load = %v, %v; want ErrNone", s, err)
	}
}

func TestSignedInRequestKnowsItsUser(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.signIn())
		u := s.User
		if u.ID != "alice" || u.Issuer != "https://op.example" || u.Provider != "op" || u.Name != "Alice" || u.Email != "alice@example.org" {
			t.Errorf("user %+v", u)
		}
		if groups := u.Claims.Strings("groups"); len(groups) != 2 {
			t.Errorf("groups %v", groups)
		}
		if s.State() != session.Active || time.Until(s.ExpiresAt) != 8*time.Hour || time.Until(s.GraceUntil) != 80*time.Hour {
			t.Errorf("state %v, expires %v, grace until %v", s.State(), s.ExpiresAt, s.GraceUntil)
		}
		if token, err := s.Token(t.Context()); err != nil || token.AccessToken != "access-0" {
			t.Errorf("token = %v, %v", token, err)
		}
		if h.said[0] != "started" {
			t.Errorf("hooks said %v", h.said)
		}
	})
}

func TestCostOfARequest(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		for _, tt := range []struct {
			name         string
			r            *http.Request
			loads, saves int64
		}{
			{"anonymous", request(), 0, 0},
			{"COO6 malformed cookie", request("__Host-easyauth=../../etc/passwd"), 0, 0},
			{"COO3 two cookies", request(r.Header.Get("Cookie"), "__Host-easyauth=x"), 0, 0},
			{"DOS3 invented cookie", request("__Host-easyauth=" + strings.Repeat("a", 43)), 1, 0},
			{"signed in", r, 1, 0},
		} {
			h.count.Reset()
			s, _ := h.Load(tt.r)
			if s != nil {
				if _, err := s.Token(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if got := h.count.Counts(); int64(got.Loads) != tt.loads || int64(got.Saves) != tt.saves || got.Deletes != 0 {
				t.Errorf("%s: %+v, want %d loads and %d saves", tt.name, got, tt.loads, tt.saves)
			}
		}
	})
}

func TestCookie(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		w := httptest.NewRecorder()
		s, err := h.Start(w, request(), h.login(), "")
		if err != nil {
			t.Fatal(err)
		}
		c := w.Result().Cookies()[0]
		c.Value, c.Raw = "VALUE", ""
		const set = "__Host-easyauth=VALUE; Path=/; Expires=Tue, 04 Jan 2000 08:00:01 GMT; Max-Age=288001; HttpOnly; Secure; SameSite=Lax"
		if got := c.String(); got != set {
			t.Errorf("COO1: Set-Cookie\n%s\nwant\n%s", got, set)
		}
		if got := w.Header().Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
			t.Errorf("CAC1: Cache-Control %q, want no-store alone", got)
		}
		w = httptest.NewRecorder()
		h.ClearCookie(w)
		const cleared = "__Host-easyauth=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
		if got := w.Header().Get("Set-Cookie"); got != cleared {
			t.Errorf("COO8: Set-Cookie\n%s\nwant\n%s", got, cleared)
		}
		w = httptest.NewRecorder()
		h.WriteCookie(w, s)
		if again := w.Result().Cookies()[0]; again.Value == "" || again.MaxAge != 288001 {
			t.Errorf("written again: %v", again)
		}
	})
	story(t, func(c *session.Config) { c.InsecureCookie, c.SameSite = true, http.SameSiteStrictMode }, func(t *testing.T, h *house) {
		w := httptest.NewRecorder()
		h.ClearCookie(w)
		const cleared = "easyauth=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Strict"
		if got := w.Header().Get("Set-Cookie"); got != cleared {
			t.Errorf("loopback: Set-Cookie\n%s\nwant\n%s", got, cleared)
		}
	})
}

func TestCookieTricks(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		value := strings.TrimPrefix(h.signIn().Header.Get("Cookie"), "__Host-easyauth=")
		for name, header := range map[string]string{
			"COO4 white space in the name": "__Host-easyauth =" + value,
			"COO4 other case":              "__host-easyauth=" + value,
			"COO4 nameless":                "=__Host-easyauth=" + value,
			"COO4 no-break space":          "\u2000__Host-easyauth=" + value,
			"COO6 quoted":                  `__Host-easyauth="` + value + `"`,
			"COO6 longer":                  "__Host-easyauth=" + value + "a",
			"COO6 NUL":                     "__Host-easyauth=" + value[:42] + "\x00",
			"COO3 tossed by a sibling":     "__Host-easyauth=" + value + "; __Host-easyauth=" + strings.Repeat("b", 43),
			"COO5 3,001 cookies":           strings.Repeat("a=b; ", 3000) + "__Host-easyauth=" + value,
			"plain name under https":       "easyauth=" + value,
		} {
			h.count.Reset()
			if s, err := h.Load(request(header)); !errors.Is(err, session.ErrNone) {
				t.Errorf("%s: load = %v, %v; want ErrNone", name, s, err)
			}
			if n := h.count.Counts().Loads; n != 0 {
				t.Errorf("%s: %d looks at the store", name, n)
			}
		}
		for name, header := range map[string]string{
			"among others": "a=b; __Host-easyauth=" + value + ";c=d",
			"$Version":     "$Version=1; __Host-easyauth=" + value,
		} {
			if _, err := h.Load(request(header)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestSignInAlwaysMakesANewCookieValue(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		invented := "__Host-easyauth=" + strings.Repeat("x", 43)
		first := h.signIn(invented)
		if first.Header.Get("Cookie") == invented {
			t.Error("SES1: the invented value became a session")
		}
		h.wantNone(request(invented))

		second := h.signIn(first.Header.Get("Cookie"))
		if second.Header.Get("Cookie") == first.Header.Get("Cookie") {
			t.Error("SES2: the value did not change at login")
		}
		h.wantNone(first) // LOG16: the browser's session before is gone
		h.load(second)
		if len(h.op.revoked) != 0 {
			t.Errorf("revoked %v of the same user, and at many providers the new sign-in's tokens with it", h.op.revoked)
		}
		if n := h.rows.Len(); n != 2 {
			t.Errorf("%d rows, want the two of one login", n)
		}
	})
}

func TestStoreHoldsNothingThatMakesACookie(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		s := h.load(r)
		if value := strings.TrimPrefix(r.Header.Get("Cookie"), "__Host-easyauth="); strings.Contains(s.ID, value) {
			t.Error("SES9: the session's id is its cookie value")
		}
		h.wantNone(request("__Host-easyauth=" + s.ID))
	})
}

func TestUserInfo(t *testing.T) {
	t.Run("adds claims, and none that the ID token has", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			h.op.userInfo = claims(t, `{"sub":"alice","name":"Mallory","locale":"de"}`)
			if u := h.load(h.signIn()).User; u.Name != "Alice" || u.Claims.String("locale") != "de" {
				t.Errorf("user %+v", u)
			}
		})
	})
	t.Run("about somebody else refuses the sign-in and keeps nothing", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			h.op.infoErr = &providers.Error{Kind: providers.Mismatch}
			w := httptest.NewRecorder()
			_, err := h.Start(w, request(), h.login(), "")
			var pe *providers.Error
			if !errors.As(err, &pe) || pe.Kind != providers.Mismatch {
				t.Errorf("JWT10: %v, want a mismatch", err)
			}
			if len(w.Result().Cookies()) != 0 || h.rows.Len() != 0 || len(h.op.revoked) != 1 {
				t.Errorf("cookies %v, %d rows, revoked %v", w.Result().Cookies(), h.rows.Len(), h.op.revoked)
			}
		})
	})
	t.Run("that cannot be read costs claims and not the sign-in", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			h.op.infoErr = &providers.Error{Kind: providers.Gateway}
			h.load(h.signIn())
		})
	})
}

func TestIdentityWithoutSubjectIsRefused(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		login := h.login()
		login.Identity.Subject = ""
		_, err := h.Start(httptest.NewRecorder(), request(), login, "")
		var pe *providers.Error
		if !errors.As(err, &pe) || pe.Kind != providers.Invalid {
			t.Errorf("%v, want Invalid", err)
		}
	})
}

func TestStartWithoutAStoreKeepsNothing(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.fault.Fail(errors.New("down"))
		w := httptest.NewRecorder()
		if _, err := h.Start(w, request(), h.login(), ""); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		if len(w.Result().Cookies()) != 0 {
			t.Error("a cookie was set")
		}
		if len(h.op.revoked) != 1 || h.op.revoked[0] != "refresh-0" {
			t.Errorf("revoked %v, want the refresh token that nobody will ever present", h.op.revoked)
		}
	})
}

func TestBrowserThatLeavesDuringTheCallbackDoesNotUndoTheSignIn(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Start(httptest.NewRecorder(), request().WithContext(ctx), h.login(), ""); err != nil {
			t.Error(err)
		}
	})
}

func TestSessionWithoutItsGrantIsNone(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		if err := h.rows.Delete(t.Context(), "easyauth:{"+h.load(r).ID+"}:grant"); err != nil {
			t.Fatal(err)
		}
		h.wantNone(r)
	})
}

func TestStoreOutageIsNotNoSession(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.signIn()
		h.fault.Hang()
		before := time.Now()
		if _, err := h.Load(r); !errors.Is(err, session.ErrUnavailable) || errors.Is(err, session.ErrNone) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
		if waited := time.Since(before); waited >= time.Second {
			t.Errorf("R8: waited %v", waited)
		}
		if _, err := h.Load(request()); !errors.Is(err, session.ErrNone) {
			t.Errorf("anonymous request: %v", err)
		}
		h.fault.Heal()
		h.load(r)
	})
}

func TestSpendIsForTheFirst(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		var wg sync.WaitGroup
		var first sync.Map
		for i := range 50 {
			wg.Go(func() {
				if ok, err := h.Spend(t.Context(), "attempt", time.Now().Add(time.Minute)); err != nil {
					t.Error(err)
				} else if ok {
					first.Store(i, true)
				}
			})
		}
		wg.Wait()
		n := 0
		first.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("REP2: %d were first", n)
		}
		h.fault.Fail(errors.New("down"))
		if _, err := h.Spend(t.Context(), "other", time.Now().Add(time.Minute)); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	})
}

func TestDumpsShowNoToken(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.signIn())
		s.Token(t.Context())
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			for _, dump := range []string{fmt.Sprintf(verb, s), fmt.Sprintf(verb, struct{ S *session.Session }{s})} {
				for _, secret := range []string{"access-0", "refresh-0", "id-token", fmt.Sprintf("%x", "access-0"), fmt.Sprint([]byte("access-0"))} {
					if strings.Contains(dump, strings.Trim(secret, "[]")) {
						t.Errorf("LEA5: %s shows a token", verb)
					}
				}
			}
		}
	})
}

func TestHandMadeSessionIsEnoughToTestAHandler(t *testing.T) {
	ctx := session.NewContext(t.Context(), &session.Session{User: session.User{Name: "Alice"}})
	s, ok := session.FromContext(ctx)
	if !ok || s.User.Name != "Alice" {
		t.Errorf("session %v, %v", s, ok)
	}
	if _, err := s.Token(ctx); !errors.Is(err, grant.ErrNoRefreshToken) {
		t.Errorf("token: %v, want ErrNoRefreshToken", err)
	}
	if _, ok := session.FromContext(t.Context()); ok || session.Err(t.Context()) != nil {
		t.Error("an empty context has a session")
	}
	if err := session.Err(session.NewErrContext(ctx, session.ErrUnavailable)); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("Err = %v", err)
	}
}
