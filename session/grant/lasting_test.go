package grant_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
)

// B43: a handler that works for long must not see its token die under way.
func TestB43TokenThatLastsIsRenewedInTime(t *testing.T) {
	for _, row := range []struct {
		name   string
		after  time.Duration // since the sign-in, with an hour to live
		lasts  time.Duration
		wanted string
	}{
		{"it does", 20 * time.Minute, 30 * time.Minute, "at0"},
		{"it does not", 20 * time.Minute, 41 * time.Minute, "at1"},
		{"longer than any lives", 10 * time.Minute, 10 * time.Hour, "at0"},
		{"longer than any lives, and aging", 20 * time.Minute, 10 * time.Hour, "at1"},
		{"expired", 2 * time.Hour, time.Minute, "at1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
				time.Sleep(row.after)
				token, err := h.request(k).TokenLasting(t.Context(), grant.Audience{}, row.lasts)
				if err != nil || token.AccessToken != row.wanted {
					t.Fatalf("token = %+v, %v; want %s", token, err, row.wanted)
				}
				if token.AccessToken != "at0" && time.Until(token.Expiry) < min(row.lasts, 45*time.Minute) {
					t.Errorf("it dies in %v", time.Until(token.Expiry))
				}
			})
		})
	}
	t.Run("the provider is down, and the token lives", func(t *testing.T) {
		story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
			h.op.outage = func() answer { return down }
			time.Sleep(30 * time.Minute)
			token, err := h.request(k).TokenLasting(t.Context(), grant.Audience{}, 40*time.Minute)
			if err != nil || token.AccessToken != "at0" {
				t.Errorf("token = %+v, %v; want the one that lives", token, err)
			}
		})
	})
}

// B34: an alias that was pointed at another issuer, or another client, does not
// hand it the refresh tokens of the first, at the end of the session neither.
func TestB34TokensOfAnotherRegistrationAreSentNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, newOP(strict))
		h.op.client = "https://old.example client"
		old := h.process()
		h.login(old)
		time.Sleep(time.Hour)
		h.mustToken(old, "at1")

		h.op.client = "https://new.example client"
		k := h.process()
		h.mustToken(k, "at1") // an API may still take it
		time.Sleep(2 * time.Hour)
		err := h.wantError(k, grant.ErrReauthRequired)
		if reauth, ok := errors.AsType[*grant.ReauthError](err); !ok || reauth.Reason != grant.ReasonRegistration {
			t.Errorf("error %v, want the reason %s", err, grant.ReasonRegistration)
		}
		if err := h.request(k).Refresh(t.Context()); !errors.Is(err, grant.ErrReauthRequired) {
			t.Errorf("refresh: %v", err)
		}
		if err := k.End(t.Context(), key, "op"); err != nil {
			t.Fatal(err)
		}
		h.wantCalls(1)
		if len(h.op.revoked) > 0 {
			t.Errorf("revoked %q at the new issuer", h.op.revoked)
		}
	})
}
