package simulation_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// visit is one request, or one call of a job, and all that is known of it.
type visit struct {
	w        *world
	l        *login
	r        *replica
	kind     string
	audience grant.Audience
	d        dice
	resp     *response

	// How things stood when it began.
	began    time.Duration
	storeNow time.Time
	calm     bool
	outage   *spell // of the store, for this replica
	session  *row
	grant    *row
	// forces says that it asks for more than what is due: another audience, a
	// token instead of one that still lives, a session's renewal.
	forces bool

	left bool // the client did not wait for the answer
	lost bool // the browser has to sign in again
}

// visit makes one request and judges what came of it. It reports whether the
// browser has to sign in again.
func (b *browser) visit(l *login, kind string, r *replica, d dice) bool {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	if r.dead.Load() {
		return false // the connection is refused
	}
	v := &visit{w: b.w, l: l, r: r, kind: kind, d: d, resp: newResponse()}
	if d.chance(0.08) && b.w.ctx.Err() == nil {
		defer time.AfterFunc(d.between(0, 2*time.Second), leave).Stop()
	}
	defer time.AfterFunc(2*time.Minute, leave).Stop()
	v.begin(leave)
	v.perform(context.WithValue(ctx, visitKey{}, v))
	v.left = ctx.Err() != nil
	return v.end()
}

// begin notes how things stand.
func (v *visit) begin(leave context.CancelFunc) {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	v.began, v.calm, v.storeNow, v.outage = w.at(), w.calm(), w.disk.now(), w.weather.outage(w, v.r)
	v.session, v.grant = w.ledger.rows[sessionKey(v.l.id)], w.ledger.rows[grantKey(v.l.id)]
	if v.kind == "audience" || v.kind == "api" {
		v.audience = pick(v.d, grant.Audience{}, mail, files)
	}
	v.forces = v.kind == "refresh" || v.kind == "api" || v.audience != (grant.Audience{}) || v.inGrace()
	if v.forces {
		v.l.forcing++
	}
	if v.kind == "logout" {
		v.l.mayEnd = "signed out"
	}
	v.l.leave = append(v.l.leave, leave)
	if len(v.l.leave) > 8 {
		v.l.leave = v.l.leave[1:]
	}
	w.sum.add("requests")
	w.sum.add("request: " + v.kind)
}

func (v *visit) inGrace() bool {
	return v.session != nil && !v.storeNow.Before(v.session.Expires.Add(-time.Minute))
}

type visitKey struct{}

// perform does what the visit is for.
func (v *visit) perform(ctx context.Context) {
	cookie := v.l.cookie
	switch v.kind {
	case "anonymous":
		v.r.page.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/", ""))
	case "strict":
		v.r.strict.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/account", cookie))
	case "refresh":
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodPost, "/.auth/refresh", cookie))
	case "me":
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/.auth/me", cookie))
	case "logout":
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodPost, "/.auth/logout", cookie))
	case "everywhere", "backchannel", "backchannel sid":
		v.endElsewhere(ctx)
	case "job":
		v.job(ctx)
	default:
		v.r.page.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/", cookie))
	}
}

// serve is the application, behind its guard.
func serve(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v := ctx.Value(visitKey{}).(*visit)
	s, ok := session.FromContext(ctx)
	v.judgeAdmission(s, ok)
	if !ok {
		return
	}
	switch v.kind {
	case "page", "strict", "audience":
		v.token(ctx, s)
	case "api":
		v.callAPI(ctx, s)
	case "stream":
		v.stream(ctx, s)
	case "elsewhere":
		v.endOthers(ctx, s)
	}
	w.WriteHeader(http.StatusOK)
}

// token asks for a token and judges what comes.
func (v *visit) token(ctx context.Context, s *session.Session) {
	w := v.w
	asked := w.at()
	w.mu.Lock()
	before := w.ledger.rows[grantKey(v.l.id)]
	w.mu.Unlock()
	var (
		t   *oauth2.Token
		err error
	)
	if v.audience == (grant.Audience{}) {
		t, err = s.Token(ctx)
	} else {
		t, err = s.TokenFor(ctx, v.audience)
	}
	if v.r.dead.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if took := w.at() - asked; took > callLimit+opLimit+10*time.Millisecond && !v.r.froze(asked) {
		w.breach("I13", "%s lets %s wait %v for a token", v.r.name, v.l, took)
	}
	if err != nil {
		v.judgeRefusal(ctx, err, asked, before)
		return
	}
	w.sum.add("tokens")
	v.judgeToken(t.AccessToken, audienceKey(v.audience), asked)
}

// The audiences besides the one of the sign-in: one of each form.
var (
	mail  = grant.Resource("https://mail.example")
	files = grant.Scopes("files", "read")
)

// audienceKey names an audience as a record does.
func audienceKey(a grant.Audience) string {
	switch a {
	case mail:
		return "https://mail.example\n"
	case files:
		return "\nfiles read"
	}
	return ""
}

// callAPI lets a client call an API, which judges what it is sent.
func (v *visit) callAPI(ctx context.Context, s *session.Session) {
	base := &http.Client{Transport: api{v}}
	c := s.ClientFor(context.WithValue(ctx, oauth2.HTTPClient, base), v.audience)
	req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/"}, Header: make(http.Header)}
	if resp, err := c.Do(req.WithContext(ctx)); err == nil {
		resp.Body.Close()
	}
}

// api is a resource server. Now and then it refuses a token for reasons of its own.
type api struct{ v *visit }

// RoundTrip implements [http.RoundTripper].
func (a api) RoundTrip(req *http.Request) (*http.Response, error) {
	v, w := a.v, a.v.w
	time.Sleep(v.d.between(0, 50*time.Millisecond))
	resp := &http.Response{StatusCode: http.StatusOK, Request: req, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(""))}
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.ledger.access[strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")]
	if t == nil || t.fam != v.l.fam || t.audience != audienceKey(v.audience) {
		w.breach("I16", "%s calls an API as %s with a token that is not theirs for it", v.r.name, v.l)
		return resp, nil
	}
	w.sum.add("API calls")
	if w.at() >= t.expires || t.fam.ended == "revoked by the provider" || v.d.chance(0.02) {
		resp.StatusCode = http.StatusUnauthorized
		w.sum.add("API calls refused")
	}
	return resp, nil
}
