package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// tally counts what the users saw.
type tally struct {
	mu sync.Mutex
	counts
	waits []time.Duration // since the last row, of the requests that had to wait
}

type counts struct {
	requests, storms, later, cut, signOuts int
}

// waiting is what counts as a wait: less is the way to Redis and back.
const waiting = 20 * time.Millisecond

func (t *tally) storm() { t.add(func(c *counts) { c.storms++ }) }

func (t *tally) signedOut() { t.add(func(c *counts) { c.signOuts++ }) }

func (t *tally) answer(status int, waited time.Duration) {
	t.add(func(c *counts) {
		c.requests++
		switch status {
		case 502:
			c.cut++
		case 503:
			c.later++
		}
		if waited >= waiting {
			t.waits = append(t.waits, waited)
		}
	})
}

func (t *tally) add(change func(*counts)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.counts)
}

// take returns the counts so far, and the waits since the last take.
func (t *tally) take() (counts, []time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	waits := t.waits
	t.waits = nil
	return t.counts, waits
}

const (
	rowFormat  = "%6s  %8s  %9s  %7s  %9s  %9s  %9s  %5s  %5s  %9s\n"
	headerRows = 15
)

// table prints a row of what happened so far.
type table struct {
	began time.Time
	rows  int

	mu  sync.Mutex
	out io.Writer
}

// say prints what goes between two rows, or in one.
func (t *table) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, format, args...)
}

func (t *table) row(f *fleet, users *tally, op *providertest.Server) {
	if t.rows%headerRows == 0 {
		t.say(rowFormat, "time", "replicas", "requests", "storms", "refreshes", "wait p50", "wait p99", "later", "cut", "sign-outs")
	}
	t.rows++
	c, waits := users.take()
	t.say(rowFormat, time.Since(t.began).Round(time.Second), fmt.Sprintf("%d/%d", f.running(), replicaCount),
		fmt.Sprint(c.requests), fmt.Sprint(c.storms), fmt.Sprint(op.Stats().Refreshes),
		percentile(waits, 50), percentile(waits, 99), fmt.Sprint(c.later), fmt.Sprint(c.cut), fmt.Sprint(c.signOuts))
}

// percentile returns the p-th percentile, "-" of nothing.
func percentile(of []time.Duration, p int) string {
	if len(of) == 0 {
		return "-"
	}
	slices.Sort(of)
	return of[(len(of)-1)*p/100].Round(time.Millisecond).String()
}
