// Package origin holds the rules about the addresses of an application and of
// those it may redirect to: what an origin is, and which ones a configuration
// may name.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Origin is compared as a whole. The port is always spelled out.
type Origin struct{ Scheme, Host, Port string }

// Of is for URLs of the configuration and for Origin headers, which are never a
// redirect target themselves.
func Of(u *url.URL) Origin {
	o := Origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.Port == "" {
		o.Port = defaultPort(o.Scheme)
	}
	return o
}

// Cut takes scheme://host[:port] off target by hand. It knows a small part of
// what a URL may be, so that no browser can read another host out of it than we
// do (docs/threats.md RED6, RED7).
func Cut(target string) (o Origin, rest string, ok bool) {
	scheme, after, found := strings.Cut(target, "://")
	if !found {
		return Origin{}, "", false
	}
	authority := after
	if i := strings.IndexByte(after, '/'); i >= 0 {
		authority, rest = after[:i], after[i:]
	}
	host, port, explicit := strings.Cut(authority, ":")
	o = Origin{strings.ToLower(scheme), host, port}
	if !explicit {
		o.Port = defaultPort(o.Scheme)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return Origin{}, "", false
	}
	ok = host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-'
	})
	return o, rest, ok
}

// Parse reads an origin that a configuration lists. The error says what is
// wrong with the entry, and the remedy.
func Parse(entry string) (Origin, error) {
	o, rest, ok := Cut(strings.ToLower(entry))
	switch {
	case !ok || strings.Trim(rest, "/") != "":
		return Origin{}, fmt.Errorf("%q is not an origin: write it as https://partner.example, without a path, the host in ASCII", entry)
	case o.Scheme != "https" && !(o.Scheme == "http" && loopback(o.Host)):
		return Origin{}, fmt.Errorf("%q: use https (http is for loopback only)", entry)
	}
	return o, nil
}

// CheckBase judges the public URL of an application: https, or http on
// loopback, and nothing but scheme and host. The error says what is wrong with
// it, and the remedy.
func CheckBase(u *url.URL) error {
	switch {
	case u == nil || *u == (url.URL{}):
		return errors.New("missing: set the public URL of the application, as https://app.example")
	case u.Host == "" || u.Opaque != "":
		return fmt.Errorf("%q is not a URL: write it as https://app.example", u.Redacted())
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return fmt.Errorf("%q has more than scheme and host: write it as https://app.example", u.Redacted())
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("scheme %q: use https", u.Scheme)
	case !loopback(u.Hostname()):
		return fmt.Errorf("%q is http on a host that is not loopback: session cookies would travel in the clear, use https", u.Redacted())
	}
	return nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https":
		return "443"
	case "http":
		return "80"
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
