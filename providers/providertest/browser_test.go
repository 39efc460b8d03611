package providertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/providers/providertest"
)

// site is a handler that sets the cookies it is asked for, redirects where it
// is told, and lists the cookies that came.
func site(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	for _, line := range q["set"] {
		w.Header().Add("Set-Cookie", line)
	}
	if to := q.Get("to"); to != "" {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
		return
	}
	var names []string
	for _, c := range r.Cookies() {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, strings.Join(names, " "))
}

func sites() *providertest.Browser {
	h := http.HandlerFunc(site)
	return providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{
		"app.example": h, "www.app.example": h, "op.example": h,
	}))
}

func to(host string, params ...string) string {
	q := make(url.Values)
	for i := 0; i < len(params); i += 2 {
		q.Add(params[i], params[i+1])
	}
	return "https://" + host + "/?" + q.Encode()
}

func TestBrowserHonoursSameSite(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := sites()
		if _, err := b.Open(to("app.example", "set", "strict=1; SameSite=Strict; Secure", "set", "lax=1; SameSite=Lax", "set", "unsaid=1", "set", "none=1; SameSite=None; Secure")); err != nil {
			t.Fatal(err)
		}
		post := func(target string) (*providertest.Page, error) {
			return b.Submit(providertest.Form{Method: "POST", Action: target, Values: url.Values{"a": {"b"}}})
		}
		fetch := func(target string) (*providertest.Page, error) {
			r, _ := http.NewRequest("GET", target, nil)
			return b.Fetch(r)
		}
		const all, lax, none = "lax none strict unsaid", "lax none unsaid", "none"
		for name, row := range map[string]struct {
			from   string
			visit  func(string) (*providertest.Page, error)
			target string
			want   string
		}{
			"typed, from anywhere":               {"op.example", b.Open, to("app.example"), all},
			"link on the same site":              {"www.app.example", b.Follow, to("app.example"), all},
			"link on another site":               {"op.example", b.Follow, to("app.example"), lax},
			"post from the same site":            {"app.example", post, to("app.example"), all},
			"post from another site":             {"op.example", post, to("app.example"), none},
			"script of the same site":            {"app.example", fetch, to("app.example"), all},
			"script of another site":             {"op.example", fetch, to("app.example"), none},
			"redirect by way of another site":    {"app.example", b.Follow, to("op.example", "to", to("app.example")), lax},
			"redirect after a post from another": {"op.example", post, to("op.example", "to", to("app.example")), lax},
		} {
			if _, err := b.Open(to(row.from)); err != nil {
				t.Fatal(err)
			}
			p, err := row.visit(row.target)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(p.Body); got != row.want {
				t.Errorf("%s: cookies %q, want %q", name, got, row.want)
			}
		}
	})
}

func TestBrowserRejectsCookies(t *testing.T) {
	for name, row := range map[string]struct {
		from, line string
		kept       bool
	}{
		"__Host- as it should be":       {"https://app.example", "__Host-s=1; Path=/; Secure", true},
		"__Host- without Secure":        {"https://app.example", "__Host-s=1; Path=/", false},
		"__Host- with a Domain":         {"https://app.example", "__Host-s=1; Path=/; Secure; Domain=app.example", false},
		"__Host- with another path":     {"https://app.example", "__Host-s=1; Path=/a; Secure", false},
		"__host- in lower case":         {"https://app.example", "__host-s=1; Path=/", false},
		"__Secure- without Secure":      {"https://app.example", "__Secure-s=1", false},
		"Secure over http":              {"http://app.example", "s=1; Secure", false},
		"SameSite=None without Secure":  {"https://app.example", "s=1; SameSite=None", false},
		"of 4097 bytes":                 {"https://app.example", "s=" + strings.Repeat("x", 4096), false},
		"of 4096 bytes":                 {"https://app.example", "s=" + strings.Repeat("x", 4095), true},
		"for another domain altogether": {"https://app.example", "s=1; Domain=op.example", false},
	} {
		bubble(t, func(t *testing.T) {
			b := sites()
			if _, err := b.Open(row.from + "/?" + url.Values{"set": {row.line}}.Encode()); err != nil {
				t.Fatal(err)
			}
			if kept := len(b.Cookies("https://app.example/")) == 1; kept != row.kept {
				t.Errorf("%s: kept %v, want %v", name, kept, row.kept)
			}
		})
	}
}

