package simulation_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// visit is one request and all that is known of it.
type visit struct {
	w     *world
	l     *login
	r     *replica
	kind  string
	d     dice
	resp  *response
	began time.Duration
	calm  bool // when it began
	left  bool // the client did not wait
	lost  bool // the browser must sign in again
	// forces says that the visit asks for more than what is due: another
	// audience, a token instead of one that still lives, a session's renewal.
	forces bool

	storeNow time.Time // when it began
	session  *row
	grant    *row
	audience grant.Audience
}

type visitKey struct{}

// serve is the application: it does what the visit came for.
func serve(w http.ResponseWriter, r *http.Request) {
	v := r.Context().Value(visitKey{}).(*visit)
	s, ok := session.FromContext(r.Context())
	v.admitted(s, ok)
	if ok {
		v.act(r.Context(), s)
	}
	w.WriteHeader(http.StatusOK)
}

// visit makes one request and judges what came of it. It reports whether the
// browser has to sign in again.
func (b *browser) visit(l *login, kind string, r *replica, d dice) bool {
	w := b.w
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	v := &visit{w: w, l: l, r: r, kind: kind, d: d, resp: &response{header: make(http.Header)}}
	if d.chance(0.08) && w.ctx.Err() == nil {
		defer time.AfterFunc(d.between(0, 2*time.Second), leave).Stop()
	}
	defer time.AfterFunc(2*time.Minute, leave).Stop()
	if r.dead.Load() {
		return false
	}
	v.begin(leave)
	ctx = context.WithValue(ctx, visitKey{}, v)
	cookie := l.cookie
	switch kind {
	case "anonymous":
		v.r.page.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/", ""))
	case "strict":
		v.r.strict.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/account", cookie))
	case "refresh":
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodPost, "/.auth/refresh", cookie))
	case "me":
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/.auth/me", cookie))
	case "logout":
		w.mu.Lock()
		l.mayEnd = "signed out"
		w.mu.Unlock()
		v.r.routes.ServeHTTP(v.resp, newRequest(ctx, http.MethodPost, "/.auth/logout", cookie))
	case "everywhere", "backchannel", "backchannel sid":
		v.endElsewhere(ctx)
	case "job":
		v.job(ctx)
	default:
		v.r.page.ServeHTTP(v.resp, newRequest(ctx, http.MethodGet, "/", cookie))
	}
	v.left = ctx.Err() != nil
	return v.end()
}

