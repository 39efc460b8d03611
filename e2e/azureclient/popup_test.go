package azureclient_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// message is one that a page received from another window.
type message struct{ Origin, Data string }

// Contract 1.6 and 6: the real client in a page of another origin, in a real
// browser over TLS.

func TestContract16PopupSignsIn(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at := startSite(t, &cert)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert)
	b.Visit(at + "/#" + s.URL + " google")
	b.Popup("#sign-in").SignIn("ada", "allow")

	c := b.Client(s)
	var u user
	b.Outcome().mustRead(t, &u)
	c.mustBeUser(u)
	begun := s.Last(http.MethodGet, "/.auth/login/google").URL
	if want := "completion_type=postMessage&completion_origin=" + url.QueryEscape(at); !strings.Contains(begun, "session_mode=token") || !strings.Contains(begun, want) {
		t.Errorf("the client asked for %s", begun)
	}
	for _, cookie := range s.Last(http.MethodGet, "/.auth/login/google/callback").Cookies {
		if strings.Contains(cookie, "AppServiceAuthSession") {
			t.Errorf("contract 1.1: token mode set a session cookie: %.60s", cookie)
		}
	}
	if got := evaluate[[]message](b, "messages"); len(got) != 1 || got[0].Origin != s.URL {
		t.Errorf("messages %+v", got)
	}

	// From here on the client works with its token: every call is of another
	// origin, and the browser asks before it (CORS).
	if who := c.Whoami(); who.Result.UserID != u.ID || who.Result.Subject != "sub-ada" {
		t.Errorf("the API takes %s for %+v", u.ID, who)
	}
	var refreshed login
	c.Must(&refreshed, "refresh")
	s.Issued(refreshed.AuthenticationToken)
	s.Last(http.MethodOptions, "/.auth/refresh")
	if refreshed.User.UserID != u.ID || refreshed.AuthenticationToken == "" {
		t.Errorf("refreshed as %q", refreshed.User.UserID)
	}
	if again := c.SignsIn("login", refreshed.AuthenticationToken); again.ID != u.ID {
		t.Errorf("%s came back as %s", u.ID, again.ID)
	}
	s.Last(http.MethodOptions, "/.auth/login")
	var me struct {
		Result []struct {
			Provider string `json:"provider_name"`
			User     string `json:"user_id"`
		}
	}
	c.Must(&me, "invokeApi", s.URL+"/.auth/me", map[string]string{"method": "GET"})
	s.Last(http.MethodOptions, "/.auth/me")
	if len(me.Result) != 1 || me.Result[0].Provider != "google" || me.Result[0].User != "ada@example.com" {
		t.Errorf("contract 1.7: %+v", me.Result)
	}
}

func TestContract14PageSignsInWithAToken(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at, elsewhere := startSite(t, nil), startSite(t, nil) // http, as on a developer's machine (docs#63691)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert)

	b.Visit(at + "/#" + s.URL)
	c := b.Client(s)
	u := c.SignsIn("loginWithOptions", "aad", map[string]any{"token": map[string]string{"access_token": s.Identity.SignIn("ada").Access}})
	s.Last(http.MethodOptions, "/.auth/login/aad")
	if who := c.Whoami(); who.Result.UserID != u.ID {
		t.Errorf("the API takes %s for %+v", u.ID, who)
	}
	c.Fails(http.StatusUnauthorized, " ", "login", "aad", map[string]string{"access_token": "x.y.z"}) // the page may read why

	// A page that is not on the list does not even learn the status.
	b.Visit(elsewhere + "/#" + s.URL)
	o := b.Client(s).perform("login", []any{"google", map[string]string{"id_token": s.Identity.SignIn("ada").ID}})
	if o.Error == nil || o.Error.Status != 0 || o.Error.Body != "" {
		t.Errorf("the page of another origin got %s", o.Value)
	}
}

