package easyauth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
	"github.com/goeasyauth/easyauth/session"
)

func TestHealthRouteTellsWhetherPeopleCanSignIn(t *testing.T) {
	inAWorld(t, providertest.Config{}, nil, func(t *testing.T, w *world) {
		w.network.Handle("health.example", w.auth.ReadyHandler())
		ask := func() (int, session.Readiness) {
			t.Helper()
			resp, err := (&http.Client{Transport: w.network}).Get("https://health.example/")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var report session.Readiness
			if err := json.NewDecoder(resp.Body).Decode(&report); err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, report
		}
		up := w.network.Down(w.op.Host())
		if status, report := ask(); status != http.StatusServiceUnavailable || report.Checks[2].Reason != session.ReasonProviderUnavailable {
			t.Errorf("provider down: %d, %+v", status, report)
		}
		up()
		time.Sleep(time.Minute)
		if status, report := ask(); status != http.StatusOK || !report.Ready || len(report.Checks) != 3 {
			t.Errorf("%d, %+v", status, report)
		}
		time.Sleep(time.Minute)
		w.network.Down(w.op.Host()) // known by now, so nobody is turned away for it
		if report := w.auth.Ready(t.Context()); !report.Ready {
			t.Errorf("provider down again: %+v", report)
		}
		w.store.Fail(errors.New("connection refused"))
		time.Sleep(time.Second)
		if status, report := ask(); status != http.StatusServiceUnavailable || report.Ready {
			t.Errorf("store down: %d, %+v", status, report)
		}
	})
}

// A user of two browsers signs out everywhere else in one of them, and the
// stream in the other one ends.
func TestSES13SignOutEverywhereElseEndsTheOtherBrowsersStream(t *testing.T) {
	inAWorld(t, providertest.Config{}, nil, func(t *testing.T, w *world) {
		here, there := w.alice(), w.alice()
		mux := http.NewServeMux()
		mux.Handle("/stream", w.auth.Require(http.HandlerFunc(streamPage)))
		mux.HandleFunc("/elsewhere", func(rw http.ResponseWriter, r *http.Request) {
			s, _ := session.FromContext(r.Context())
			n, err := w.auth.Sessions().EndOthers(r.Context(), s)
			fmt.Fprint(rw, n, " ", err)
		})
		w.network.Handle("app.example", w.auth.Wrap(mux))

		var open sync.WaitGroup
		open.Go(func() {
			if body := string(w.fetch(there, "/stream", 200).Body); body != "hello\nsigned out\n" {
				t.Errorf("the stream said %q", body)
			}
		})
		synctest.Wait()
		if body := string(w.fetch(here, "/elsewhere", 200).Body); body != "1 <nil>" {
			t.Errorf("ended: %s", body)
		}
		open.Wait()
		w.fetch(there, "/stream", 401)
		w.fetch(here, "/elsewhere", 200)
	})
}

// streamPage says hello and, when it is time, goodbye.
func streamPage(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context())
	fmt.Fprintln(w, "hello")
	http.NewResponseController(w).Flush()
	select {
	case <-s.Done(r.Context()):
		fmt.Fprintln(w, "signed out")
	case <-r.Context().Done():
	}
}
