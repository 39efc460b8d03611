package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// transport has a connection for every request of a storm.
var transport = &http.Transport{MaxIdleConnsPerHost: 1024}

// accessLifetime is how long an access token lives: every storm comes later.
const accessLifetime = 3 * time.Second

// user is one signed-in person and their browser.
type user struct {
	name    string
	base    string
	browser *providertest.Browser
	tally   *tally
}

// live sends storms until ctx ends. Requests that are under way are finished.
func (u *user) live(ctx context.Context, storm int) error {
	for {
		if err := u.signIn(); err != nil {
			return err
		}
		for signedIn := true; signedIn; {
			if !sleep(ctx, accessLifetime+rand.N(2*time.Second)) {
				return nil
			}
			signedIn = u.storm(storm)
		}
		u.tally.signedOut()
	}
}

func (u *user) signIn() error {
	var err error
	for range 20 { // a replica may die in the middle of it
		var page *providertest.Page
		u.browser.ClearCookies()
		if page, err = u.browser.SignIn(u.base+"/", u.name); err == nil && page.Status == http.StatusOK {
			return nil
		}
		time.Sleep(250 * time.Millisecond)
	}
	return fmt.Errorf("%s cannot sign in: %w", u.name, err)
}

// storm sends n requests at once and reports whether the user is signed in
// after that.
func (u *user) storm(n int) bool {
	u.tally.storm()
	var sent sync.WaitGroup
	refused := make(chan struct{}, n)
	for range n {
		sent.Go(func() {
			if u.ask() == http.StatusUnauthorized {
				refused <- struct{}{}
			}
		})
	}
	sent.Wait()
	return len(refused) == 0
}

// ask sends one request as a page's script does, and once more if the replica
// died under it.
func (u *user) ask() (status int) {
	for range 3 {
		req, err := http.NewRequest(http.MethodGet, u.base+"/", nil)
		if err != nil {
			return 0
		}
		req.Header.Set("Accept", "application/json")
		for _, c := range u.browser.Cookies(u.base + "/") {
			req.AddCookie(c)
		}
		resp, err := (&http.Client{Transport: transport}).Do(req)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		status = resp.StatusCode
		waited, _ := time.ParseDuration(resp.Header.Get(waitedHeader))
		u.tally.answer(status, waited)
		if status != http.StatusBadGateway {
			return status
		}
	}
	return status
}
