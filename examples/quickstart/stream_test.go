package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goeasyauth/easyauth/examples/internal/apptest"
)

func TestTheLogIsToldOnceAndOnlyToItsOwnSession(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	ada, eve := apptest.NewBrowser(t), apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	first := follow(t, ada, program.Base, "")
	first.wants(t, kindStarted)
	eve.SignedIn(program.Base+"/.auth/login", "eve")
	other := follow(t, eve, program.Base, "")
	other.wants(t, kindStarted)

	later := follow(t, ada, program.Base, first.lastID)
	later.caughtUp(t)
	if len(later.told) != 0 || len(first.told) != 1 || len(other.told) != 1 {
		t.Errorf("told: ada %q, ada again %q, eve %q", first.told, later.told, other.told)
	}
	if first.lastID == other.lastID {
		t.Error("ada and eve are told the same entry")
	}
}

func TestStreamsEndWithTheProgram(t *testing.T) {
	t.Parallel()
	program := start(t, nil)
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	log := follow(t, ada, program.Base, "")
	log.wants(t, kindStarted)
	began := time.Now()
	if code := program.Stop(); code != exitOK {
		t.Errorf("the program ends with status %d: %s", code, program.Stderr)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("an open page holds the program up for %s", took)
	}
	log.ends(t)
}

// TestAStreamEndsWithItsSessionAndComesBack lets the session expire under an
// open stream; opening it again renews the session through the provider.
func TestAStreamEndsWithItsSessionAndComesBack(t *testing.T) {
	t.Parallel()
	program := start(t, func(opts *options) { opts.session = 2 * time.Second })
	ada := apptest.NewBrowser(t)
	ada.SignedIn(program.Base+"/.auth/login", "ada")
	log := follow(t, ada, program.Base, "")
	log.wants(t, kindStarted)
	log.ends(t)
	back := follow(t, ada, program.Base, log.lastID)
	back.wants(t, kindRefreshed)
}

// eventLog follows the stream of one session.
type eventLog struct {
	ctx    context.Context // ends when the test loses patience
	lines  *bufio.Scanner
	told   []string // data of the log's entries
	unread []string // their kinds, as far as the test has not asked for them
	lastID string
}

// follow opens the stream as the browser would, after an entry if lastID is one.
func follow(t *testing.T, b *apptest.Browser, base, lastID string) *eventLog {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range b.Cookies(base) {
		req.AddCookie(cookie)
	}
	req.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("the stream answers %d: %s", resp.StatusCode, body)
	}
	return &eventLog{ctx: ctx, lines: bufio.NewScanner(resp.Body)}
}

// wants reads until the log has told an entry of each kind, in this order,
// after those that were told before.
func (l *eventLog) wants(t *testing.T, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		for !slices.Contains(l.unread, kind) {
			if _, ok := l.next(); !ok {
				t.Fatalf("the stream ended without an entry %q: %q", kind, l.told)
			}
		}
		l.unread = l.unread[slices.Index(l.unread, kind)+1:]
	}
}

// caughtUp reads until the stream says that it has told everything.
func (l *eventLog) caughtUp(t *testing.T) {
	t.Helper()
	for event, ok := l.next(); event != "live"; event, ok = l.next() {
		if !ok {
			t.Fatal("the stream ended")
		}
	}
}

// ends reads to the end of the stream.
func (l *eventLog) ends(t *testing.T) {
	t.Helper()
	for ok := true; ok; {
		_, ok = l.next()
	}
	if l.ctx.Err() != nil {
		t.Fatal("the stream does not end")
	}
}

// next reads one event and returns its name.
func (l *eventLog) next() (event string, ok bool) {
	for id := ""; l.lines.Scan(); {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			if event == "log" {
				l.lastID = id
				l.told = append(l.told, value)
				_, rest, _ := strings.Cut(value, `"kind":"`)
				kind, _, _ := strings.Cut(rest, `"`)
				l.unread = append(l.unread, kind)
			}
		case "":
			return event, true
		}
	}
	return "", false
}