func TestBrowserSendsWhatTellsANavigationFromAScript(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newClient(t, providertest.Config{})
		p, err := c.browser.SignIn(c.authURL(), "alice")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		add := func(h providertest.Hop) {
			got = append(got, strings.Join([]string{h.Method, h.URL.Host + h.URL.Path, h.Sent.Get("Sec-Fetch-Site"), h.Sent.Get("Sec-Fetch-Mode"),
				h.Sent.Get("Sec-Fetch-Dest"), h.Sent.Get("Origin"), h.Sent.Get("Accept")[:3]}, " "))
		}
		for _, h := range p.Hops {
			add(h)
		}
		if p, err = c.browser.Follow("/account"); err != nil {
			t.Fatal(err)
		}
		add(p.Hops[0])
		for _, target := range []string{"/api", "https://op.example/userinfo"} {
			for _, method := range []string{"GET", "POST"} {
				r, _ := http.NewRequest(method, target, nil)
				if p, err = c.browser.Fetch(r); err != nil {
					t.Fatal(err)
				}
				add(p.Hops[0])
			}
		}
		want := []string{
			"POST op.example/authorize/answer same-origin navigate document null tex",
			"GET app.example/callback cross-site navigate document  tex",
			"GET app.example/account same-origin navigate document  tex",
			"GET app.example/api same-origin cors empty  */*",
			"POST app.example/api same-origin cors empty https://app.example */*",
			"GET op.example/userinfo cross-site cors empty https://app.example */*",
			"POST op.example/userinfo cross-site cors empty https://app.example */*",
		}
		if !slices.Equal(got, want) {
			t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if at := c.browser.Page().URL.String(); at != "https://app.example/account" {
			t.Errorf("the scripts left the page for %s", at)
		}
	})
}

func TestBrowserKeepsHeadersOfAFetch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := sites()
		r, _ := http.NewRequest("GET", "https://app.example/", nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("X-Requested-With", "test")
		p, err := b.Fetch(r)
		if err != nil {
			t.Fatal(err)
		}
		if sent := p.Hops[0].Sent; sent.Get("Sec-Fetch-Site") != "cross-site" || sent.Get("X-Requested-With") != "test" || sent.Get("Sec-Fetch-Mode") != "cors" {
			t.Errorf("sent %v", sent)
		}
	})
}

func TestBrowserTellsWhereItComesFrom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		policy := ""
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if policy != "" {
				w.Header().Set("Referrer-Policy", policy)
			}
			fmt.Fprint(w, r.Header.Get("Referer"))
		})
		b := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{"app.example": h, "op.example": h}))
		for name, row := range map[string]struct{ policy, target, want string }{
			"to its own origin":       {"", "https://app.example/b", "https://app.example/a?code=secret"},
			"to another origin":       {"", "https://op.example/b", "https://app.example/"},
			"to http":                 {"", "http://app.example/b", ""},
			"under no-referrer":       {"no-referrer", "https://app.example/b", ""},
			"typed in the next field": {"", "", ""},
		} {
			policy = row.policy
			p, err := b.Open("https://app.example/a?code=secret#part")
			if err == nil && row.target != "" {
				p, err = b.Follow(row.target)
			}
			if err != nil || string(p.Body) != row.want {
				t.Errorf("%s: Referer %q, %v; want %q", name, p.Body, err, row.want)
			}
		}
	})
}

func TestBrowserSubmitsAGetForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := sites()
		b.SetCookie("https://app.example/", &http.Cookie{Name: "planted", Value: "1"})
		b.SetCookie("https://app.example/", &http.Cookie{Name: "__Host-planted", Value: "1"}) // not Secure: not kept
		p, err := b.Submit(providertest.Form{Method: "GET", Action: "https://app.example/find?old=1", Values: url.Values{"q": {"a b"}}})
		if err != nil || p.URL.String() != "https://app.example/find?q=a+b" || string(p.Body) != "planted" || p.Hop("/find") == nil || p.Hop("/") != nil {
			t.Errorf("%s with %q, %v", p.URL, p.Body, err)
		}
	})
}

