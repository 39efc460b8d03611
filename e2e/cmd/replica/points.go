package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// The points of a refresh, in their order. Revocations are sent, too.
const (
	beginning  = "beginning"  // the lease is not taken yet
	locked     = "locked"     // it is taken
	presented  = "presented"  // it has left
	committing = "committing" // the answer is here and not stored
	committed  = "committed"  // it is stored, and nobody was told
)

// points lets this process die or stop at a point, once.
type points struct {
	mu     sync.Mutex
	armed  string
	signal syscall.Signal
	saves  int // of the grant, since a point was armed
}

// ServeHTTP arms a point: /_point?name=presented&do=kill, or do=stop.
func (p *points) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.signal, p.saves = r.FormValue("name"), syscall.SIGKILL, 0
	if r.FormValue("do") == "stop" {
		p.signal = syscall.SIGSTOP
	}
}

// reach does what was armed for this point, and comes back only from a stop. It
// does so with the lock held: whoever comes after it finds the points as they
// were.
func (p *points) reach(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.armed != name {
		return
	}
	p.armed = ""
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	fmt.Println("reached", name)
	if err := syscall.Kill(os.Getpid(), p.signal); err != nil {
		panic(err)
	}
	<-resumed // the signal takes a moment to arrive
}

// save counts the writes of a grant: the first takes the lease, the second
// stores the answer.
func (p *points) save() (before, after string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.saves++
	if p.saves == 1 {
		return beginning, locked
	}
	return committing, committed
}
