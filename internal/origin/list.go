package origin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// List is the one list of foreign places that an application trusts: where a
// sign-in or a sign-out may lead, to which window a session token may be handed,
// and which sites' pages may call (allowedExternalRedirectUrls of App Service).
// The application's own origin is not on it. It is never changed; the zero List
// is empty.
type List struct {
	origins []Origin        // of which every page is allowed
	pages   map[string]bool // exact addresses, in the form that exact gives them
	trusted map[string]bool // origins as browsers write them
	order   []string        // the same, in the order of the entries
}

// NewList reads the entries. Each is one of
//
//	https://partner.example            every page of that origin
//	https://partner.example/signed-in  this page, with any query
//	myapp://easyauth.callback          what opens an application on the device
//
// where http is for loopback only, and the host is in ASCII and no pattern. The
// query of an entry counts for nothing. The error joins one for each mistake,
// each of which names the entry and its remedy.
func NewList(entries []string) (List, error) {
	l := List{pages: map[string]bool{}, trusted: map[string]bool{}}
	var errs []error
	for _, entry := range entries {
		if err := l.add(entry); err != nil {
			errs = append(errs, err)
		}
	}
	return l, errors.Join(errs...)
}

// Allows reports whether a browser may be sent to target, which is absolute. The
// rule is that of RED1-RED13: what it does not understand completely is not
// allowed.
func (l List) Allows(target string) bool {
	o, rest, ok := Cut(target)
	if !ok || !WellFormed(target) {
		return false
	}
	if rest != "" {
		if _, ok := LocalPath(rest); !ok {
			return false
		}
	}
	return slices.Contains(l.origins, o) || l.pages[exact(o, rest)]
}

// Trusts reports whether the origin, as a browser writes it in the header of that
// name, is that of an entry. A page that may get a session token can show it to
// every other page of its origin, so there is no less to trust than all of that.
func (l List) Trusts(origin string) bool { return l.trusted[origin] }

// Origins returns the origins of the entries as browsers write them, each once.
func (l List) Origins() []string { return slices.Clone(l.order) }

func (l *List) add(entry string) error {
	address, _, _ := strings.Cut(entry, "?")
	o, rest, ok := Cut(lowerOrigin(address))
	switch {
	case !ok || !WellFormed(address) || strings.Contains(address, "#"):
		return fmt.Errorf("%q is no place to redirect to: write it as https://partner.example, https://partner.example/page or myapp://easyauth.callback, the host in ASCII", entry)
	case o.Scheme == "http" && !loopback(o.Host):
		return fmt.Errorf("%q: use https (http is for loopback only)", entry)
	case !opens(o.Scheme):
		return fmt.Errorf("%q: the scheme %q opens no application: use https, or one that the application has registered", entry, o.Scheme)
	}
	if rest != "" {
		if _, ok := LocalPath(rest); !ok {
			return fmt.Errorf("%q: its path is read in different ways: write it without dots, empty segments and escaped slashes", entry)
		}
	}
	if web(o.Scheme) && strings.Trim(rest, "/") == "" {
		l.origins = append(l.origins, o)
	} else {
		l.pages[exact(o, rest)] = true
	}
	if name := o.String(); !l.trusted[name] {
		l.trusted[name] = true
		l.order = append(l.order, name)
	}
	return nil
}

// String writes the origin as a browser does: without the port that its scheme
// implies.
func (o Origin) String() string {
	if o.Port == defaultPort(o.Scheme) {
		return o.Scheme + "://" + o.Host
	}
	return o.Scheme + "://" + o.Host + ":" + o.Port
}

// exact is the one form of an address without its query and fragment. No path
// and the path "/" are the same to every reader.
func exact(o Origin, rest string) string {
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	if rest == "" {
		rest = "/"
	}
	return o.String() + rest
}

// lowerOrigin folds what is case-insensitive of an address, and leaves its path.
func lowerOrigin(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	host, path, _ := strings.Cut(rest, "/")
	if len(host) < len(rest) {
		path = "/" + path
	}
	return strings.ToLower(scheme+"://"+host) + path
}

func web(scheme string) bool { return scheme == "https" || scheme == "http" }

// opens reports whether a URL of this scheme is opened by an application, and not
// read by the browser as a document, a script or a request of another kind (RED8).
func opens(scheme string) bool {
	switch scheme {
	case "javascript", "vbscript", "data", "blob", "file", "filesystem", "about", "view-source", "ftp", "ws", "wss", "jar", "intent", "content":
		return false
	}
	u, err := url.Parse(scheme + "://x")
	return err == nil && u.Scheme == scheme
}
