package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/store"
)

// loginAs is a completed login of somebody, in a session at the provider.
func (h *house) loginAs(subject, sid string) *providers.Login {
	login := h.login()
	login.Identity.Subject = subject
	login.Identity.Claims = claims(h.t, `{"iss":"https://op.example","sub":"`+subject+`","sid":"`+sid+`"}`)
	login.Tokens.RefreshToken = providers.NewSecret("refresh-of-" + subject + "-" + sid)
	return login
}

// browserOf signs somebody in and returns the browser's next request.
func (h *house) browserOf(subject, sid string) *http.Request {
	h.t.Helper()
	w := httptest.NewRecorder()
	if _, err := h.Start(w, request(), h.loginAs(subject, sid), ""); err != nil {
		h.t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	return request(c.Name + "=" + c.Value)
}

// signedIn reports which of the browsers are signed in, as "101".
func (h *house) signedIn(browsers ...*http.Request) string {
	h.t.Helper()
	var b strings.Builder
	for _, r := range browsers {
		switch _, err := h.Load(r); {
		case err == nil:
			b.WriteByte('1')
		case errors.Is(err, session.ErrNone):
			b.WriteByte('0')
		default:
			h.t.Fatal(err)
		}
	}
	return b.String()
}

func user(subject string) session.User {
	return session.User{Provider: "op", Issuer: "https://op.example", ID: subject}
}

func TestWhoIsEnded(t *testing.T) {
	const iss = "https://op.example"
	for _, tt := range []struct {
		name   string
		end    func(h *house, alice *session.Session) (int, error)
		ended  int
		left   string // of alice in one session at the provider, in another, in a third, and bob in the first
		reason string
	}{
		{"EndAll", func(h *house, _ *session.Session) (int, error) { return h.EndAll(h.t.Context(), user("alice")) }, 3, "0001", "everywhere"},
		{"EndOthers", func(h *house, s *session.Session) (int, error) { return h.EndOthers(h.t.Context(), s) }, 2, "1001", "everywhere"},
		{"EndSession", func(h *house, s *session.Session) (int, error) { return 1, h.EndSession(h.t.Context(), s.ID) }, 1, "0111", "administrative"},
		{"SES11 logout token with sub", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", iss, "alice", "")
		}, 3, "0001", "backchannel"},
		{"logout token with sid", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", iss, "", "one")
		}, 2, "0110", "backchannel"},
		{"logout token with sub and sid", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", iss, "alice", "one")
		}, 1, "0111", "backchannel"},
		{"another subject's sid", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", iss, "carol", "one")
		}, 0, "1111", ""},
		{"another provider's sid", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "other", iss, "", "one")
		}, 0, "1111", ""},
		{"another issuer's subject", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", "https://evil.example", "alice", "")
		}, 0, "1111", ""},
		{"a sid that is nobody's", func(h *house, _ *session.Session) (int, error) {
			return h.EndNamed(h.t.Context(), "op", iss, "", "four")
		}, 0, "1111", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				browsers := []*http.Request{h.browserOf("alice", "one"), h.browserOf("alice", "two"), h.browserOf("alice", "three"), h.browserOf("bob", "one")}
				h.said = nil
				n, err := tt.end(h, h.load(browsers[0]))
				if err != nil || n != tt.ended {
					t.Errorf("%d ended, %v; want %d", n, err, tt.ended)
				}
				if left := h.signedIn(browsers...); left != tt.left {
					t.Errorf("signed in %s, want %s", left, tt.left)
				}
				if len(h.said) != tt.ended || tt.ended > 0 && h.said[0] != "ended "+tt.reason || len(h.op.revoked) != tt.ended {
					t.Errorf("hooks said %v, revoked %v; want %d", h.said, h.op.revoked, tt.ended)
				}
			})
		})
	}
}

