package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/goeasyauth/easyauth/internal/seal"
	"github.com/goeasyauth/easyauth/providers"
)

const (
	// maxFlows is how many login attempts one browser may have open (DOS2).
	maxFlows = 5
	// maxFlowBytes is what their cookies may add up to in a Cookie header, so
	// that together with the session cookie it stays below 4 KiB.
	maxFlowBytes = 3840
	// retryWindow is how long an attempt that took too long is still known, so
	// that it can be begun again.
	retryWindow = time.Hour
	// maxFlowsRead bounds the work that a Cookie header can cause.
	maxFlowsRead = 64
)

// flowCookies keeps login attempts where they belong: with the browser that
// began them, sealed, in one cookie for each, so that several tabs can sign in
// at once (LOG15) and an attempt costs the server nothing (DOS1).
type flowCookies struct {
	sealer    *seal.Sealer
	deflaters *sync.Pool
	prefix    string // of the cookie names; an attempt's ID follows
	retryName string // of the cookie that counts attempts that took too long
	secure    bool
	lifetime  time.Duration
}

func newFlowCookies(keys [][]byte, secure bool, lifetime time.Duration) (flowCookies, error) {
	sealer, err := seal.New(keys, "login flow", 0) // expired judges the age
	if err != nil {
		return flowCookies{}, err
	}
	c := flowCookies{sealer: sealer, deflaters: newDeflaters(), prefix: "easyauth-flow-", retryName: "easyauth-retried", secure: secure, lifetime: lifetime}
	if secure {
		c.prefix, c.retryName = "__Host-"+c.prefix, "__Host-"+c.retryName
	}
	return c, nil
}

// write sets the cookie of f and drops those of the oldest attempts where there
// would be too many. The newest is never the one to go: somebody is waiting for
// it right now. A return target that makes the cookie too large is given up.
func (c flowCookies) write(w http.ResponseWriter, r *http.Request, f providers.Flow) error {
	name := c.prefix + f.ID()
	value, err := c.seal(f)
	if err == nil && cookieBytes(name, value) > maxFlowBytes {
		f.ReturnTo = home
		value, err = c.seal(f)
	}
	if err != nil {
		return err
	}
	c.evict(w, r, maxFlowBytes-cookieBytes(name, value))
	c.set(w, name, value, int((c.lifetime+retryWindow)/time.Second), f.FormPost)
	return nil
}

// expired reports whether the attempt took too long.
func (c flowCookies) expired(f providers.Flow, now time.Time) bool {
	return now.Sub(f.CreatedAt) > c.lifetime
}

// retried reports whether this browser's last attempt was a second one.
func (c flowCookies) retried(r *http.Request) bool {
	_, err := r.Cookie(c.retryName)
	return err == nil
}

// writeRetry notes that an attempt took too long and is begun again. What it says
// is no secret, and who forges it gets an answer sooner.
func (c flowCookies) writeRetry(w http.ResponseWriter, formPost bool) {
	c.set(w, c.retryName, "1", int((c.lifetime+retryWindow)/time.Second), formPost)
}

func (c flowCookies) clearRetry(w http.ResponseWriter, formPost bool) {
	c.set(w, c.retryName, "", -1, formPost)
}

// read returns the attempt that has this state, if this browser began it.
func (c flowCookies) read(r *http.Request, state string) (providers.Flow, bool) {
	id := providers.FlowID(state)
	for _, cookie := range r.CookiesNamed(c.prefix + id) {
		if f, ok := c.open(id, cookie.Value); ok {
			return f, true
		}
	}
	return providers.Flow{}, false
}

// clear drops the cookie of f.
func (c flowCookies) clear(w http.ResponseWriter, f providers.Flow) {
	c.set(w, c.prefix+f.ID(), "", -1, f.FormPost)
}

// evict drops what is dead, and the oldest of the rest until one more attempt
// and its cookie fit in.
func (c flowCookies) evict(w http.ResponseWriter, r *http.Request, room int) {
	type attempt struct {
		providers.Flow
		bytes int
	}
	var open []attempt
	read := 0
	for _, cookie := range r.Cookies() {
		id, ours := strings.CutPrefix(cookie.Name, c.prefix)
		if !ours {
			continue
		}
		if read++; read > maxFlowsRead {
			break
		}
		if f, ok := c.open(id, cookie.Value); ok && !c.expired(f, time.Now()) {
			open = append(open, attempt{f, cookieBytes(cookie.Name, cookie.Value)})
		} else {
			c.set(w, cookie.Name, "", -1, false)
		}
	}
	slices.SortFunc(open, func(a, b attempt) int { return cmp.Compare(b.CreatedAt.UnixNano(), a.CreatedAt.UnixNano()) })
	for i, a := range open {
		if room -= a.bytes; room < 0 || i+1 >= maxFlows {
			c.clear(w, a.Flow)
		}
	}
}

// set writes a cookie, or with a negative maxAge its deletion. SameSite is Lax,
// except for an attempt that the provider answers by a cross-site POST: only
// without a SameSite restriction does the cookie come along there, and browsers
// take that only together with Secure (COO9).
func (c flowCookies) set(w http.ResponseWriter, name, value string, maxAge int, formPost bool) {
	cookie := http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode}
	if formPost {
		cookie.Secure, cookie.SameSite = true, http.SameSiteNoneMode
	}
	http.SetCookie(w, &cookie)
}

// cookieBytes is what a cookie takes up in a Cookie header.
func cookieBytes(name, value string) int { return len(name) + len("=") + len(value) + len("; ") }
