package simulation_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/goeasyauth/easyauth/handlers"
	"github.com/goeasyauth/easyauth/middleware"
	"github.com/goeasyauth/easyauth/providers"
	"github.com/goeasyauth/easyauth/session"
)

// replica is one process of the application: its own session manager, its own
// guard and routes, its own handle of the store, its own lines to the providers.
// A process that is started in the place of a dead one is another replica.
type replica struct {
	w    *world
	slot int
	name string

	sessions *session.Manager
	page     http.Handler // for who is signed in
	strict   http.Handler // for who has a token
	routes   http.Handler

	dead     atomic.Bool
	died     chan struct{}
	ice      atomic.Pointer[chan struct{}] // closed when it thaws; nil: it runs
	thawedAt atomic.Int64

	// Guarded by w.mu.
	storeCalls   int
	calling      map[*idp]int  // refreshes under way
	storeTrouble time.Duration // when something last went wrong between it and the store
	readTrouble  time.Duration // when it last could not read
	closedAt     time.Duration // 0: it was not told to end
}

// start starts a process.
func (w *world) start(slot, life int) *replica {
	r := &replica{w: w, slot: slot, name: fmt.Sprintf("%c%d", 'A'+slot, life), died: make(chan struct{}), calling: make(map[*idp]int)}
	var list []providers.Provider
	for _, i := range w.idps {
		list = append(list, &line{idp: i, r: r})
	}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	base := &url.URL{Scheme: "https", Host: "app.example"}
	var err error
	r.sessions, err = session.NewManager(session.Config{
		Store:            newStore(w, r),
		Providers:        list,
		Lifetime:         w.style.lifetime,
		Grace:            w.style.grace,
		IdleTimeout:      w.style.idle,
		AbsoluteLifetime: w.style.absolute,
		MaxProviderCalls: w.style.maxCalls,
		EndOnRevoke:      w.style.endOnRevoke,
		Hooks:            r.hooks(),
		Logger:           w.log,
	})
	must(err)
	guard, err := middleware.New(middleware.Config{
		Sessions: r.sessions, BaseURL: base, LazyTokens: w.style.lazyTokens, Logger: w.log,
	})
	must(err)
	r.routes, err = handlers.New(handlers.Config{
		Sessions: r.sessions, Providers: list, BaseURL: base, Keys: w.keys, Logger: w.log,
	})
	must(err)
	r.page = guard.Require(http.HandlerFunc(serve))
	r.strict = guard.RequireToken(http.HandlerFunc(serve))
	return r
}

func (r *replica) hooks() session.Hooks {
	hear := func(name string) func(context.Context, session.Event) {
		return func(_ context.Context, e session.Event) { r.w.hear(r, name, e) }
	}
	return session.Hooks{
		Started:       hear("started"),
		Refreshed:     hear("refreshed"),
		RefreshFailed: hear("refresh failed"),
		Waited:        hear("waited"),
		ReauthSoon:    hear("reauth soon"),
		Ended:         hear("ended"),
	}
}

// stall is where a process finds out that it is frozen, or dead: at every border
// between the code and the world. Whatever happens outside goes on meanwhile.
func (r *replica) stall() error {
	for {
		if r.dead.Load() {
			return errDead
		}
		ice := r.ice.Load()
		if ice == nil {
			return nil
		}
		select {
		case <-*ice:
		case <-r.died:
		}
	}
}

// sleep waits for d. It reports false where ctx or the process ends before.
func (r *replica) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-r.died:
	}
	return false
}

// froze reports whether the process is frozen, or was at some time since then.
func (r *replica) froze(since time.Duration) bool {
	return r.ice.Load() != nil || r.thawedAt.Load() > 0 && time.Duration(r.thawedAt.Load()) >= since
}

// endedInTrouble reports whether the process had to end while it was frozen or
// could not reach the store, and so may have lost what it had not stored yet. w.mu is held.
func (r *replica) endedInTrouble() bool {
	return r.closedAt > 0 && (r.storeTrouble > r.closedAt-10*time.Second || r.froze(r.closedAt-10*time.Second))
}

// endedAfter reports whether the process was told to end soon after then, with
// little time left for what it could not do at once. w.mu is held.
func (r *replica) endedAfter(then time.Duration) bool {
	return r.closedAt > 0 && r.closedAt < then+2*time.Minute
}

// freeze stops the process for d: a paused machine, a long collection of garbage.
func (r *replica) freeze(d time.Duration) {
	ice := make(chan struct{})
	if !r.ice.CompareAndSwap(nil, &ice) {
		return
	}
	r.w.diaryNote("%s freezes for %v", r.name, d)
	r.w.count("freezes")
	go func() {
		r.sleep(context.Background(), d)
		r.thaw()
	}()
}

func (r *replica) thaw() {
	ice := r.ice.Load()
	if ice != nil && r.ice.CompareAndSwap(ice, nil) {
		r.thawedAt.Store(int64(r.w.at()))
		close(*ice)
		r.w.diaryNote("%s thaws", r.name)
	}
}

// crash ends the process between two instructions. What it had sent is on its
// way; what it had not stored is gone. Another takes its place after a while.
func (r *replica) crash(restart time.Duration) {
	w := r.w
	w.mu.Lock()
	if w.closing || r.dead.Load() || w.replicas[r.slot] != r {
		w.mu.Unlock()
		return
	}
	r.dead.Store(true)
	close(r.died)
	w.sum.add("crashes")
	w.note("%s crashes", r.name)
	w.work.Go(func() {
		time.Sleep(restart)
		w.replace(r)
	})
	w.mu.Unlock()
	go r.sessions.Close() // so that no goroutine of the dead is left
}

// retire ends the process in good order, as a deployment does: its successor
// runs before it goes.
func (r *replica) retire() {
	w := r.w
	w.mu.Lock()
	current := w.replicas[r.slot] == r && !w.closing && !r.dead.Load()
	if current {
		w.sum.add("deployments")
		w.note("%s is told to end", r.name)
		r.closedAt = w.at()
	}
	w.mu.Unlock()
	if current {
		w.replace(r)
		go r.close()
	}
}

func (w *world) replace(r *replica) {
	var life int
	fmt.Sscanf(r.name[1:], "%d", &life)
	next := w.start(r.slot, life+1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas[r.slot] = next
	w.note("%s starts", next.name)
}

func (r *replica) close() { _ = r.sessions.Close() }

// diaryNote is note for those who do not hold w.mu.
func (w *world) diaryNote(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(format, args...)
}