func TestContract16PopupIsRefusedClosedAndDeclined(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at, elsewhere := startSite(t, &cert), startSite(t, &cert)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert)

	// docs#63691: an origin that is not on the list gets 403 in the popup, and nothing else.
	b.Visit(elsewhere + "/#" + s.URL + " google")
	popup := b.Popup("#sign-in")
	if status := await[int](popup, "performance.getEntriesByType('navigation')[0].responseStatus"); status != http.StatusForbidden {
		t.Errorf("completion_origin that is not on the list: %d", status)
	}
	popup.Close()
	b.mustFail("canceled")
	b.mustHear(nothing)

	// Somebody closes the window.
	b.Visit("about:blank")
	b.Visit(at + "/#" + s.URL + " google")
	popup = b.Popup("#sign-in")
	popup.do("wait", chromedp.WaitVisible(chromedp.CSS("#user")))
	popup.Close()
	b.mustFail("canceled")
	b.mustHear(nothing)

	// Somebody declines at the provider: the program is told, in words.
	b.Visit("about:blank")
	b.Visit(at + "/#" + s.URL + " google")
	b.Popup("#sign-in").SignIn("ada", "deny")
	b.mustFail(" ")
	b.mustHear(s.URL)
}

// Contract 1.1: the application's own pages need no place on the list.
func TestContract16PopupOfAPageOfTheServiceItself(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	s := startService(t, setup{Cert: cert, App: pages(t)})
	b := startChromium(t, cert)
	b.Visit(s.URL + "/#" + s.URL + " aad")
	b.Popup("#sign-in").SignIn("ada", "allow")
	var u user
	b.Outcome().mustRead(t, &u)
	c := b.Client(s)
	c.mustBeUser(u)
	c.Must(nil, "refresh")
}

// A page that is not on the list opens the popup for one that is: the result goes
// to that one only, and the browser delivers it to nobody else.
func TestContract16ThiefHearsNothing(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at, thief := startSite(t, &cert), startSite(t, &cert)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert)
	b.Visit(thief + "/thief.html#" + s.URL + "/.auth/login/google?session_mode=token&completion_type=postMessage&completion_origin=" + url.QueryEscape(at))
	popup := b.Popup("#sign-in")
	popup.SignIn("ada", "allow")
	await[bool](popup, "location.pathname.endsWith('/callback') && document.readyState === 'complete'")
	evaluate[any](popup, "opener.postMessage('the last one', '*')") // messages arrive in their order
	await[int](b, "messages.length")
	if got := evaluate[[]message](b, "messages"); len(got) != 1 || got[0].Data != "the last one" {
		t.Errorf("the thief heard %d messages", len(got))
	}
}

// Internet Explorer hears nothing from a popup, so the client puts a frame into
// its page that does. Only the name of the browser is that old here.
func TestContract16FrameReceivesTheResult(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	at := startSite(t, &cert)
	s := startService(t, setup{Cert: cert, Page: at})
	b := startChromium(t, cert, chromedp.UserAgent("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko"))
	b.Visit(at + "/#" + s.URL + " google")
	b.Popup("#sign-in").SignIn("ada", "allow")
	var u user
	b.Outcome().mustRead(t, &u)
	b.Client(s).mustBeUser(u)
	if begun := s.Last(http.MethodGet, "/.auth/login/google").URL; !strings.Contains(begun, "completion_type=iframe") {
		t.Errorf("the client asked for %s", begun)
	}
}

const nothing = ""

// mustFail waits until the page shows that the sign-in failed, and why.
func (b tab) mustFail(message string) {
	b.t.Helper()
	if o := b.Outcome(); o.Error == nil || !strings.Contains(o.Error.Message, message) {
		b.t.Errorf("the page shows %+v %s, want %q", o.Error, o.Value, message)
	}
}

// mustHear demands that the page heard from this origin and no other.
func (b tab) mustHear(origin string) {
	b.t.Helper()
	got := evaluate[[]message](b, "messages")
	if origin == nothing && len(got) > 0 || origin != nothing && (len(got) != 1 || got[0].Origin != origin) {
		b.t.Errorf("messages of %d, the first from %s", len(got), got[0].Origin)
	}
}
