package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

// feedSize is how many events are remembered, over all sessions.
const feedSize = 500

// Kinds of entries.
const (
	kindStarted   = "started"
	kindRefreshed = "refreshed"
	kindFailed    = "failed"
	kindWarned    = "warned"
	kindEnded     = "ended"
)

// entry is one line of a session's log.
type entry struct {
	id        uint64
	sessionID string

	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	Title string    `json:"title"`
	Text  string    `json:"text"`
}

// feed remembers what the hooks of easyauth told lately and wakes whoever
// follows it. The zero feed is not ready; newFeed makes one.
type feed struct {
	mu      sync.Mutex
	last    uint64
	entries []entry
	news    chan struct{} // closed, and replaced, at every entry
}

// newFeed starts counting at the clock, so that entries told after a restart
// have higher numbers than those that a browser still remembers.
func newFeed() *feed {
	return &feed{last: uint64(time.Now().UnixMilli()), news: make(chan struct{})}
}

// hooks is what easyauth calls when something happened to a session.
func (f *feed) hooks() session.Hooks {
	return session.Hooks{
		Started: func(_ context.Context, e session.Event) {
			f.add(e, kindStarted, "Signed in.", "The session and its tokens are stored; the browser holds a cookie without meaning of its own.")
		},
		Refreshed: func(_ context.Context, e session.Event) {
			f.add(e, kindRefreshed, "Refreshed.", "The provider issued a new access token"+took(" in ", e, "")+living(e)+".")
		},
		RefreshFailed: func(_ context.Context, e session.Event) {
			f.add(e, kindFailed, "Not refreshed:", spoken(string(e.Reason))+took(" (told after ", e, ")")+".")
		},
		ReauthSoon: func(_ context.Context, e session.Event) {
			f.add(e, kindWarned, "Sign-in needed soon.", "The refresh token dies at "+e.ExpiresAt.UTC().Format(time.RFC1123)+".")
		},
		Ended: func(_ context.Context, e session.Event) {
			f.add(e, kindEnded, "Session ended:", spoken(string(e.Reason))+".")
		},
	}
}

func (f *feed) add(e session.Event, kind, title, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last++
	if len(f.entries) == feedSize {
		f.entries = slices.Delete(f.entries, 0, 1)
	}
	f.entries = append(f.entries, entry{f.last, e.SessionID, kind, time.Now().UTC(), title, text})
	close(f.news)
	f.news = make(chan struct{})
}

// since returns what happened to a session after the entry of that number, and
// a channel that is closed when anything happens after that.
func (f *feed) since(sessionID string, after uint64) ([]entry, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var own []entry
	for _, e := range f.entries {
		if e.sessionID == sessionID && e.id > after {
			own = append(own, e)
		}
	}
	return own, f.news
}

// took is how long the provider took, if it was asked, after a word for it.
func took(before string, e session.Event, after string) string {
	switch {
	case e.Took == 0:
		return ""
	case e.Took < time.Millisecond:
		return before + "less than 1 ms" + after
	}
	return fmt.Sprintf("%s%d ms%s", before, e.Took.Milliseconds(), after)
}

func living(e session.Event) string {
	if e.ExpiresAt.IsZero() {
		return ""
	}
	return fmt.Sprintf("; it lives %d s", int(time.Until(e.ExpiresAt).Round(time.Second).Seconds()))
}

// reasons are the words for what easyauth and its provider say in one.
var reasons = map[string]string{
	"busy":                 "the provider is busy",
	"gateway":              "the provider, or something before it, is broken",
	"not_sent":             "the provider cannot be reached",
	"not_ready":            "the provider cannot be found",
	"unknown_outcome":      "the provider's answer was lost",
	"revoked":              "the provider has revoked the grant",
	"interaction_required": "the provider wants to see you",
	"misconfigured":        "the provider rejects this application",
	"identity_mismatch":    "the provider answered about somebody else",
}

func spoken(reason string) string {
	if words, ok := reasons[reason]; ok {
		return words
	}
	return strings.ReplaceAll(reason, "_", " ")
}