// begin notes how things stand.
func (v *visit) begin(leave context.CancelFunc) {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	v.began, v.calm, v.storeNow = w.at(), w.calm(), w.disk.now()
	v.session, v.grant = w.ledger.alive(sessionKey(v.l.id)), w.ledger.alive(grantKey(v.l.id))
	v.audience = grant.Audience{}
	switch v.kind {
	case "audience", "api":
		v.audience = pick(v.d, grant.Audience{}, grant.Resource("https://mail.example"), grant.Scopes("files", "read"))
	}
	v.forces = v.kind == "refresh" || v.kind == "api" || v.audience != (grant.Audience{}) || v.inGrace()
	if v.forces {
		v.l.forcing++
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

// admitted judges that the request was let in (I8, I12, I16).
func (v *visit) admitted(s *session.Session, ok bool) {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case !ok:
		w.breach("I16", "%s lets nobody in", v.r.name)
		return
	case s.User.ID != v.l.fam.sub || s.User.Provider != v.l.fam.idp.name || s.ID != v.l.id:
		w.breach("I16", "%s takes %s for %v", v.r.name, v.l, s)
	case v.session == nil || v.grant == nil:
		if v.l.endedAt > 0 && v.l.endedAt < v.began {
			w.breach("I8", "%s lets %s in, whose session ended at %v", v.r.name, v.l, v.l.endedAt)
		}
	case w.past(v.session, v.storeNow.Add(-time.Minute)):
		w.breach("I12", "%s lets %s in, whose session is long over", v.r.name, v.l)
	}
	w.sum.add("let in")
}

// act is what the application does for a signed-in user.
func (v *visit) act(ctx context.Context, s *session.Session) {
	switch v.kind {
	case "page", "strict":
		v.token(ctx, s)
	case "audience":
		v.token(ctx, s)
	case "api":
		v.callAPI(ctx, s)
	case "stream":
		v.stream(ctx, s)
	case "elsewhere":
		v.endOthers(ctx, s)
	}
}

// token asks for a token and judges what it gets.
func (v *visit) token(ctx context.Context, s *session.Session) {
	w := v.w
	began := w.at()
	w.mu.Lock()
	key := grantKey(v.l.id)
	before, now := w.ledger.alive(key), w.disk.now()
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
	took, after := w.at()-began, w.ledger.alive(key)
	shaken := v.r.froze(began) || w.disk.jumped(began-time.Minute)
	aud := audienceKey(v.audience)
	if took > callLimit+opLimit+10*time.Millisecond && !shaken {
		w.breach("I13", "%s lets %s wait %v for a token", v.r.name, v.l, took)
	}
	if err == nil {
		w.sum.add("tokens")
		v.judgeToken(t.AccessToken, aud, began)
		return
	}
	w.sum.add("no token: " + reasonOf(err))
	w.note("%s: no token for %s: %v", v.r.name, v.l, err)
	if text := err.Error(); strings.Contains(text, canary) {
		w.breach("I18", "a token in an error: %s", text)
	}
	if before != nil && after != nil && v.grant != nil && v.kind != "stream" {
		// The same token was there all the time, and lives. After ten seconds the
		// code wants to know whether the session does, too.
		was, is := before.Access[aud], after.Access[aud]
		unsure := errors.Is(err, grant.ErrStore) && w.at()-v.began > 10*time.Second ||
			errors.Is(err, grant.ErrSessionEnded) && w.ranOut(v.l.id)
		if v.grant.Access[aud].Token == was.Token && was.Token == is.Token && is.usable(w.disk.now().Add(2*time.Second)) && !shaken && !unsure && ctx.Err() == nil {
			w.breach("I7", "%s withholds from %s a token for %q that lives until %v: %v", v.r.name, v.l, aud, is.ExpiresAt.Sub(w.disk.now()), err)
		}
	}
	if c := v.inEscrow(aud); c != nil && c.endedAt < v.began-time.Second && v.r.readTrouble < c.endedAt && !shaken && ctx.Err() == nil {
		w.breach("I2", "%s has no token for %s, and one for %q in its hands since %v: %v", v.r.name, v.l, aud, c.endedAt, err)
	}
	if v.calm && w.calm() && ctx.Err() == nil && v.l.endedAt == 0 {
		v.judgeCalm(err, before, aud, now)
	}
}

// inEscrow returns the answer that this replica was given for the audience and
// could not store yet, if its token lives.
func (v *visit) inEscrow(aud string) *call {
	w := v.w
	key := grantKey(v.l.id)
	for _, c := range v.l.fam.calls {
		if c.delivered && !c.stored && c.by == v.r && c.key == key && c.audience == aud && v.l.mayEnd == "" && v.r.closedAt == 0 &&
			w.ledger.alive(key) != nil && w.ledger.lastGen[key] == c.gen && c.brought.expires > w.at()+5*time.Second {
			return c
		}
	}
	return nil
}

// judgeCalm: when nothing is wrong, a grant that lives gives a token, and one
// that does not says so (I19, I20).
func (v *visit) judgeCalm(err error, before *row, aud string, now time.Time) {
	w := v.w
	if errors.Is(err, grant.ErrReauthRequired) || errors.Is(err, grant.ErrNoRefreshToken) {
		if before == nil || before.Dead != "" || before.Attempt != nil || now.Before(before.Refused[aud].Until) {
			return
		}
		if rt := w.ledger.refresh[before.RT]; rt != nil && rt.good() {
			w.breach("I20", "%s tells %s to sign in again (%v), whose refresh token is good", v.r.name, v.l, err)
		}
		return
	}
	if errors.Is(err, grant.ErrSessionEnded) && w.ranOut(v.l.id) || v.waitsOutJump(before) {
		return
	}
	w.breach("I20", "%s has no token for %s, and nothing is wrong: %v", v.r.name, v.l, err)
}

// waitsOutJump reports whether a replica may just have found out that the store's
// clock has jumped, in which case it waits before it believes that an attempt in
// doubt is over.
func (v *visit) waitsOutJump(g *row) bool {
	return g != nil && g.Attempt != nil && v.w.disk.jumpedAt > 0
}

// judgeToken: whose it is, what it is for, whether it lives and rests (I2, I16).
func (v *visit) judgeToken(value, aud string, began time.Duration) {
	w := v.w
	t := w.accessToken(value)
	switch {
	case t == nil:
		w.breach("I16", "%s gives %s a token that nobody issued: %s", v.r.name, v.l, value)
		return
	case t.fam != v.l.fam || t.fam.sub != v.l.fam.sub:
		w.breach("I16", "%s gives %s the token of %s", v.r.name, v.l, t.fam)
	case t.audience != aud:
		w.breach("I16", "%s gives %s a token for %q instead of %q", v.r.name, v.l, t.audience, aud)
	case v.l.endedAt > 0 && began-v.l.endedAt > 28*time.Second && !v.r.froze(v.began):
		w.breach("I8", "%s gives %s a token %v after the session ended", v.r.name, v.l, began-v.l.endedAt)
	}
	if !t.stored && (t.call == nil || t.call.by != v.r || v.r.storeTrouble < t.call.sentAt && !v.r.froze(t.call.sentAt)) {
		w.breach("I2", "%s gives %s a token that is neither stored nor waiting to be", v.r.name, v.l)
	}
	if late := w.at() - t.expires; late > time.Second && t.skew == 0 && !(t.call == nil && w.disk.jumpedAt > 0) && !w.disk.jumped(t.expires-t.life-time.Minute) && !v.r.froze(v.began) &&
		!v.untold(t, aud) {
		w.breach("I7", "%s gives %s a token that died %v ago", v.r.name, v.l, late)
	}
}

// untold reports whether nobody was told how long the token lives.
func (v *visit) untold(t *token, _ string) bool { return t.untold }

// callAPI lets a client call an API, which judges what it is sent.
func (v *visit) callAPI(ctx context.Context, s *session.Session) {
	base := &http.Client{Transport: api{v}}
	c := s.ClientFor(context.WithValue(ctx, oauth2.HTTPClient, base), v.audience)
	req := (&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "api.example", Path: "/"}, Header: make(http.Header)}).WithContext(ctx)
	resp, err := c.Do(req)
	if err != nil {
		return
	}
	resp.Body.Close()
}

