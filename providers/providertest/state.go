package providertest

import (
	"maps"
	"time"
)

// state is what the provider remembers of people and tokens.
type state struct {
	users   map[string]User // by name
	clients map[string]Registration
	logins  map[string]*login // by cookie value
	grants  map[string]*grant
	codes   map[string]*code
	refresh map[string]*refreshToken
	access  map[string]*accessToken
	met     map[string]bool // clients and their users who have been there
	sweepAt time.Time
}

func newState(cfg Config) state {
	st := state{
		users:   make(map[string]User),
		clients: make(map[string]Registration),
		logins:  make(map[string]*login),
		grants:  make(map[string]*grant),
		codes:   make(map[string]*code),
		refresh: make(map[string]*refreshToken),
		access:  make(map[string]*accessToken),
		met:     make(map[string]bool),
	}
	for _, u := range cfg.Users {
		st.users[u.Name] = u.complete()
	}
	for _, c := range cfg.Clients {
		st.clients[c.ID] = c
	}
	return st
}

// sweep forgets what has expired, at most once a minute.
func (st *state) sweep(now time.Time) {
	if now.Before(st.sweepAt) {
		return
	}
	st.sweepAt = now.Add(time.Minute)
	maps.DeleteFunc(st.logins, func(_ string, l *login) bool { return now.After(l.expires) })
	maps.DeleteFunc(st.codes, func(_ string, c *code) bool { return now.After(c.forgetAt) })
	maps.DeleteFunc(st.refresh, func(_ string, t *refreshToken) bool { return now.After(t.expires) })
	maps.DeleteFunc(st.access, func(_ string, t *accessToken) bool { return now.After(t.expires) })
	maps.DeleteFunc(st.grants, func(_ string, g *grant) bool { return now.After(g.expires) })
}

// login is a person's session at the provider itself.
type login struct {
	id       string // the cookie
	sid      string // what clients know it by
	user     string // name
	at       time.Time
	expires  time.Time
	consents map[string]bool // what the person agreed to since
}

// loginLifetime is how long the provider remembers a browser.
const loginLifetime = 24 * time.Hour
