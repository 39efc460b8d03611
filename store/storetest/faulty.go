package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/goeasyauth/easyauth/store"
)

// Faulty is a store that fails on demand, the way servers do. It works until
// one of its methods says otherwise, and again after [Faulty.Heal]. The fault
// can be switched at any time, while calls are under way too; it applies to the
// calls that begin afterwards. Faulty is safe for concurrent use.
type Faulty struct {
	inner store.Store
	fault atomic.Pointer[fault] // nil: none
	deaf  atomic.Bool
}

var (
	_ store.Store    = (*Faulty)(nil)
	_ store.TagIndex = (*Faulty)(nil)
	_ store.Watcher  = (*Faulty)(nil)
)

// NewFaulty returns a store that passes its calls to inner until told to fail.
func NewFaulty(inner store.Store) *Faulty { return &Faulty{inner: inner} }

// Fail makes every call fail with err before it reaches the store: a server
// that is down. It tells no watcher of anything.
func (f *Faulty) Fail(err error) {
	f.fault.Store(&fault{read: refuse(err), write: refuse(err), silent: true})
}

// RefuseWrites makes Save and Delete fail with err, while all else works: a
// server that is read-only or full.
func (f *Faulty) RefuseWrites(err error) { f.fault.Store(&fault{write: refuse(err)}) }

// LoseAnswers makes Save and Delete take place and then fail with err all the
// same: a connection that breaks before the acknowledgement comes back.
func (f *Faulty) LoseAnswers(err error) { f.fault.Store(&fault{answer: err}) }

// Hang makes every call wait until its context ends and fail with the context's
// error: a server that does not answer, and tells no watcher of anything. A call
// whose context can never end fails at once, because that is a defect of the
// caller.
func (f *Faulty) Hang() { f.fault.Store(&fault{read: hang, write: hang, silent: true}) }

// Deafen keeps every change from those who watch, now or later, while Watch and
// all other calls go on as they do: a connection for watching that is lost and
// not missed. It adds to the other faults.
func (f *Faulty) Deafen() { f.deaf.Store(true) }

// Heal makes every call work again, and tells of changes again. Calls that hang
// go on hanging; what nobody was told of stays untold.
func (f *Faulty) Heal() {
	f.fault.Store(nil)
	f.deaf.Store(false)
}

// Load implements [store.Store].
func (f *Faulty) Load(ctx context.Context, keys ...string) ([]store.Entry, error) {
	if err := f.fault.Load().beforeRead(ctx); err != nil {
		return nil, err
	}
	return f.inner.Load(ctx, keys...)
}

// Save implements [store.Store].
func (f *Faulty) Save(ctx context.Context, key string, e store.Entry) (store.Entry, error) {
	fault := f.fault.Load()
	if err := fault.beforeWrite(ctx); err != nil {
		return store.Entry{}, err
	}
	saved, err := f.inner.Save(ctx, key, e)
	if err := fault.afterWrite(err); err != nil {
		return store.Entry{}, err
	}
	return saved, nil
}

// Delete implements [store.Store].
func (f *Faulty) Delete(ctx context.Context, key string) error {
	fault := f.fault.Load()
	if err := fault.beforeWrite(ctx); err != nil {
		return err
	}
	return fault.afterWrite(f.inner.Delete(ctx, key))
}

// Tagged implements [store.TagIndex] where the inner store does.
func (f *Faulty) Tagged(ctx context.Context, tag string) ([]string, error) {
	if err := f.fault.Load().beforeRead(ctx); err != nil {
		return nil, err
	}
	return store.Tagged(ctx, f.inner, tag)
}

// Watch implements [store.Watcher] where the inner store does. Until ctx ends, a
// goroutine passes on what the inner store tells.
func (f *Faulty) Watch(ctx context.Context, key string) (<-chan struct{}, error) {
	if err := f.fault.Load().beforeRead(ctx); err != nil {
		return nil, err
	}
	told, err := store.Watch(ctx, f.inner, key)
	if err != nil {
		return nil, err
	}
	out := make(chan struct{}, 1)
	go f.passOn(ctx, told, out)
	return out, nil
}

func (f *Faulty) passOn(ctx context.Context, told <-chan struct{}, out chan<- struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
		}
		if f.deaf.Load() || f.fault.Load().silences() {
			continue
		}
		select {
		case out <- struct{}{}:
		default: // whoever listens has not taken the last one yet
		}
	}
}

// fault is one way to fail. A nil fault is none.
type fault struct {
	read, write func(context.Context) error // instead of the call; nil: let it through
	answer      error                       // after a write that took place
	silent      bool                        // no watcher is told
}

func (f *fault) beforeRead(ctx context.Context) error {
	if f == nil || f.read == nil {
		return nil
	}
	return f.read(ctx)
}

func (f *fault) beforeWrite(ctx context.Context) error {
	if f == nil || f.write == nil {
		return nil
	}
	return f.write(ctx)
}

// afterWrite is the error of a write that came back with err.
func (f *fault) afterWrite(err error) error {
	if f == nil || f.answer == nil || err != nil {
		return err
	}
	return fmt.Errorf("storetest: answer lost: %w", f.answer)
}

func (f *fault) silences() bool { return f != nil && f.silent }

func refuse(err error) func(context.Context) error {
	return func(context.Context) error { return fmt.Errorf("storetest: refused: %w", err) }
}

func hang(ctx context.Context) error {
	if ctx.Done() == nil {
		return errors.New("storetest: hanging store asked with a context that never ends")
	}
	<-ctx.Done()
	return fmt.Errorf("storetest: no answer: %w", ctx.Err())
}
