package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/memstore"
	"github.com/goeasyauth/easyauth/store/storetest"
)

// A store that cannot be asked is nobody's fault, and the provider may deliver
// again: before the token is spent, after it, and where only the answer is lost.
func TestStoreThatFailsDuringABackChannelLogout(t *testing.T) {
	down := errors.New("the store is down")
	thenDown := func(b *brittle, f *storetest.Faulty) {
		b.searches.Store(1)
		b.then = func() { f.Fail(down) }
	}
	for name, in := range map[string]struct {
		faults func(*brittle, *storetest.Faulty)
		left   int // of two sessions, while the store fails
	}{
		"is down":             {func(_ *brittle, f *storetest.Faulty) { f.Fail(down) }, 2},
		"hangs":               {func(_ *brittle, f *storetest.Faulty) { f.Hang() }, 2},
		"refuses writes":      {func(_ *brittle, f *storetest.Faulty) { f.RefuseWrites(down) }, 2},
		"fails and goes down": {thenDown, 2},
		"does not search":     {func(b *brittle, _ *storetest.Faulty) { b.searches.Store(1) }, 2},
		"fails in between":    {func(b *brittle, _ *storetest.Faulty) { b.writes.Store(1) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := &brittle{Store: memstore.New()}
				s := newTelling(t, setup{shared: storetest.NewCounting(inner)})
				laptop, _ := s.visit(t, "alice")
				phone, _ := s.visit(t, "alice")
				token := s.op.LogoutToken(providertest.ClientID, "sub-alice", "")

				in.faults(inner, s.faulty)
				began := time.Now()
				w := s.deliver(token, program...)
				if w.Code != 503 || w.Header().Get("Retry-After") != "5" || reason(t, w) != "store_unavailable" {
					t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("took %v", took)
				}
				checkHeaders(t, name, w)

				s.faulty.Heal()
				if n := s.sessionCount(laptop, phone); n != in.left {
					t.Errorf("%d sessions are left, want %d", n, in.left)
				}
				if w := s.deliver(token); w.Code != 200 || s.sessionCount(laptop, phone) != 0 {
					t.Errorf("delivered again: status %d: %s", w.Code, w.Body)
				}
			})
		})
	}
}

// A store whose answers are lost has done what it was asked for, and shows it.
func TestStoreWhoseAnswersAreLostDuringABackChannelLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{shared: storetest.NewCounting(memstore.New())})
		v, _ := s.visit(t, "alice")
		token := s.op.LogoutToken(providertest.ClientID, "sub-alice", "")
		s.faulty.LoseAnswers(errors.New("the connection broke"))
		if w := s.deliver(token); w.Code != 200 || s.sessionCount(v) != 0 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		s.faulty.Heal()
		if w := s.deliver(token); w.Code != 400 {
			t.Errorf("REP5: delivered again: status %d: %s", w.Code, w.Body)
		}
	})
}

// A store that has no search is a mistake of the configuration, which waiting
// does not mend; the log says which stores have it.
func TestBackChannelLogoutWithAStoreThatCannotSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{shared: storetest.NewCounting(plain{memstore.New()})})
		v, sid := s.visit(t, "alice")
		w := s.deliver(s.op.LogoutToken(providertest.ClientID, "", sid), program...)
		if reason(t, w) != "internal" || w.Header().Get("Retry-After") != "" || !strings.Contains(s.logs.String(), "memstore, sqlitestore, redisstore and pgstore") {
			t.Errorf("status %d: %s\n%s", w.Code, w.Body, s.logs)
		}
		s.mustSpare(t, v)
	})
}

// The provider's keys cannot be had: nothing is spent, and it is said when to
// come again.
func TestBackChannelLogoutWhileTheKeysCannotBeHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		v, sid := s.visit(t, "alice")
		fresh := newSite(t, setup{op: s.op, shared: s.counting}) // has no keys yet
		token := s.op.LogoutToken(providertest.ClientID, "sub-alice", sid)
		heal := s.op.Fail(providertest.JWKS, providertest.Fault{Status: 503, Header: http.Header{"Retry-After": {"17"}}})
		w := fresh.deliver(token, program...)
		if w.Code != 503 || w.Header().Get("Retry-After") != "17" || reason(t, w) != "provider_unavailable" {
			t.Errorf("status %d, Retry-After %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		s.mustSpare(t, v)
		heal()
		time.Sleep(17 * time.Second)
		if w := fresh.deliver(token); w.Code != 200 || s.sessionCount(v) != 0 {
			t.Errorf("delivered again: status %d: %s", w.Code, w.Body)
		}
	})
	for name, err := range map[string]error{
		"discovery is wrong":   &providers.Error{Kind: providers.Misconfigured},
		"an error of no kind":  errors.New("x"),
		"a provider that says": &providers.Error{Kind: providers.Unready, RetryAfter: time.Second},
	} {
		p := &teller{stub: stub{name: "aad"}, err: err}
		w := newSite(t, setup{providers: []providers.Provider{p}}).deliver("x", program...)
		if w.Code != 503 || w.Header().Get("Retry-After") != "5" {
			t.Errorf("%s: status %d, Retry-After %q", name, w.Code, w.Header().Get("Retry-After"))
		}
	}
}

// A provider that does not wait for the answer has said all the same what is over.
func TestProviderThatHangsUpDuringABackChannelLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTelling(t, setup{})
		v, sid := s.visit(t, "alice")
		ctx, hangUp := context.WithCancel(t.Context())
		body := url.Values{"logout_token": {s.op.LogoutToken(providertest.ClientID, "", sid)}}.Encode()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, app+backchannelPath, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		hangUp()
		if w := s.visitor().do(r); w.Code != 200 || s.sessionCount(v) != 0 {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

// brittle is a store that fails the next so many searches, or writes of a
// session's tokens.
type brittle struct {
	store.Store
	searches, writes atomic.Int32
	then             func() // after a search that failed
}

func (s *brittle) Tagged(ctx context.Context, tag string) ([]string, error) {
	if s.searches.Add(-1) >= 0 {
		if s.then != nil {
			s.then()
		}
		return nil, errors.New("the index is down")
	}
	return store.Tagged(ctx, s.Store, tag)
}

func (s *brittle) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	if s.refuses(key) {
		return store.Entry{}, errors.New("the connection broke")
	}
	return s.Store.Save(ctx, key, e)
}

func (s *brittle) Delete(ctx context.Context, key string) error {
	if s.refuses(key) {
		return errors.New("the connection broke")
	}
	return s.Store.Delete(ctx, key)
}

func (s *brittle) refuses(key string) bool {
	return strings.HasSuffix(key, "}:grant") && s.writes.Add(-1) >= 0
}

// plain is a store with no optional ability.
type plain struct{ store.Store }
