package grant_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session/grant"
)

// Contract 1.7: what only the sign-in brings outlives the refreshes.
func TestTokensThatOnlyASignInBringsAreKept(t *testing.T) {
	story(t, strict, func(t *testing.T, h *house, k *grant.Keeper) {
		err := k.Create(t.Context(), nextKey, "op", providers.Tokens{
			AccessToken: providers.NewSecret("at0"), RefreshToken: providers.NewSecret("rt0"),
			AccessTokenSecret: providers.NewSecret("their-secret"), AuthenticationToken: providers.NewSecret("their-jwt"),
			SentAt: time.Now(), ExpiresIn: time.Hour,
		}, time.Now().Add(1000*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		for _, access := range []string{"at0", "at1"} {
			if _, err := h.next(k).Token(t.Context(), grant.Audience{}); err != nil {
				t.Fatal(err)
			}
			got, err := h.next(k).Snapshot(t.Context())
			if err != nil || got.AccessToken.Reveal() != access || got.AccessTokenSecret.Reveal() != "their-secret" || got.AuthenticationToken.Reveal() != "their-jwt" {
				t.Errorf("%q, %q and %q, %v", got.AccessToken.Reveal(), got.AccessTokenSecret.Reveal(), got.AuthenticationToken.Reveal(), err)
			}
			if said := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(said, "their") {
				t.Errorf("a dump tells %s", said)
			}
			time.Sleep(2 * time.Hour)
		}

		synctest.Wait()
		h.op.answers = []answer{{fail: true, kind: providers.Revoked}}
		h.next(k).Token(t.Context(), grant.Audience{})
		if got, err := h.next(k).Snapshot(t.Context()); err != nil || !got.AccessTokenSecret.IsZero() || !got.AuthenticationToken.IsZero() {
			t.Errorf("%v, %v: want nothing left of a revoked grant", got, err)
		}
	})
}
