package handlers_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
)

// DOS5: made-up codes cost the provider a call each. Whoever has to wait too long
// for their turn has spent nothing, and signs in when the flood is over; who
// signs in elsewhere does not wait at all.
func TestDOS5FloodOfCallbacksIsBoundedAndSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, other := &stub{name: "aad", took: 15 * time.Second}, &stub{name: "google"}
		s := newSite(t, setup{providers: []providers.Provider{slow, other}})
		type attempt struct {
			v    *visitor
			back string
		}
		var attempts []attempt
		for i := range 40 {
			v := s.visitor()
			attempts = append(attempts, attempt{v, fmt.Sprintf("/.auth/login/aad/callback?code=user%d&state=%s", i, v.begin(t, "/.auth/login/aad"))})
		}
		var (
			flood  sync.WaitGroup
			mu     sync.Mutex
			turned []attempt
			in     int
		)
		for _, a := range attempts {
			flood.Go(func() {
				w := a.v.get(a.back)
				mu.Lock()
				defer mu.Unlock()
				switch w.Code {
				case 302:
					in++
				case 503:
					turned = append(turned, a)
					if w.Header().Get("Refresh") == "" || w.Header().Get("Retry-After") == "" {
						t.Errorf("who is turned away is not told when to come back: %v", w.Header())
					}
				}
			})
		}
		synctest.Wait()
		begin, v := time.Now(), s.visitor()
		if w := v.get("/.auth/login/google/callback?code=bob&state=" + v.begin(t, "/.auth/login/google")); w.Code != 302 || time.Since(begin) != 0 {
			t.Errorf("elsewhere: status %d after %s", w.Code, time.Since(begin))
		}
		flood.Wait()
		if in != 32 || len(turned) != 8 || slow.completed != 32 {
			t.Fatalf("%d in, %d turned away, the provider asked %d times", in, len(turned), slow.completed)
		}
		for _, a := range turned {
			if w := a.v.get(a.back); w.Code != 302 {
				t.Errorf("after the flood: status %d", w.Code)
			}
		}
	})
}
