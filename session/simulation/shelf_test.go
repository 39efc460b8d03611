package simulation_test

import (
	"context"
	"errors"
	"time"

	"github.com/goeasyauth/easyauth/session/grant"
	"github.com/goeasyauth/easyauth/store"
	"github.com/goeasyauth/easyauth/store/sealed"
)

var (
	errDown = errors.New("simulated: connection refused")
	errLost = errors.New("simulated: connection reset")
	errDead = errors.New("simulated: this process is no more")
)

// shelf is the store as one replica reaches it: over a network that delays,
// breaks and loses answers, while the replica may freeze or die at any moment.
type shelf struct {
	w     *world
	r     *replica
	calls map[string]int // by operation and key
}

var (
	_ store.Store    = (*shelf)(nil)
	_ store.TagIndex = (*shelf)(nil)
	_ store.Watcher  = (*shelf)(nil)
)

// newStore is what a replica's configuration calls its store: reader over the
// seal over the network.
func newStore(w *world, r *replica) store.Store {
	s, err := sealed.New(&shelf{w: w, r: r, calls: make(map[string]int)}, w.keys)
	if err != nil {
		panic(err)
	}
	return reader{s}
}

// reader stands above the seal and sends along, beside what is stored, what it
// means: the ledger reads it without opening the seal again.
type reader struct{ *sealed.Store }

type plaintext struct{}

func (s reader) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	return s.Store.Save(context.WithValue(ctx, plaintext{}, readRow(key, e.Value)), key, e)
}

// Load implements [store.Store].
func (s *shelf) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	return reach(s, ctx, "load", keys[0], func() ([]store.Entry, error) { return s.w.disk.load(keys) })
}

// Save implements [store.Store].
func (s *shelf) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	next := ctx.Value(plaintext{}).(*row)
	s.w.mu.Lock()
	place := s.w.ledger.place(key, next)
	s.w.mu.Unlock()
	s.w.pass("before "+place, s.r, loginOf(key))
	saved, err := reach(s, ctx, "save", key, func() (store.Entry, error) {
		saved, err := s.w.disk.save(key, e)
		if err == nil {
			s.w.ledger.saved(s.r, key, next)
		}
		return saved, err
	})
	if err == nil {
		s.w.pass("after "+place, s.r, loginOf(key))
		err = s.r.stall()
	}
	return saved, err
}

// Delete implements [store.Store].
func (s *shelf) Delete(ctx context.Context, key string) error {
	_, err := reach(s, ctx, "delete", key, func() (struct{}, error) {
		s.w.ledger.deleted(s.r, key)
		s.w.disk.delete(key)
		return struct{}{}, nil
	})
	return err
}

// Tagged implements [store.TagIndex].
func (s *shelf) Tagged(ctx context.Context, tag string) ([]string, error) {
	return reach(s, ctx, "tagged", tag, func() ([]string, error) { return s.w.disk.mem.Tagged(context.Background(), tag) })
}

// Watch implements [store.Watcher].
func (s *shelf) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	told, err := reach(s, ctx, "watch", key, func() (<-chan struct{}, error) { return s.w.disk.mem.Watch(ctx, key) })
	if err != nil {
		return nil, err
	}
	out := make(chan struct{}, 1)
	d := s.dice("tell", key)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-told:
			}
			time.Sleep(d.between(100*time.Microsecond, 5*time.Millisecond))
			if s.r.stall() != nil || s.w.weather.deafens(s.w, s.r) {
				continue
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, nil
}

func (s *shelf) dice(op, key string) dice {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	name := s.r.name + op + key
	s.calls[name]++
	return s.w.dice(name, s.calls[name])
}

// opLimit is the longest that a store operation may be allowed to take (I13).
const opLimit = grant.StoreTimeout

// reach does one operation on the far side of the network.
func reach[T any](s *shelf, ctx context.Context, op, key string, do func() (T, error)) (T, error) {
	var none T
	w, r := s.w, s.r
	if err := r.stall(); err != nil {
		return none, err
	}
	began := w.at()
	w.mu.Lock()
	r.storeCalls++
	if limit, ok := ctx.Deadline(); op != "watch" && (!ok || time.Until(limit) > opLimit) {
		w.breach("I13", "%s asks the store to %s without a time limit of %v", r.name, op, opLimit)
	}
	w.mu.Unlock()
	d := s.dice(op, key)
	fault := w.weather.storeFault(w, r, op, d)
	if fault != nil {
		w.mu.Lock()
		r.storeTrouble = w.at()
		if op == "load" {
			r.readTrouble = w.at()
		}
		w.note("%s: store: %s %s: %s", r.name, op, key, fault.name)
		w.mu.Unlock()
	}
	defer func() {
		if w.at()-began > opLimit/2 || fault != nil {
			w.mu.Lock()
			r.storeTrouble = w.at()
			w.mu.Unlock()
		}
	}()
	there, back := d.between(0, 2*w.style.storeLatency), d.between(0, 2*w.style.storeLatency)
	switch {
	case fault == nil:
	case fault.refuses:
		r.sleep(ctx, there)
		if err := r.stall(); err != nil {
			return none, err
		}
		return none, errDown
	case fault.hangs:
		r.sleep(ctx, time.Minute)
		if err := r.stall(); err != nil {
			return none, err
		}
		return none, ctx.Err()
	case fault.slow > 0:
		there += d.between(0, fault.slow)
		back += d.between(0, fault.slow)
	}
	if op == "load" { // one wait is enough to be overtaken by a write
		if d.chance(0.5) {
			there = 0
		} else {
			back = 0
		}
	}
	act := func() (T, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return do()
	}
	if there > 0 && !r.sleep(ctx, there) {
		if op == "save" || op == "delete" {
			// What was sent may arrive when nobody waits for it any more.
			if d.chance(0.5) {
				go func() {
					time.Sleep(d.between(0, 3*time.Second))
					act()
				}()
			}
		}
		if err := r.stall(); err != nil {
			return none, err
		}
		return none, ctx.Err()
	}
	result, err := act()
	if back > 0 && !r.sleep(ctx, back) {
		if err := r.stall(); err != nil {
			return none, err
		}
		return none, ctx.Err()
	}
	if err := r.stall(); err != nil {
		return none, err
	}
	if err == nil && fault != nil && fault.loses && op != "load" && op != "watch" && op != "tagged" {
		return none, errLost
	}
	return result, err
}
