package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

// How often a silent stream shows that it is alive, and how long a write may take.
const (
	streamPulse    = 15 * time.Second
	streamPatience = 10 * time.Second
)

// events streams the log of the request's session (server-sent events): what
// was missed since Last-Event-ID, then what happens, as it happens. easyauth
// does not wrap the ResponseWriter, so a stream needs no special care.
func (a *app) events(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context()) // behind Require: there is one
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")

	// The stream must not outlive the session that it was opened with. The
	// browser comes back by itself, and that visit renews the session.
	over := time.NewTimer(time.Until(s.ExpiresAt))
	defer over.Stop()
	pulse := time.NewTicker(streamPulse)
	defer pulse.Stop()

	out := stream{w, http.NewResponseController(w)}
	told, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	for ended := false; !ended; {
		entries, news := a.feed.since(s.ID, told)
		for _, e := range entries {
			told, ended = e.id, e.Kind == kindEnded
			out.entry(e)
		}
		if out.upToDate() != nil || ended {
			return
		}
		select {
		case <-news:
		case <-pulse.C:
		case <-over.C:
			return
		case <-a.stopping:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (s stream) entry(e entry) {
	body, err := json.Marshal(e)
	if err != nil {
		panic(err) // strings and a time
	}
	fmt.Fprintf(s.w, "id: %d\nevent: log\ndata: %s\n\n", e.id, body)
}

// upToDate tells the page that it has seen everything up to now. An error
// means that the page is gone.
func (s stream) upToDate() error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(streamPatience)) // not every server has one
	fmt.Fprint(s.w, "retry: 1000\nevent: live\ndata: {}\n\n")
	return s.rc.Flush()
}
