package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

func TestFeedTellsEachSessionItsOwnAndOnlyWhatItMissed(t *testing.T) {
	f := newFeed()
	hooks := f.hooks()
	hooks.Started(t.Context(), session.Event{SessionID: "ada"})
	hooks.Started(t.Context(), session.Event{SessionID: "eve"})
	hooks.RefreshFailed(t.Context(), session.Event{SessionID: "ada", Reason: "unknown_outcome", Took: 12 * time.Millisecond})

	all, _ := f.since("ada", 0)
	if len(all) != 2 || all[0].Kind != kindStarted || all[1].Kind != kindFailed {
		t.Fatalf("ada is told %v", all)
	}
	if text := all[1].Title + " " + all[1].Text; !strings.Contains(text, "the provider's answer was lost (told after 12 ms)") {
		t.Errorf("a failure is told as %q", text)
	}
	if missed, _ := f.since("ada", all[0].id); len(missed) != 1 || missed[0].id != all[1].id {
		t.Errorf("after the first entry ada is told %v", missed)
	}
}

func TestFeedWakesFollowersAtTheNextEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed()
		_, news := f.since("ada", 0)
		woken := make(chan struct{})
		go func() { <-news; close(woken) }()
		synctest.Wait()
		select {
		case <-woken:
			t.Fatal("woken before anything happened")
		default:
		}
		f.hooks().Refreshed(t.Context(), session.Event{SessionID: "ada", ExpiresAt: time.Now().Add(time.Minute)})
		<-woken
		if own, _ := f.since("ada", 0); len(own) != 1 || !strings.Contains(own[0].Text, "it lives 60 s") {
			t.Errorf("told %v", own)
		}
	})
}

func TestFeedForgetsTheOldest(t *testing.T) {
	f := newFeed()
	for range feedSize + 10 {
		f.hooks().Refreshed(t.Context(), session.Event{SessionID: "ada"})
	}
	own, _ := f.since("ada", 0)
	if len(own) != feedSize || own[len(own)-1].id-own[0].id != feedSize-1 {
		t.Errorf("%d entries are remembered, want the last %d", len(own), feedSize)
	}
}

func TestFeedOfALaterRunContinuesTheNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := newFeed()
		before.hooks().Ended(t.Context(), session.Event{SessionID: "ada"})
		last, _ := before.since("ada", 0)
		time.Sleep(time.Second) // a restart takes that long, in the bubble's time
		after := newFeed()
		after.hooks().Started(t.Context(), session.Event{SessionID: "ada"})
		if told, _ := after.since("ada", last[0].id); len(told) != 1 {
			t.Error("a browser that remembers the number of an earlier run misses what happens in this one")
		}
	})
}
