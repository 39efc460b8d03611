package providertest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
)

// cookieJar adds to net/http/cookiejar what browsers enforce and it does not:
// SameSite, the name prefixes, and the size limit (RFC 6265bis).
type cookieJar struct {
	mu       sync.Mutex
	jar      *cookiejar.Jar
	sameSite map[string]http.SameSite // by host and name
}

func newCookieJar() cookieJar {
	jar, _ := cookiejar.New(nil) // never fails
	return cookieJar{jar: jar, sameSite: make(map[string]http.SameSite)}
}

// store keeps the cookies that a browser would keep.
func (j *cookieJar) store(u *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range cookies {
		if acceptable(u, c) {
			j.jar.SetCookies(u, []*http.Cookie{c})
			j.sameSite[u.Hostname()+"\n"+c.Name] = c.SameSite
		}
	}
}

// sent returns the cookies for a request to u. A request that another site
// began carries none that is Strict, and those that are Lax, or say nothing,
// only if it is a navigation by a safe method.
func (j *cookieJar) sent(u *url.URL, sameSite, safeNavigation bool) []*http.Cookie {
	var cookies []*http.Cookie
	for _, c := range j.Cookies(u) {
		switch c.SameSite {
		case http.SameSiteNoneMode:
		case http.SameSiteStrictMode:
			if !sameSite {
				continue
			}
		default:
			if !sameSite && !safeNavigation {
				continue
			}
		}
		cookies = append(cookies, &http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
	}
	return cookies
}

// Cookies returns all cookies for u, with name, value and SameSite.
func (j *cookieJar) Cookies(u *url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	cookies := j.jar.Cookies(u)
	for _, c := range cookies {
		c.SameSite = j.sameSite[u.Hostname()+"\n"+c.Name]
	}
	return cookies
}

func (j *cookieJar) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.jar, _ = cookiejar.New(nil)
	clear(j.sameSite)
}

// acceptable reports whether a browser takes this cookie from u.
func acceptable(u *url.URL, c *http.Cookie) bool {
	secure := u.Scheme == "https"
	name := strings.ToLower(c.Name)
	switch {
	case len(c.Name)+len(c.Value) > 4096:
		return false
	case c.Secure && !secure, c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	case strings.HasPrefix(name, "__host-"):
		return c.Secure && c.Path == "/" && c.Domain == ""
	case strings.HasPrefix(name, "__secure-"):
		return c.Secure
	}
	return true
}
