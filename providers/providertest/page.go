package providertest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Page is an answer that a Browser received, with its body read.
type Page struct {
	URL    *url.URL // the last one, where redirects were followed
	Status int
	Header http.Header
	Body   []byte
	Hops   []Hop // every request that led here, this one included
}

// Hop is one request of a chain of redirects.
type Hop struct {
	Method string
	URL    *url.URL
	Sent   http.Header // of the request
	Status int
	Header http.Header // of the answer
}

// Form is a form on a page, ready to be changed and submitted.
type Form struct {
	Method string     // GET or POST
	Action string     // absolute
	Values url.Values // of its input fields; a button is not pressed
}

// Forms returns the forms on the page.
func (p *Page) Forms() []Form {
	var forms []Form
	if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	for _, t := range tags(string(p.Body)) {
		switch {
		case t.name == "form":
			action, err := p.URL.Parse(t.attr["action"])
			if err != nil {
				action = p.URL
			}
			f := Form{Method: http.MethodGet, Action: action.String(), Values: make(url.Values)}
			if strings.EqualFold(t.attr["method"], "post") {
				f.Method = http.MethodPost
			}
			forms = append(forms, f)
		case t.name == "input" && len(forms) > 0 && t.attr["name"] != "":
			_, checked := t.attr["checked"]
			switch strings.ToLower(t.attr["type"]) {
			case "submit", "button", "image", "reset", "file":
			case "checkbox", "radio":
				if checked {
					forms[len(forms)-1].Values.Add(t.attr["name"], t.attr["value"])
				}
			default:
				forms[len(forms)-1].Values.Add(t.attr["name"], t.attr["value"])
			}
		}
	}
	return forms
}

// Hop returns the first request of the chain whose path is path, or nil.
func (p *Page) Hop(path string) *Hop {
	for i := range p.Hops {
		if p.Hops[i].URL.Path == path {
			return &p.Hops[i]
		}
	}
	return nil
}

// signInForm returns the form of this package's sign-in page.
func (p *Page) signInForm() (Form, bool) {
	for _, f := range p.Forms() {
		if u, err := url.Parse(f.Action); err == nil && strings.HasSuffix(u.Path, "/authorize/answer") && f.Values.Has("request") {
			return f, true
		}
	}
	return Form{}, false
}

// secretive reports whether the page keeps browsers from telling about it.
func (p *Page) secretive() bool { return p.Header.Get("Referrer-Policy") == "no-referrer" }

var submits = regexp.MustCompile(`forms\[0\]\.submit\(\)`)

// autoSubmit returns the form of a page that submits itself.
func (p *Page) autoSubmit() (Form, bool) {
	forms := p.Forms()
	if len(forms) != 1 || forms[0].Method != http.MethodPost || !submits.Match(p.Body) {
		return Form{}, false
	}
	return forms[0], true
}
