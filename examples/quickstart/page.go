package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/goeasyauth/easyauth/session"
)

//go:embed web
var web embed.FS

var pageTemplate = template.Must(template.ParseFS(web, "web/index.html"))

// pageView is what the template shows.
type pageView struct {
	Dev           bool   // the provider is the built-in one, and can be upset
	Provider      string // alias
	Issuer        string
	TokenLifetime string
	Outage        string

	Unavailable bool      // whether somebody is signed in cannot be found out
	User        *userView // nil: nobody is signed in
	Session     sessionTimes
	SignedOut   bool // somebody has just left
}

type userView struct {
	ID, Name string
	Claims   []claimView
}

type claimView struct{ Name, Value string }

type sessionTimes struct {
	Expires, Grace, Now string
	Lifetime            int // seconds
}

// page shows the signed-in user, or the way in.
func (a *app) page(w http.ResponseWriter, r *http.Request) {
	view := pageView{Dev: a.dev != nil, Provider: a.providerName(), Issuer: a.issuerURL(),
		TokenLifetime: inSeconds(a.tokenLifetime), Outage: inSeconds(a.outage)}
	status := http.StatusOK
	if s, ok := session.FromContext(r.Context()); ok {
		view.User = viewUser(s.User)
		view.Session = sessionTimes{stamp(s.ExpiresAt), stamp(s.GraceUntil), stamp(time.Now()), int(a.session.Seconds())}
	} else if session.Err(r.Context()) != nil {
		view.Unavailable = true
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "2")
		w.Header().Set("Refresh", "2")
	}
	view.SignedOut = view.User == nil && r.URL.Query().Has("signed_out")
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, view); err != nil {
		a.log.Error("page", "err", err)
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w)
}

// assets serves the style sheet, the script and the icon.
func assets() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	serve := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		serve.ServeHTTP(w, r)
	})
}

// hardened adds the headers that every answer of this application has. The
// policy allows nothing but our own files: no inline script, no inline style.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

func viewUser(u session.User) *userView {
	view := &userView{ID: u.ID, Name: u.Name}
	if view.Name == "" {
		view.Name = u.ID
	}
	for name, raw := range u.Claims.All() {
		view.Claims = append(view.Claims, claimView{name, readable(raw)})
	}
	return view
}

// readable shows a string without its quotes and everything else as JSON.
func readable(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func inSeconds(d time.Duration) string { return fmt.Sprintf("%d seconds", int(d.Seconds())) }
