package providertest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

func TestFaultAtTheTokenEndpoint(t *testing.T) {
	for name, row := range map[string]struct {
		fault   providertest.Fault
		err     func(error) bool // of the refresh that it strikes
		took    time.Duration
		arrived int  // refresh requests that reached the provider
		spent   bool // the refresh token was used up
	}{
		"down": {
			fault: providertest.Fault{Down: true}, err: isDialError,
		},
		"cut before the work": {
			fault: providertest.Fault{Cut: true}, arrived: 1,
			err: func(err error) bool { return errors.Is(err, io.EOF) },
		},
		"answer lost": {
			fault: providertest.Fault{Process: true, Cut: true}, arrived: 1, spent: true,
			err: func(err error) bool { return errors.Is(err, io.EOF) },
		},
		"busy": {
			fault: providertest.Fault{Status: 429, Header: http.Header{"Retry-After": {"120"}}}, arrived: 1,
			err: func(err error) bool {
				e, ok := errors.AsType[*oauth2.RetrieveError](err)
				return ok && e.Response.StatusCode == 429 && e.Response.Header.Get("Retry-After") == "120"
			},
		},
		"OAuth error": {
			fault: providertest.Fault{OAuthError: "interaction_required"}, arrived: 1,
			err: func(err error) bool { code, _ := oauthErr(err); return code == "interaction_required" },
		},
		"error under status 200": {
			fault: providertest.Fault{OAuthError: "invalid_grant", Status: 200}, arrived: 1,
			err: func(err error) bool { code, _ := oauthErr(err); return code == "invalid_grant" },
		},
		"gateway that gave up on a slow provider": {
			fault: providertest.Fault{Process: true, Lag: 3 * time.Second, Status: 502, Body: "<html>bad gateway</html>"},
			took:  3 * time.Second, arrived: 1, spent: true,
			err: func(err error) bool {
				e, ok := errors.AsType[*oauth2.RetrieveError](err)
				return ok && e.Response.StatusCode == 502
			},
		},
		"HTML under status 200": {
			fault: providertest.Fault{Header: http.Header{"Content-Type": {"text/html"}}, Body: "<html></html>"}, arrived: 1,
			err: func(err error) bool { return strings.Contains(err.Error(), "cannot parse json") },
		},
		"truncated JSON": {
			fault:   providertest.Fault{Edit: func(_ http.Header, body []byte) []byte { return body[:len(body)/2] }},
			arrived: 1, spent: true,
			err: func(err error) bool { return strings.Contains(err.Error(), "cannot parse json") },
		},
		"empty answer": {
			fault: providertest.Fault{Status: 200}, arrived: 1,
			err: func(err error) bool { return err != nil },
		},
		"body without end": {
			fault: providertest.Fault{Answer: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for {
					if _, err := w.Write(make([]byte, 4096)); err != nil {
						return
					}
				}
			})},
			arrived: 1,
			err:     func(err error) bool { return err != nil },
		},
		"slow": {
			fault: providertest.Fault{Delay: 9 * time.Second}, took: 9 * time.Second, arrived: 1, spent: true,
			err: func(err error) bool { return err == nil },
		},
		"a header more": {
			fault: providertest.Fault{Header: http.Header{"X-Big": {strings.Repeat("x", 1_000_000)}}}, arrived: 1, spent: true,
			err: func(err error) bool { return err == nil },
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newClient(t, providertest.Config{})
				rt := c.signIn().RefreshToken
				row.fault.Times = 1
				c.op.Fail(providertest.Token, row.fault)
				start := time.Now()
				_, err := c.refresh(rt)
				if !row.err(err) {
					t.Errorf("refresh failed with %v", err)
				}
				if took := time.Since(start); took != row.took {
					t.Errorf("it took %v, want %v", took, row.took)
				}
				if got := c.op.Stats().Refreshes; got != row.arrived {
					t.Errorf("%d requests arrived, want %d", got, row.arrived)
				}
				_, err = c.refresh(rt)
				if spent := err != nil; spent != row.spent {
					t.Errorf("the next refresh says %v, want spent %v", err, row.spent)
				}
			})
		})
	}
}

func TestFaultsStrikeInTheirOrderAndEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{Rotation: providertest.Reusable})
		rt := c.signIn().RefreshToken
		status := func() int {
			_, err := c.refresh(rt)
			if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
				return e.Response.StatusCode
			}
			return 200
		}
		c.op.Fail(providertest.Token, providertest.Fault{Times: 2, Status: 500})
		c.op.Fail(providertest.JWKS, providertest.Fault{Status: 404})
		healed := c.op.Fail(providertest.Token, providertest.Fault{Status: 502})
		for i, want := range []int{500, 500, 502, 502} {
			if got := status(); got != want {
				t.Errorf("call %d: %d, want %d", i, got, want)
			}
		}
		healed()
		c.op.FailFor(30 * time.Second)
		if got := status(); got != 503 {
			t.Errorf("in the period: %d", got)
		}
		time.Sleep(30 * time.Second)
		if got := status(); got != 200 {
			t.Errorf("after the period: %d", got)
		}
		c.op.Fail(providertest.Everything, providertest.Fault{Status: 500})
		c.op.Heal()
		if got := status(); got != 200 {
			t.Errorf("healed: %d", got)
		}
	})
}

func TestHeldRequestsAreProcessedThoughTheirClientsLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		rt := c.signIn().RefreshToken
		release := c.op.Hold(providertest.Token)
		ctx, cancel := context.WithTimeout(c.ctx, time.Second)
		defer cancel()
		if _, err := c.config.TokenSource(ctx, &oauth2.Token{RefreshToken: rt}).Token(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("held request: %v", err)
		}
		if st := c.op.Stats(); st.Refreshes != 1 || st.InFlight != 1 || st.Refreshed != 0 {
			t.Errorf("while held: %+v", st)
		}
		release()
		synctest.Wait()
		if st := c.op.Stats(); st.InFlight != 0 || st.Refreshed != 1 {
			t.Errorf("after the release: %+v", st)
		}
		release() // a second time does nothing
	})
}

func TestHeldAnswersAreOfWorkThatIsDone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		rt := c.signIn().RefreshToken
		release := c.op.HoldAnswers(providertest.Token)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.refresh(rt); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if st := c.op.Stats(); st.InFlight != 1 || st.Refreshed != 1 {
			t.Errorf("while held: %+v", st)
		}
		release()
		wg.Wait()
	})
}

func TestParallelRefreshesOfAStrictProviderKillTheGrant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		rt := c.signIn().RefreshToken
		c.op.Fail(providertest.Token, providertest.Fault{Delay: time.Second})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { c.refresh(rt) })
		}
		wg.Wait()
		st := c.op.Stats()
		if st.Refreshes != 50 || st.Refreshed != 1 || st.ReuseDetected != 1 || st.LiveGrants != 0 || st.MaxInFlight != 50 {
			t.Errorf("stats %+v", st)
		}
	})
}