// Whatever writes a session's row keeps it findable.
func TestTagsOutliveEveryWrite(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(h *house, r *http.Request)
	}{
		{"touched", func(h *house, r *http.Request) {
			time.Sleep(10 * time.Minute)
			h.Touch(h.t.Context(), h.load(r))
		}},
		{"refreshed", func(h *house, r *http.Request) {
			time.Sleep(10 * time.Minute)
			h.Refresh(h.t.Context(), h.load(r))
		}},
		{"renewed", func(h *house, r *http.Request) {
			time.Sleep(29 * time.Minute)
			h.Touch(h.t.Context(), h.load(r))
			time.Sleep(2 * time.Minute)
			if _, err := h.Renew(h.t.Context(), h.load(r)); err != nil {
				h.t.Error(err)
			}
		}},
		{"new claims without a sid", func(h *house, r *http.Request) {
			h.op.claims = claims(h.t, `{"iss":"https://op.example","sub":"alice","name":"Alice B."}`)
			h.Refresh(h.t.Context(), h.load(r))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			change := func(c *session.Config) { c.Lifetime, c.IdleTimeout = 30*time.Minute, 30*time.Minute }
			story(t, change, func(t *testing.T, h *house) {
				r := h.browserOf("alice", "one")
				h.count.Reset()
				tt.write(h, r)
				if h.count.Counts().Saves == 0 {
					t.Fatal("nothing was written")
				}
				if s, err := h.Sessions(t.Context(), user("alice")); err != nil || len(s) != 1 {
					t.Errorf("by user: %v, %v", s, err)
				}
				if n, err := h.EndNamed(t.Context(), "op", "https://op.example", "", "one"); n != 1 || err != nil {
					t.Errorf("by sid: %d, %v", n, err)
				}
			})
		})
	}
	t.Run("a sid that the provider changed", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			r := h.browserOf("alice", "one")
			h.op.claims = claims(t, `{"iss":"https://op.example","sub":"alice","sid":"two"}`)
			if _, err := h.Refresh(t.Context(), h.load(r)); err != nil {
				t.Fatal(err)
			}
			if n, err := h.EndNamed(t.Context(), "op", "https://op.example", "", "two"); n != 1 || err != nil {
				t.Errorf("by the new sid: %d, %v", n, err)
			}
		})
	})
}

func TestSES9TagsTellNothing(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		s := h.load(h.browserOf("alice", "session-at-op"))
		rows, err := h.rows.Load(t.Context(), "easyauth:{"+s.ID+"}:session", "easyauth:{"+s.ID+"}:grant")
		if err != nil || len(rows[0].Tags) != 2 || len(rows[1].Tags) != 0 {
			t.Fatalf("tags %v and %v, %v", rows[0].Tags, rows[1].Tags, err)
		}
		for _, tag := range rows[0].Tags {
			if strings.Contains(tag, "alice") || strings.Contains(tag, "session-at-op") || strings.Contains(tag, "op.example") {
				t.Errorf("tag %q", tag)
			}
		}
	})
}

