package grant

import "sync"

// flights runs at most one refresh per grant in this process. Callers that want
// the same audience share one call; other audiences of the grant queue behind
// it, because one refresh token serves them all.
type flights struct {
	mu     sync.Mutex
	queues map[string][]*call // by grant; the first is running
}

// call is one refresh that any number of callers wait for.
type call struct {
	audience string
	run      func() (*record, error)
	done     chan struct{}
	rec      *record // after done
	err      error
}

// join returns the call for this audience of this grant, and starts one with
// run if there is none. run happens on a goroutine of its own: whoever waits
// may leave.
func (f *flights) join(key, audience string, spawn func(func()) bool, run func() (*record, error)) *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.queues[key] {
		if c.audience == audience {
			return c
		}
	}
	c := &call{audience: audience, run: run, done: make(chan struct{})}
	if len(f.queues[key]) == 0 && !spawn(func() { f.drain(key) }) {
		c.err = transient(ReasonClosing, 0, nil)
		close(c.done)
		return c
	}
	if f.queues == nil {
		f.queues = make(map[string][]*call)
	}
	f.queues[key] = append(f.queues[key], c)
	return c
}

// drain runs the calls of one grant, one after the other, until none is left.
func (f *flights) drain(key string) {
	for c := f.first(key); c != nil; c = f.next(key, c) {
		c.rec, c.err = c.run()
	}
}

func (f *flights) first(key string) *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queues[key][0]
}

// next lets the callers of the call that is done go, and returns the one after it.
func (f *flights) next(key string, done *call) *call {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(done.done)
	f.queues[key] = f.queues[key][1:]
	if len(f.queues[key]) == 0 {
		delete(f.queues, key)
		return nil
	}
	return f.queues[key][0]
}
