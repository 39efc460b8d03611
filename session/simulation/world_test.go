package simulation_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/store/memstore"
)

const (
	replicaCount = 4
	userCount    = 20
	simulated    = time.Hour
)

// world is everything outside the code under test, and all that is known of it.
type world struct {
	seed  uint64
	begun time.Time
	style style
	log   *slog.Logger
	keys  [][]byte

	ctx  context.Context // ends when the hour does, or when something is broken
	stop context.CancelFunc

	// mu guards everything below, and everything that belongs to the world: what
	// rests in the store, what the providers know, what was noted of it. It is
	// never held while anybody waits.
	mu       sync.Mutex
	disk     disk
	idps     []*idp
	replicas [replicaCount]*replica
	users    []*browser
	logins   []*login // all there ever were
	marks    []mark   // wishes to end some of them
	weather  weather
	ledger   ledger
	diary    []entry
	breaches []string
	sum      tally
	closing  bool // nobody begins anything new
	work     sync.WaitGroup
	hands    chan func() // goroutines that have nothing to do take from here
}

// hour lets one virtual hour pass, and a little more in which everything must come
// to rest.
func hour(t *testing.T, seed uint64, sum *tally) {
	w := &world{seed: seed, begun: time.Now()}
	w.ctx, w.stop = context.WithTimeout(context.Background(), simulated)
	defer w.stop()
	d := w.dice("world", 0)
	w.style = newStyle(d)
	w.keys = [][]byte{[]byte("simulated key, 32 bytes or longer"), []byte("an older one, for the rows before")}
	w.log = slog.New(&ear{w: w})
	w.disk = disk{mem: memstore.New()}
	w.hands = make(chan func())
	defer close(w.hands)
	w.ledger = newLedger(w)
	w.idps = newIdps(w, d)
	for slot := range w.replicas {
		w.replicas[slot] = w.start(slot, 1)
	}
	for i := range userCount {
		w.users = append(w.users, newBrowser(w, i))
	}
	for _, b := range w.users {
		w.work.Go(b.live)
	}
	w.work.Go(w.changeWeather)
	<-w.ctx.Done()
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.work.Wait()
	if !w.broken() {
		w.finale()
	}
	for _, r := range w.replicas {
		r.close()
	}
	time.Sleep(5 * time.Minute) // whatever is on its way arrives
	if !w.broken() {
		w.settleAccounts()
	}
	sum.merge(w.sum)
	if w.broken() {
		t.Errorf("seed %d (repeat it with %s=%d go test -run TestSimulation -v ./session/simulation):\n%s\nwhat happened last:\n%s",
			seed, seedVariable, seed, strings.Join(w.breaches, "\n"), w.last())
	} else if testing.Verbose() {
		t.Log(w.last())
	}
}

// at is how long the hour lasts already.
func (w *world) at() time.Duration { return time.Since(w.begun) }

// do runs f on a goroutine that is waited for. One that has done something like it
// before has a stack of the right size, and a visit needs a large one.
func (w *world) do(f func()) {
	w.work.Add(1)
	job := func() {
		defer w.work.Done()
		f()
	}
	select {
	case w.hands <- job:
	default:
		go func() {
			for job != nil {
				job()
				job = <-w.hands
			}
		}()
	}
}

// count adds to the tally.
func (w *world) count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sum.add(name)
}

func (w *world) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.breaches) > 0
}
