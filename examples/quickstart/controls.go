package main

import (
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

// revoke withdraws, at the development provider, every grant of the signed-in
// user: what a user does in the account settings of a real provider.
func (a *app) revoke(w http.ResponseWriter, r *http.Request) {
	s, _ := session.FromContext(r.Context()) // behind Require: there is one
	a.dev.Server.RevokeUser(s.User.ID)
	writeJSON(w, http.StatusOK, map[string]bool{"revoked": true})
}

// fail makes the development provider answer 503 to everything for a while.
func (a *app) fail(w http.ResponseWriter, _ *http.Request) {
	a.dev.Server.FailFor(a.outage)
	writeJSON(w, http.StatusOK, map[string]time.Time{"until": time.Now().Add(a.outage).UTC()})
}
