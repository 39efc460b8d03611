package session_test

import (
	"testing"

	"github.com/goeasyauth/easyauth/session"
)

// Contract 3.2: sid: and 32 lower-case digits, for good.
func TestSIDIsStableAndOfOneUserOnly(t *testing.T) {
	alice := session.User{Provider: "google", Issuer: "https://accounts.google.com", ID: "1"}
	if sid := alice.SID(); sid != "sid:297352010a0a3e0b44876214f0538ff8" {
		t.Errorf("%s: users are known by another id from now on", sid)
	}
	seen := make(map[string]session.User)
	for _, u := range []session.User{
		alice,
		{Provider: "google", Issuer: "https://accounts.google.com", ID: "2"},
		{Provider: "google", Issuer: "https://accounts.google.com1", ID: ""},
		{Provider: "google", Issuer: "https://accounts.google.co", ID: "m1"},
		{Provider: "google2", Issuer: "https://accounts.google.com", ID: "1"},
	} {
		if other, there := seen[u.SID()]; there {
			t.Errorf("%v and %v share a sid", u, other)
		}
		seen[u.SID()] = u
	}
	renamed := alice
	renamed.Name, renamed.Email = "Alice B.", "alice@example.org" // net-server#33, #82
	if renamed.SID() != alice.SID() {
		t.Error("the sid changes with the profile")
	}
}

// net-server#155: one id for all who have none.
func TestUserWithoutANameHasNoSID(t *testing.T) {
	for _, u := range []session.User{{}, {Provider: "p", Issuer: "i"}, {Provider: "p", ID: "1"}, {Issuer: "i", ID: "1"}} {
		if sid := u.SID(); sid != "" {
			t.Errorf("%+v: %s", u, sid)
		}
	}
}