func TestBrowserStopsWhereItIsTold(t *testing.T) {
	for _, mode := range []string{"query", "form_post"} {
		bubble(t, func(t *testing.T) {
			c := newClient(t, providertest.Config{})
			c.browser.StopAt = func(next *url.URL) bool { return next.Host == "app.example" }
			p, err := c.browser.SignIn(c.authURL(oauth2.SetAuthURLParam("response_mode", mode)), "alice")
			if err != nil || len(c.app.got) != 0 || p.URL.Host != "op.example" {
				t.Errorf("%s: at %s with %v, %v", mode, p.URL, c.app.got, err)
			}
			if mode == "query" && !strings.HasPrefix(p.Header.Get("Location"), callback) {
				t.Errorf("the response is not in the Location %q", p.Header.Get("Location"))
			}
		})
	}
}

func TestBrowsersAreIndependentAndConcurrent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, b := sites(), sites()
		if _, err := a.Open(to("app.example", "set", "s=1")); err != nil {
			t.Fatal(err)
		}
		if n := len(b.Cookies("https://app.example/")); n != 0 {
			t.Errorf("the other browser has %d cookies", n)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				r, _ := http.NewRequest("GET", to("app.example", "set", fmt.Sprintf("c%02d=1", i)), nil)
				if _, err := a.Fetch(r); err != nil {
					t.Error(err)
				}
				if _, err := a.Open(to("app.example")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(a.Cookies("https://app.example/")); n != 21 {
			t.Errorf("%d cookies, want 21", n)
		}
	})
}

func TestBrowserGivesUpOnARedirectLoop(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{"app.example": http.RedirectHandler("/", 302)}))
		if _, err := b.Open("https://app.example/"); err == nil || !strings.Contains(err.Error(), "too many redirects") {
			t.Errorf("%v, want too many redirects", err)
		}
	})
}

func TestBrowserRedirectMethods(t *testing.T) {
	for status, want := range map[int]string{301: "GET ", 302: "GET ", 303: "GET ", 307: "POST a=b", 308: "POST a=b"} {
		bubble(t, func(t *testing.T) {
			b := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{"app.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/" {
					http.Redirect(w, r, "/next", status)
					return
				}
				body, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, r.Method, " ", string(body))
			})}))
			p, err := b.Submit(providertest.Form{Method: "POST", Action: "https://app.example/", Values: url.Values{"a": {"b"}}})
			if err != nil || string(p.Body) != want {
				t.Errorf("%d: %q, %v; want %q", status, p.Body, err, want)
			}
		})
	}
}

func TestPageForms(t *testing.T) {
	p := providertest.Page{
		URL: &url.URL{Scheme: "https", Host: "app.example", Path: "/a/"}, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
		Body: []byte(`<!doctype html><script>document.write("<form action=x>")</script><!-- <form> -->
<FORM METHOD='POST' action="b?c=d&amp;e=f">
<input type=hidden name=token value="a>b&quot;"><input name="q">
<input type="checkbox" name="yes" value="1" checked><input type="checkbox" name="no" value="1">
<input type="submit" name="go" value="Go"><button name="action" value="x">X</button>
</FORM><form><input name="other" value=1 /></form>`),
	}
	forms := p.Forms()
	if len(forms) != 2 {
		t.Fatalf("%d forms: %+v", len(forms), forms)
	}
	if f := forms[0]; f.Method != "POST" || f.Action != "https://app.example/a/b?c=d&e=f" || f.Values.Encode() != `q=&token=a%3Eb%22&yes=1` {
		t.Errorf("first form %+v", f)
	}
	if f := forms[1]; f.Method != "GET" || f.Action != "https://app.example/a/" || f.Values.Encode() != "other=1" {
		t.Errorf("second form %+v", f)
	}
	p.Header.Set("Content-Type", "text/plain")
	if len(p.Forms()) != 0 {
		t.Error("a text has forms")
	}
}

func TestBrowserHidesItsOriginBehindAForeignRedirect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
				return
			}
			fmt.Fprint(w, r.Header.Get("Origin"))
		})
		b := providertest.NewBrowser(providertest.NewNetwork(map[string]http.Handler{"app.example": h, "op.example": h}))
		if _, err := b.Open("https://app.example/"); err != nil {
			t.Fatal(err)
		}
		for target, want := range map[string]string{
			to("app.example", "to", "https://op.example/"): "https://app.example",
			to("op.example", "to", "https://app.example/"): "null",
			to("op.example", "to", "https://op.example/"):  "https://app.example",
		} {
			r, _ := http.NewRequest("POST", target, nil)
			if p, err := b.Fetch(r); err != nil || string(p.Body) != want {
				t.Errorf("%s: Origin %q, %v; want %q", target, p.Body, err, want)
			}
		}
	})
}