// api is a resource server.
type api struct{ v *visit }

// RoundTrip implements [http.RoundTripper].
func (a api) RoundTrip(req *http.Request) (*http.Response, error) {
	v, w := a.v, a.v.w
	time.Sleep(v.d.between(0, 50*time.Millisecond))
	resp := &http.Response{StatusCode: http.StatusOK, Request: req, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(""))}
	w.mu.Lock()
	defer w.mu.Unlock()
	value := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	t := w.accessToken(value)
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

// end judges the answer to the request.
func (v *visit) end() bool {
	w := v.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if v.forces {
		v.l.forcing--
		v.l.forced = w.at()
	}
	if v.r.dead.Load() {
		return false // the connection broke
	}
	status := v.resp.status
	value, set := v.resp.setCookie()
	w.note("%s: %s %s: %d after %v", v.r.name, v.l, v.kind, status, w.at()-v.began)
	w.sum.add(statusName(status))
	if v.kind == "anonymous" {
		if status != http.StatusUnauthorized || set {
			w.breach("I6", "%s answers %d to who is nobody", v.r.name, status)
		}
		return false
	}
	switch {
	case set && value == "":
		v.lost = true
		if !v.over() {
			w.breach("I6", "%s takes the cookie of %s away with a %d, whose session goes on", v.r.name, v.l, status)
		}
	case set && value != v.l.cookie:
		w.breach("I9", "%s gives %s another cookie", v.r.name, v.l)
	}
	v.judgeStatus(status)
	v.judgeWait()
	if v.kind == "me" && status == http.StatusOK {
		v.judgeMe()
	}
	return v.lost
}

