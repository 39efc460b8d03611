package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// api is a provider whose access tokens clients of this application send.
type api struct {
	*op
	name   string
	asked  int
	nobody bool             // it vouches for
	knows  map[string]error // by token: why it is refused
}

func (a *api) Name() string { return a.name }

func (a *api) VerifyBearer(_ context.Context, token providers.Secret) (providers.Identity, time.Time, error) {
	a.asked++
	err, known := a.knows[token.Reveal()]
	if !known {
		err = &providers.Error{Provider: a.name, Op: "verify", Kind: providers.Invalid}
	}
	if a.nobody {
		return providers.Identity{Issuer: "https://" + a.name + ".example"}, start.Add(time.Hour), err
	}
	return providers.Identity{Issuer: "https://" + a.name + ".example", Subject: "robot"}, start.Add(time.Hour), err
}

// taking is a configuration that takes access tokens of two providers.
func taking(first, second *api) func(*session.Config) {
	return func(c *session.Config) {
		signing(key32)(c)
		first.name, second.name = "first", "second"
		c.Providers = append(c.Providers, first, second)
		c.BearerProviders = []string{"first", "second"}
	}
}

func bearer(token string, cookies ...string) *http.Request {
	r := request(cookies...)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// Contract 1.11: Authorization: Bearer.
func TestAccessTokenOfAProviderSignsARequestIn(t *testing.T) {
	first, second := &api{}, &api{knows: map[string]error{"its": nil}}
	story(t, taking(first, second), func(t *testing.T, h *house) {
		r := bearer("its")
		r.Header.Set("Authorization", "bearer   its")
		s, err := h.LoadAny(r)
		if err != nil {
			t.Fatal(err)
		}
		if s.User.Provider != "second" || s.User.Issuer != "https://second.example" || s.User.ID != "robot" || s.Carrier() != session.Bearer ||
			s.State() != session.Active || !s.ExpiresAt.Equal(start.Add(time.Hour)) || s.ID != "" || !s.AuthTime.IsZero() {
			t.Errorf("%+v by %v, expires %v", s.User, s.Carrier(), s.ExpiresAt)
		}
		if _, err := s.Token(t.Context()); !errors.Is(err, grant.ErrNoRefreshToken) {
			t.Errorf("token: %v", err)
		}
		if s.Done(t.Context()) != nil {
			t.Error("Done of what never ends")
		}
		if err := errors.Join(h.KeepFresh(t.Context(), s), h.End(t.Context(), s)); err != nil {
			t.Error(err)
		}
		h.Touch(t.Context(), s)
		if n := h.count.Counts(); n.Loads+n.Saves != 0 {
			t.Errorf("the store was asked: %+v", n)
		}
	})
}

func TestAccessTokenThatIsRefused(t *testing.T) {
	refuse := func(k providers.Kind) error { return &providers.Error{Kind: k} }
	for _, tt := range []struct {
		name   string
		header []string
		wanted error
		asked  bool
	}{
		{"nobody's", []string{"Bearer other"}, session.ErrBearer, true},
		{"of somebody who may not come in", []string{"Bearer barred"}, session.ErrForbidden, true},
		{"while the keys cannot be fetched", []string{"Bearer down"}, session.ErrUnavailable, true},
		{"empty", []string{"Bearer"}, session.ErrBearer, false},
		{"HDR6 two of them", []string{"Bearer its", "Bearer its"}, session.ErrBearer, false},
		{"HDR6 one beside another scheme", []string{"Basic dTpw", "Bearer its"}, session.ErrBearer, false},
		{"JWT13 64 kB", []string{"Bearer " + strings.Repeat("a", 64<<10)}, session.ErrBearer, false},
		{"another scheme", []string{"Basic dTpw"}, session.ErrNoCookie, false},
		{"none", nil, session.ErrNoCookie, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := &api{knows: map[string]error{"its": nil, "barred": refuse(providers.NotAllowed), "down": refuse(providers.Unready)}}
			story(t, taking(first, &api{}), func(t *testing.T, h *house) {
				r := request()
				if tt.header != nil {
					r.Header["Authorization"] = tt.header
				}
				if s, err := h.LoadAny(r); s != nil || !errors.Is(err, tt.wanted) {
					t.Errorf("%v, %v; want %v", s, err, tt.wanted)
				}
				if asked := first.asked > 0; asked != tt.asked {
					t.Errorf("the provider was asked: %v", asked)
				}
			})
		})
	}
}

// One provider's outage is not another's.
func TestAccessTokenOfTheNextProviderWhileOneIsDown(t *testing.T) {
	first := &api{knows: map[string]error{"its": &providers.Error{Kind: providers.Unready}}}
	story(t, taking(first, &api{knows: map[string]error{"its": nil}}), func(t *testing.T, h *house) {
		if s, err := h.LoadAny(bearer("its")); err != nil || s.User.Provider != "second" {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// CVE-2026-42560: one id for all users of a provider.
func TestAccessTokenOfNobodyInParticular(t *testing.T) {
	story(t, taking(&api{knows: map[string]error{"its": nil}, nobody: true}, &api{}), func(t *testing.T, h *house) {
		if s, err := h.LoadAny(bearer("its")); s != nil || !errors.Is(err, session.ErrBearer) {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// A program that sends a credential must not be somebody else because of another.
func TestPrecedenceOfCredentials(t *testing.T) {
	first := &api{knows: map[string]error{"its": nil}}
	story(t, taking(first, &api{}), func(t *testing.T, h *house) {
		cookie, token := h.browserOf("bob", "one").Header.Get("Cookie"), h.token()
		both := bearer("its", cookie)
		if s, err := h.LoadAny(both); err != nil || s.User.ID != "robot" {
			t.Errorf("access token and cookie: %v, %v", s, err)
		}
		if s, err := h.LoadAny(bearer("other", cookie)); !errors.Is(err, session.ErrBearer) {
			t.Errorf("bad access token and cookie: %v, %v", s, err)
		}
		both.Header.Set("X-ZUMO-AUTH", token)
		if s, err := h.LoadAny(both); err != nil || s.User.ID != "alice" {
			t.Errorf("all three: %v, %v; want the session token's", s, err)
		}
		// docs#11383: the routes of easyauth take no access token.
		if s, err := h.Load(bearer("its")); !errors.Is(err, session.ErrNoCookie) {
			t.Errorf("Load: %v, %v", s, err)
		}
	})
	story(t, nil, func(t *testing.T, h *house) {
		cookie := h.browserOf("bob", "one").Header.Get("Cookie")
		if s, err := h.LoadAny(bearer("the application's own", cookie)); err != nil || s.User.ID != "bob" {
			t.Errorf("without BearerProviders: %v, %v", s, err)
		}
	})
}

func TestBearerProvidersThatAreRefused(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		for _, name := range []string{"op", "other", ""} {
			m, err := session.NewManager(session.Config{Store: h.count, Providers: []providers.Provider{h.op}, BearerProviders: []string{name}})
			if m != nil || err == nil || !strings.Contains(err.Error(), "BearerProviders") {
				t.Errorf("%q: %v", name, err)
			}
		}
	})
}
