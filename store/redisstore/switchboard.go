package redisstore

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// switchboard hands what one connection hears to everybody who watches.
//
// A goroutine listens while somebody watches. Subscriptions are begun by who
// watches first and ended by who finds that nobody does, and the two may cross:
// so it trusts what the server confirms, and begins again what should not have
// ended.
type switchboard struct {
	client    redis.UniversalClient
	crew      *crew
	stopped   context.Context //nolint:containedctx // it is the life of the goroutines, not of a call
	stop      context.CancelFunc
	listening sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	pubsub   *redis.PubSub // nil: nobody listens
	channels map[string]*channel
}

const (
	// pulse is how often the connection has to show that it lives, and how long
	// a subscription that nobody needs is kept for the next who does.
	pulse = 3 * time.Second
	// pause is how long a server is left alone that did not answer.
	pause = 100 * time.Millisecond
)

var (
	errIdle   = errors.New("nobody watches")
	errSilent = errors.New("the server has fallen silent")
)

func newSwitchboard(client redis.UniversalClient, crew *crew) *switchboard {
	b := &switchboard{client: client, crew: crew, channels: make(map[string]*channel)}
	b.stopped, b.stop = context.WithCancel(context.Background())
	return b
}

// watch returns once the server has confirmed the subscription to the channel.
func (b *switchboard) watch(ctx context.Context, name string) (<-chan struct{}, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	told := make(chan struct{}, 1)
	c, err := b.join(name, told)
	if err != nil {
		return nil, err
	}
	select {
	case <-c.settled:
		err = c.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-b.stopped.Done():
		err = errClosed
	}
	if err != nil {
		b.leave(c, told)
		return nil, err
	}
	context.AfterFunc(ctx, func() { b.leave(c, told) })
	return told, nil
}

// join adds a watch to the channel, and has it subscribed to if it is the first.
// Should that fail, then so does listening, which settles the channel.
func (b *switchboard) join(name string, told chan<- struct{}) (*channel, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	if b.pubsub == nil {
		first := b.client.Subscribe(b.stopped)
		b.pubsub = first
		b.listening.Go(func() { b.listen(first) })
	}
	pubsub := b.pubsub
	c, known := b.channels[name]
	if !known {
		if err := b.crew.send(func() { _ = pubsub.Subscribe(b.stopped, name) }); err != nil {
			return nil, err
		}
		c = &channel{settled: make(chan struct{})}
		b.channels[name] = c
	}
	c.watches = append(c.watches, told)
	return c, nil
}

// leave takes a watch off its channel. The subscription stays a while.
func (b *switchboard) leave(c *channel, told chan<- struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.watches = slices.DeleteFunc(c.watches, func(w chan<- struct{}) bool { return w == told })
}

// listen listens on one connection after the other, until nobody watches.
func (b *switchboard) listen(pubsub *redis.PubSub) {
	for ; pubsub != nil; pubsub = b.renew() {
		err := b.hear(pubsub)
		_ = pubsub.Close()
		if errors.Is(err, errIdle) || b.stopped.Err() != nil {
			continue
		}
		b.fail(err)
		select {
		case <-time.After(pause):
		case <-b.stopped.Done():
		}
	}
}

// renew returns a connection that subscribes to everything that is watched, or
// nil if nothing is.
func (b *switchboard) renew() *redis.PubSub {
	b.mu.Lock()
	maps.DeleteFunc(b.channels, func(_ string, c *channel) bool { return len(c.watches) == 0 })
	if b.closed || len(b.channels) == 0 {
		b.pubsub = nil
		b.mu.Unlock()
		return nil
	}
	names := slices.Collect(maps.Keys(b.channels))
	pubsub := b.client.Subscribe(b.stopped)
	b.pubsub = pubsub
	b.mu.Unlock()
	_ = pubsub.Subscribe(b.stopped, names...) // who hears will know
	return pubsub
}

// hear acts on what arrives, until the connection ends, and returns why it did.
func (b *switchboard) hear(pubsub *redis.PubSub) error {
	ctx, end := context.WithCancelCause(b.stopped)
	defer end(nil)
	var heard atomic.Bool
	heard.Store(true)
	b.listening.Go(func() { b.attend(ctx, end, pubsub, &heard) })
	for {
		message, err := pubsub.Receive(b.stopped)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		heard.Store(true)
		switch m := message.(type) {
		case *redis.Message:
			b.tell(m.Channel)
		case *redis.Subscription:
			b.confirmed(pubsub, m)
		}
	}
}

// attend ends a connection that no longer answers or is no longer needed.
func (b *switchboard) attend(ctx context.Context, end context.CancelCauseFunc, pubsub *redis.PubSub, heard *atomic.Bool) {
	defer pubsub.Close() // wakes who hears
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !heard.Swap(false) {
			end(errSilent)
			return
		}
		unwanted, left := b.unwanted()
		if left == 0 {
			end(errIdle)
			return
		}
		if len(unwanted) > 0 {
			_ = pubsub.Unsubscribe(b.stopped, unwanted...)
		}
		_ = pubsub.Ping(b.stopped) // the answer counts
	}
}

// unwanted returns the channels that nobody watches, and how many are left.
func (b *switchboard) unwanted() (names []string, left int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, c := range b.channels {
		if len(c.watches) == 0 {
			names = append(names, name)
		}
	}
	return names, len(b.channels) - len(names)
}

// confirmed takes note of a subscription that has begun or ended. One that has
// begun for the second time was lost in between, and with it perhaps a change.
func (b *switchboard) confirmed(pubsub *redis.PubSub, s *redis.Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.channels[s.Channel]
	switch {
	case !ok:
	case s.Kind == "subscribe" && c.isSettled():
		c.tell()
	case s.Kind == "subscribe":
		close(c.settled)
	case len(c.watches) == 0:
		delete(b.channels, s.Channel)
	default: // somebody came in the meantime
		_ = b.crew.send(func() { _ = pubsub.Subscribe(b.stopped, s.Channel) })
	}
}

// fail tells those who wait for a confirmation that it will not come.
func (b *switchboard) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, c := range b.channels {
		if !c.isSettled() {
			c.err = err
			close(c.settled)
			delete(b.channels, name)
		}
	}
}

func (b *switchboard) tell(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.channels[name]; ok {
		c.tell()
	}
}

// close ends the listening and waits for it.
func (b *switchboard) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	b.listening.Wait()
}