func TestEndAllThatFailsSaysWhatIsLeft(t *testing.T) {
	t.Run("store down", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			r := h.browserOf("alice", "one")
			h.fault.Fail(errors.New("connection refused"))
			if n, err := h.EndAll(t.Context(), user("alice")); n != 0 || !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("%d ended, %v", n, err)
			}
			h.fault.Heal()
			h.load(r)
		})
	})
	t.Run("SES5 store refuses writes", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			a, b := h.browserOf("alice", "one"), h.browserOf("alice", "two")
			h.said = nil
			h.fault.RefuseWrites(errors.New("read-only"))
			n, err := h.EndAll(t.Context(), user("alice"))
			if n != 0 || !errors.Is(err, session.ErrUnavailable) || !strings.HasPrefix(err.Error(), "session: 0 sessions ended and 2 left: ") {
				t.Errorf("%d ended, %v", n, err)
			}
			h.fault.Heal()
			if left := h.signedIn(a, b); left != "11" || len(h.said) != 0 {
				t.Errorf("signed in %s, hooks said %v", left, h.said)
			}
			if n, err := h.EndAll(t.Context(), user("alice")); n != 2 || err != nil {
				t.Errorf("once more: %d ended, %v", n, err)
			}
		})
	})
	t.Run("store that cannot search", func(t *testing.T) {
		story(t, func(c *session.Config) { c.Store = struct{ store.Store }{c.Store} }, func(t *testing.T, h *house) {
			h.browserOf("alice", "one")
			_, err := h.EndAll(t.Context(), user("alice"))
			if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "redisstore") {
				t.Errorf("%v: want an errors.ErrUnsupported that names stores which can", err)
			}
		})
	})
	t.Run("user not named in full", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			for _, u := range []session.User{{}, {Provider: "op", ID: "alice"}, {Issuer: "https://op.example", ID: "alice"}, {Provider: "op", Issuer: "https://op.example"}} {
				if _, err := h.EndAll(t.Context(), u); err == nil || errors.Is(err, session.ErrUnavailable) {
					t.Errorf("%+v: %v", u, err)
				}
			}
			if _, err := h.EndNamed(t.Context(), "op", "", "", "one"); err == nil {
				t.Error("a sid without an issuer")
			}
		})
	})
	t.Run("provider that hangs keeps nobody", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			h.op.revokeTakes = 10 * time.Second
			for range 16 {
				h.browserOf("alice", "one")
			}
			began := time.Now()
			if n, err := h.EndAll(t.Context(), user("alice")); n != 16 || err != nil {
				t.Errorf("%d ended, %v", n, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	})
}

// An ended session of which a row was left over is not kept alive by a request
// that is still at it.
func TestRowThatIsLeftOfAnEndedSessionIsNotProlonged(t *testing.T) {
	story(t, func(c *session.Config) { c.IdleTimeout = time.Hour }, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		time.Sleep(10 * time.Minute)
		slow := h.load(r)
		if err := h.rows.Delete(t.Context(), "easyauth:{"+slow.ID+"}:grant"); err != nil {
			t.Fatal(err)
		}
		h.count.Reset()
		h.Touch(t.Context(), slow)
		if n := h.count.Counts().Saves; n != 0 {
			t.Errorf("%d writes", n)
		}
		h.wantNone(r)
	})
}

// A row that this replica cannot read, because its keys or its version are
// others, is a session all the same.
func TestRowThatCannotBeReadHereIsEndedToo(t *testing.T) {
	for name, end := range map[string]func(h *house) (int, error){
		"by user": func(h *house) (int, error) { return h.EndAll(h.t.Context(), user("alice")) },
		"by sid and by sub": func(h *house) (int, error) {
			return h.EndNamed(h.t.Context(), "op", "https://op.example", "alice", "one")
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				s := h.load(h.browserOf("alice", "one"))
				key := "easyauth:{" + s.ID + "}:session"
				rows, err := h.rows.Load(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				rows[0].Value = []byte("2: of another version")
				if _, err := h.rows.Save(t.Context(), key, rows[0]); err != nil {
					t.Fatal(err)
				}
				if n, err := end(h); n != 1 || err != nil || h.rows.Len() != 0 || len(h.op.revoked) != 1 {
					t.Errorf("%d ended, %v; %d rows left, revoked %v", n, err, h.rows.Len(), h.op.revoked)
				}
			})
		})
	}
}

