package handlers

import (
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
)

// logoutLifetime is how long a sign-out at the provider may take.
const logoutLifetime = 10 * time.Minute

// logoutCookie keeps the target of a sign-out while the browser is at the
// provider. The cookie is sealed under the state of that sign-out, so it opens
// only for the answer to it: with another state, or none, the sign-out simply
// ends on our own page.
type logoutCookie struct {
	sealer *seal.Sealer
	name   string
	secure bool
}

func newLogoutCookie(keys [][]byte, secure bool) (logoutCookie, error) {
	sealer, err := seal.New(keys, "logout target", logoutLifetime)
	c := logoutCookie{sealer: sealer, name: "easyauth-logout", secure: secure}
	if secure {
		c.name = "__Host-" + c.name
	}
	return c, err
}

// write keeps target until the answer that has this state.
func (c logoutCookie) write(w http.ResponseWriter, state, target string) {
	sealed, err := c.sealer.Seal(state, []byte(target))
	if err != nil || cookieBytes(c.name, string(sealed)) > maxFlowBytes {
		return // the sign-out ends on our own page
	}
	c.set(w, string(sealed), int(logoutLifetime/time.Second))
}

// take returns the target that belongs to the request's state, and drops it.
func (c logoutCookie) take(w http.ResponseWriter, r *http.Request) (string, bool) {
	params, ok := query(r)
	state := params["state"]
	cookie, err := r.Cookie(c.name)
	if !ok || len(state) != 1 || err != nil || len(cookie.Value) > maxFlowBytes {
		return "", false
	}
	target, err := c.sealer.Open(state[0], []byte(cookie.Value))
	if err != nil {
		return "", false
	}
	c.set(w, "", -1)
	return string(target), true
}

func (c logoutCookie) set(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: c.name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode})
}