func (v *visit) judgeStatus(status int) {
	w := v.w
	switch status {
	case http.StatusOK, 0: // 0: nobody asked over HTTP
	case http.StatusFound, http.StatusSeeOther:
		if v.kind != "logout" {
			w.breach("I6", "%s redirects a program of %s", v.r.name, v.l)
		} else if w.ledger.alive(grantKey(v.l.id)) != nil && !w.ranOut(v.l.id) {
			w.breach("I8", "%s says that %s is signed out, and the grant is still there", v.r.name, v.l)
		}
	case http.StatusUnauthorized:
		v.lost = true
		if !v.over() && !(v.kind == "strict" && v.mustSignIn()) {
			w.breach("I6", "%s asks %s to sign in, whose session goes on", v.r.name, v.l)
		}
	case http.StatusForbidden:
		if v.kind != "refresh" || !v.mustSignIn() {
			w.breach("I6", "%s says 403 to %s, whose grant lives", v.r.name, v.l)
		}
	case http.StatusBadRequest:
		w.breach("I6", "%s says 400 to %s", v.r.name, v.l)
	case http.StatusBadGateway, http.StatusServiceUnavailable:
		if status == http.StatusServiceUnavailable && v.resp.header.Get("Retry-After") == "" {
			w.breach("I6", "%s says 503 to %s without a Retry-After", v.r.name, v.l)
		}
		// In doubt for good, and the access token lives: there is nothing to be
		// said before it dies.
		doubted := (v.kind == "refresh" || v.inGrace()) && v.grant != nil && v.grant.Attempt != nil
		if v.calm && w.calm() && !v.left && !doubted && !v.waitsOutJump(v.grant) {
			w.breach("I20", "%s says %d to %s, and nothing is wrong", v.r.name, status, v.l)
		}
	default:
		w.breach("I6", "%s says %d to %s", v.r.name, status, v.l)
	}
}

// over reports whether the session has ended, or may rightly be taken for ended.
// w.mu is held.
func (v *visit) over() bool {
	w := v.w
	v.session, v.storeNow = w.ledger.alive(sessionKey(v.l.id)), w.disk.now()
	g := w.ledger.alive(grantKey(v.l.id))
	return g == nil || g.Dead != "" || v.l.mayEnd == swapped || w.ranOut(v.l.id) || v.inGrace() && v.mustSignIn()
}

// mustSignIn reports whether the grant cannot be renewed any more.
func (v *visit) mustSignIn() bool {
	g := v.w.ledger.alive(grantKey(v.l.id))
	return g == nil || g.Dead != "" || v.l.mayEnd == swapped || g.RT == "" || g.Attempt != nil && (g.Attempt.Probe || v.l.fam.idp.policy.Wide)
}

// judgeWait: nobody waits longer than a store that does not answer, the wait
// budget, and the same again for a route that insists on a token.
func (v *visit) judgeWait() {
	w := v.w
	took := w.at() - v.began
	if v.kind == "stream" || v.kind == "api" || v.kind == "logout" || v.r.froze(v.began) {
		return
	}
	if limit := 3*callLimit + 6*opLimit; took > limit {
		w.breach("I13", "%s lets %s wait %v", v.r.name, v.l, took)
	}
	if v.calm && w.calm() && took > 5*time.Second && !v.waitsOutJump(v.grant) {
		w.breach("I21", "%s lets %s wait %v, and nothing is wrong", v.r.name, v.l, took)
	}
}

// judgeMe looks at the tokens that /.auth/me shows.
func (v *visit) judgeMe() {
	rest := v.resp.body.String()
	for {
		_, after, found := strings.Cut(rest, canary+"-at-")
		if !found {
			return
		}
		name, _, _ := strings.Cut(after, `"`)
		v.judgeToken(canary+"-at-"+name, "", v.began)
		rest = after
	}
}

// audienceKey names an audience as a record does.
func audienceKey(a grant.Audience) string {
	switch a {
	case grant.Resource("https://mail.example"):
		return "https://mail.example\n"
	case grant.Scopes("files", "read"):
		return "\nfiles read"
	}
	return ""
}

func reasonOf(err error) string {
	for _, known := range []error{grant.ErrSessionEnded, grant.ErrReauthRequired, grant.ErrNoRefreshToken, grant.ErrMisconfigured, grant.ErrStore} {
		if errors.Is(err, known) {
			return strings.TrimPrefix(known.Error(), "grant: ")
		}
	}
	if t, ok := errors.AsType[*grant.TransientError](err); ok {
		return t.Reason
	}
	return err.Error()
}

func statusName(status int) string { return "status " + http.StatusText(status) }

func pathURL(path string) *url.URL { return &url.URL{Path: path} }