func TestAdministrativeList(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		first := h.load(h.browserOf("alice", "one"))
		time.Sleep(time.Hour)
		second := h.load(h.browserOf("alice", "two"))
		h.browserOf("bob", "three")
		h.count.Reset()
		list, err := h.Sessions(t.Context(), first.User)
		if err != nil || len(list) != 2 || list[0].ID != second.ID || list[1].ID != first.ID {
			t.Fatalf("%v, %v; want the latest sign-in first", list, err)
		}
		if n := h.count.Counts(); n.Tagged != 1 || n.Loads != 1 {
			t.Errorf("the list cost %+v", n)
		}
		s := list[1]
		if !s.CreatedAt.Equal(start) || !s.SeenAt.Equal(start) || !s.ExpiresAt.Equal(start.Add(8*time.Hour)) || s.User.ID != "alice" {
			t.Errorf("created %v, seen %v, expires %v, user %v", s.CreatedAt, s.SeenAt, s.ExpiresAt, s.User.ID)
		}
		if token, err := list[0].Token(t.Context()); err != nil || token.AccessToken != "access-0" {
			t.Errorf("token %v, %v", token, err)
		}
		w := httptest.NewRecorder()
		h.WriteCookie(w, s)
		if set := w.Header().Get("Set-Cookie"); set != "" {
			t.Errorf("an administrator's browser got the cookie %s", set)
		}
		h.count.Reset()
		for _, id := range []string{"", "nobody", strings.Repeat("a", 43), "../../etc/passwd", strings.Repeat("a", 300)} {
			if _, err := h.Open(t.Context(), id); !errors.Is(err, session.ErrNone) {
				t.Errorf("open %q: %v", id, err)
			}
			if err := h.EndSession(t.Context(), id); !errors.Is(err, session.ErrNone) {
				t.Errorf("end %q: %v", id, err)
			}
		}
		if n := h.count.Counts().Loads; n != 2 {
			t.Errorf("%d looks at the store for one id that can be one", n)
		}
		time.Sleep(79 * time.Hour) // the first is past its grace period, the second is in it
		if list, err = h.Sessions(t.Context(), first.User); err != nil || len(list) != 1 || list[0].ID != second.ID || list[0].State() != session.Grace {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// A session that nobody used for too long is ended by the request that finds it:
// its refresh token is worth nothing to anybody any more.
func TestIdleSessionIsEndedByWhoeverFindsIt(t *testing.T) {
	story(t, func(c *session.Config) { c.IdleTimeout = time.Hour }, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		time.Sleep(time.Hour)
		for range 50 {
			h.wantNone(r)
		}
		synctest.Wait()
		if h.rows.Len() != 0 || len(h.op.revoked) != 1 || !slices.Equal(h.said, []string{"started", "ended idle"}) {
			t.Errorf("%d rows, revoked %v, hooks said %v", h.rows.Len(), h.op.revoked, h.said)
		}
	})
}

func TestEndIsToldOnceHoweverManyFindIt(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		time.Sleep(9 * time.Hour)
		h.op.refuse, h.op.takes = revoked, time.Second
		done := make(chan struct{})
		for range 50 {
			go func() {
				defer func() { done <- struct{}{} }()
				s, err := h.Load(r)
				if err == nil {
					_, err = h.Renew(t.Context(), s)
				}
				if !errors.Is(err, session.ErrNone) {
					t.Errorf("renew: %v", err)
				}
			}()
		}
		for range 50 {
			<-done
		}
		if want := []string{"started", "failed revoked", "ended revoked"}; !slices.Equal(h.said, want) {
			t.Errorf("hooks said %v, want %v", h.said, want)
		}
	})
}

func TestREP5WhatWasSpentIsKnownEverywhere(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		spent := func(want bool) {
			t.Helper()
			if got, err := h.Spent(t.Context(), "jti"); err != nil || got != want {
				t.Errorf("spent: %v, %v; want %v", got, err, want)
			}
		}
		spent(false)
		for _, first := range []bool{true, false} {
			if got, err := h.Spend(t.Context(), "jti", time.Now().Add(time.Hour)); err != nil || got != first {
				t.Errorf("spend: %v, %v; want %v", got, err, first)
			}
			spent(true)
		}
		time.Sleep(time.Hour)
		spent(false)
		h.fault.Fail(errors.New("down"))
		if _, err := h.Spent(t.Context(), "jti"); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("spent: %v", err)
		}
	})
}
