package session

import (
	"context"
	"sync"
)

// background runs what goes on without a request, and ends it with the Manager.
type background struct {
	mu     sync.Mutex
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	work   sync.WaitGroup
}

func newBackground() *background {
	b := new(background)
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// spawn runs f on a goroutine that close waits for; f returns soon after its
// context ended. After close nothing is run any more.
func (b *background) spawn(f func(context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() == nil {
		b.work.Go(func() { f(b.ctx) })
	}
}

func (b *background) close() {
	b.mu.Lock()
	b.cancel()
	b.mu.Unlock()
	b.work.Wait()
}
