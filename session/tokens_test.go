package session_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

func TestJobGetsTokensOfTheLatestSignIn(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		h.browserOf("alice", "one")
		time.Sleep(time.Hour)
		latest := h.load(h.browserOf("alice", "two"))
		h.browserOf("bob", "three")
		s, err := h.Tokens(t.Context(), user("alice"))
		if err != nil || s.ID != latest.ID {
			t.Fatalf("%v, %v; want %v", s, err, latest)
		}
		byID, err := h.Open(t.Context(), latest.ID)
		if err != nil || byID.User.ID != "alice" {
			t.Errorf("%v, %v", byID, err)
		}
	})
}

func TestJobGetsTokensOfAnotherSignInWhereTheLatestHasNone(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		first := h.load(h.browserOf("alice", "one"))
		time.Sleep(time.Minute)
		dead := h.load(h.browserOf("alice", "two"))
		h.op.refuse = revoked
		if _, err := h.Refresh(t.Context(), dead); !errors.Is(err, grant.ErrReauthRequired) {
			t.Fatal(err)
		}
		h.op.refuse = nil
		time.Sleep(2 * time.Hour)
		if s, err := h.Tokens(t.Context(), user("alice")); err != nil || s.ID != first.ID {
			t.Errorf("%v, %v; want %v", s, err, first)
		}
	})
}

func TestJobIsToldWhyThereAreNoTokens(t *testing.T) {
	for _, tt := range []struct {
		name   string
		set    func(h *house)
		wanted error
	}{
		{"no session", func(h *house) { h.EndAll(h.t.Context(), user("alice")) }, session.ErrNone},
		{"revoked", func(h *house) { h.op.refuse = revoked }, grant.ErrReauthRequired},
		{"provider busy", func(h *house) { h.op.refuse = &providers.Error{Kind: providers.Busy} }, grant.ErrTransient},
		{"store down", func(h *house) { h.fault.Fail(errors.New("connection refused")) }, session.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			story(t, nil, func(t *testing.T, h *house) {
				h.browserOf("alice", "one")
				time.Sleep(2 * time.Hour)
				tt.set(h)
				if s, err := h.Tokens(t.Context(), user("alice")); s != nil || !errors.Is(err, tt.wanted) {
					t.Errorf("%v, %v; want %v", s, err, tt.wanted)
				}
			})
		})
	}
	t.Run("one revoked, one to be tried again", func(t *testing.T) {
		story(t, nil, func(t *testing.T, h *house) {
			h.browserOf("alice", "one")
			time.Sleep(time.Minute)
			dead := h.load(h.browserOf("alice", "two"))
			h.op.refuse = revoked
			h.Refresh(t.Context(), dead)
			time.Sleep(2 * time.Hour)
			h.op.refuse = &providers.Error{Kind: providers.Busy}
			if _, err := h.Tokens(t.Context(), user("alice")); !errors.Is(err, grant.ErrTransient) {
				t.Errorf("%v: want the one that is worth trying again", err)
			}
		})
	})
}

// A job in the grace period gets fresh tokens, and the session is no younger for it.
func TestJobDoesNotCountAsTheUserBeingThere(t *testing.T) {
	story(t, func(c *session.Config) { c.IdleTimeout = 20 * time.Hour }, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		for range 19 {
			time.Sleep(time.Hour)
			s, err := h.Tokens(t.Context(), user("alice"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Token(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s := h.load(r)
		if s.State() != session.Grace || !s.SeenAt.Equal(start) || !s.ExpiresAt.Equal(start.Add(8*time.Hour)) {
			t.Errorf("state %v, seen %v, expires %v", s.State(), s.SeenAt, s.ExpiresAt)
		}
		if h.op.calls < 15 {
			t.Errorf("%d refreshes", h.op.calls)
		}
		time.Sleep(time.Hour)
		if _, err := h.Tokens(t.Context(), user("alice")); !errors.Is(err, session.ErrNone) {
			t.Errorf("after the idle timeout: %v", err)
		}
	})
}

func TestJobEndsWithTheSession(t *testing.T) {
	story(t, nil, func(t *testing.T, h *house) {
		r := h.browserOf("alice", "one")
		job, err := h.Tokens(t.Context(), user("alice"))
		if err != nil {
			t.Fatal(err)
		}
		h.End(t.Context(), h.load(r))
		time.Sleep(11 * time.Second) // a job may use what it has just seen for so long
		if _, err := job.Token(t.Context()); !errors.Is(err, grant.ErrSessionEnded) {
			t.Errorf("token: %v, want ErrSessionEnded", err)
		}
		if !closed(job.Done(t.Context())) {
			t.Error("Done is open")
		}
		if slices.Contains(h.said, "refreshed") {
			t.Errorf("hooks said %v", h.said)
		}
	})
}
