package figures_test

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

// A user has a session in three browsers, each begun at another replica and each
// with a stream at every replica. One session is ended at one replica and the
// others at another one: all streams end, and every replica knows at once that
// nobody is signed in. It takes a moment where the store tells of changes, and at
// most the ten seconds after which everybody looks where it does not. Somebody
// else's session is none the worse for it.
func endedEverywhere(t *testing.T, on *server) {
	h := newFleet(t, on)
	var browsers []visitor
	for _, r := range h.replicas {
		browsers = append(browsers, h.SignIn(r, "ada", fresh))
	}
	ada := browsers[0].session.User
	bob := h.SignIn(h.replicas[0], "bob", fresh)
	for i, r := range h.replicas {
		if list, err := r.Sessions().Sessions(t.Context(), ada); err != nil || len(list) != len(browsers) {
			t.Errorf("replica %d lists %d sessions: %v", i, len(list), err)
		}
	}
	limit := 15 * time.Second // ten, on a machine with nothing else to do
	if on.tells {
		limit = 5 * time.Second // half of what it takes without being told
	}
	streams, others := h.streams(browsers...), h.streams(bob)
	ends := whenEnded(streams, limit)

	began := time.Now()
	if err := h.replicas[1].Sessions().EndSession(t.Context(), browsers[0].session.ID); err != nil {
		t.Error(err)
	}
	if n, err := h.replicas[2].Sessions().EndAll(t.Context(), ada); n != len(browsers)-1 || err != nil {
		t.Errorf("%d sessions ended: %v", n, err)
	}
	ending := time.Since(began)

	for i, r := range h.replicas {
		for _, v := range browsers {
			if got := r.Ask(v, "/account").StatusCode; got != http.StatusUnauthorized {
				t.Errorf("replica %d answers %d to somebody who is signed out", i, got)
			}
		}
		if got := r.Ask(bob, "/account").StatusCode; got != http.StatusOK {
			t.Errorf("replica %d answers %d to somebody else", i, got)
		}
		if list, err := r.Sessions().Sessions(t.Context(), ada); err != nil || len(list) > 0 {
			t.Errorf("replica %d lists %d ended sessions: %v", i, len(list), err)
		}
	}
	var told spread
	for end := range ends {
		told = append(told, end.Sub(began))
	}
	if len(told) < len(streams) {
		t.Errorf("%d of %d streams go on after %v", len(streams)-len(told), len(streams), limit)
	}
	for range whenEnded(others, 0) {
		t.Error("a stream of somebody else ended")
	}
	if n := len(h.takeEnds()); n != len(browsers) {
		t.Errorf("%d ends were told, want %d", n, len(browsers))
	}
	for deadline := time.Now().Add(20 * time.Second); h.op.Stats().LiveGrants > 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d logins live at the provider, want that of somebody else", h.op.Stats().LiveGrants)
		}
	}
	t.Logf("ended in %v; streams ended after %v", ending.Round(time.Millisecond/10), told)
}

// streams opens a stream of each visitor at every replica.
func (h *house) streams(visitors ...visitor) (ended []<-chan struct{}) {
	h.t.Helper()
	for _, r := range h.replicas {
		for _, v := range visitors {
			s, err := r.Sessions().Open(h.t.Context(), v.session.ID)
			if err != nil {
				h.t.Fatal(err)
			}
			ended = append(ended, s.Done(h.t.Context()))
		}
	}
	return ended
}

// whenEnded tells when each of the streams ended, until all have or the limit is
// reached.
func whenEnded(streams []<-chan struct{}, limit time.Duration) <-chan time.Time {
	var all sync.WaitGroup
	ends := make(chan time.Time, len(streams))
	for _, ended := range streams {
		all.Go(func() {
			select {
			case <-ended:
				ends <- time.Now()
			case <-time.After(limit):
			}
		})
	}
	go func() {
		all.Wait()
		close(ends)
	}()
	return ends
}
