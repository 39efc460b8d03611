package simulation_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/goeasyauth/easyauth/session"
	"github.com/goeasyauth/easyauth/session/grant"
)

// judgeAdmission judges whom the guard has let in (I8, I12, I16).
func (v *visit) judgeAdmission(s *session.Session, ok bool) {
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

// judgeToken judges a token that the application was given: whose it is, what it
// is for, whether it lives and where it rests (I2, I7, I8, I16). w.mu is held.
func (v *visit) judgeToken(value, aud string, asked time.Duration) {
	w := v.w
	t := w.ledger.access[value]
	switch {
	case t == nil:
		w.breach("I16", "%s gives %s a token that nobody issued", v.r.name, v.l)
		return
	case t.fam != v.l.fam:
		w.breach("I16", "%s gives %s the token of %s", v.r.name, v.l, t.fam)
	case t.audience != aud:
		w.breach("I16", "%s gives %s a token for %q instead of %q", v.r.name, v.l, t.audience, aud)
	case v.l.endedAt > 0 && asked-v.l.endedAt > afterEnd && !v.r.froze(v.began):
		w.breach("I8", "%s gives %s a token %v after the session ended", v.r.name, v.l, asked-v.l.endedAt)
	}
	if c := t.call; !t.stored && (c == nil || c.by != v.r || v.r.storeTrouble < c.sentAt && !v.r.froze(c.sentAt)) {
		w.breach("I2", "%s gives %s a token that is neither stored nor waiting to be", v.r.name, v.l)
	}
	if late := w.at() - t.expires; late > time.Second && !t.misdated() && !v.r.froze(v.began) {
		w.breach("I7", "%s gives %s a token that died %v ago", v.r.name, v.l, late)
	}
}

// afterEnd is how long a request that began before the session ended may still be
// given a token: the record is ten seconds old at most when it is used, and one
// call of a refresh may lie before that.
const afterEnd = 28 * time.Second

// judgeRefusal judges that there was no token (I2, I7, I18 to I20). before is the
// grant's row when it was asked for. w.mu is held.
func (v *visit) judgeRefusal(ctx context.Context, err error, asked time.Duration, before *row) {
	w := v.w
	w.sum.add("no token: " + reasonOf(err))
	w.note("%s: no token for %s: %v", v.r.name, v.l, err)
	if strings.Contains(err.Error(), canary) {
		w.breach("I18", "a token in an error: %v", err)
	}
	if ctx.Err() != nil || v.r.froze(asked) || w.disk.jumped(asked-time.Minute) ||
		errors.Is(err, grant.ErrSessionEnded) && w.ranOut(v.l.id) {
		return
	}
	aud := audienceKey(v.audience)
	if a := v.lasting(aud, before); a.usable(w.disk.now().Add(2*time.Second)) &&
		!(errors.Is(err, grant.ErrStore) && w.at()-v.began > 10*time.Second) { // a look that is older than that is not believed
		w.breach("I7", "%s withholds from %s a token for %q that lives until %v: %v", v.r.name, v.l, aud, a.ExpiresAt, err)
	}
	if c := v.inEscrow(aud); c != nil && c.endedAt < v.began-time.Second && v.r.readTrouble < c.endedAt {
		w.breach("I2", "%s has no token for %s, and one for %q in its hands since %v: %v", v.r.name, v.l, aud, c.endedAt, err)
	}
	if v.calm && w.calm() && v.l.endedAt == 0 && !v.inDoubt(before) {
		v.judgeCalmRefusal(err, aud, before)
	}
}

// lasting returns the access token that was stored all the time, from before the
// request began.
func (v *visit) lasting(aud string, before *row) accessRow {
	after := v.w.ledger.rows[grantKey(v.l.id)]
	if v.grant == nil || before == nil || after == nil || v.kind == "stream" {
		return accessRow{}
	}
	a := after.Access[aud]
	if a.Token != v.grant.Access[aud].Token || a.Token != before.Access[aud].Token {
		return accessRow{}
	}
	return a
}

// inEscrow returns the answer that this replica was given for the audience and
// could not store yet, if its token lives.
func (v *visit) inEscrow(aud string) *call {
	w, key := v.w, grantKey(v.l.id)
	if w.ledger.rows[key] == nil || v.l.mayEnd != "" || v.r.closedAt > 0 {
		return nil
	}
	for _, c := range v.l.fam.calls {
		if c.delivered && !c.stored && c.by == v.r && c.key == key && c.audience == aud &&
			w.ledger.lastGen[key] == c.gen && c.brought.expires > w.at()+5*time.Second {
			return c
		}
	}
	return nil
}

// inDoubt reports whether a grant's refresh token may be used up. Then there may
// be nothing to be said before its access token dies, or before a replica that
// has just found out about a jump of the store's clock believes it.
func (v *visit) inDoubt(g *row) bool { return g != nil && g.Attempt != nil }

// judgeCalmRefusal: when nothing is wrong a grant that lives gives a token, and
// one that does not says so (I20).
func (v *visit) judgeCalmRefusal(err error, aud string, before *row) {
	w := v.w
	if !errors.Is(err, grant.ErrReauthRequired) && !errors.Is(err, grant.ErrNoRefreshToken) {
		w.breach("I20", "%s has no token for %s, and nothing is wrong: %v", v.r.name, v.l, err)
		return
	}
	if before == nil || before.Dead != "" || w.disk.now().Before(before.Refused[aud].Until) {
		return
	}
	if rt := w.ledger.refresh[before.RT]; rt != nil && rt.good() {
		w.breach("I20", "%s tells %s to sign in again (%v), whose refresh token is good", v.r.name, v.l, err)
	}
}

// end judges the answer to the request. It reports whether the browser has to
// sign in again.
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
	w.note("%s: %s %s: %d after %v", v.r.name, v.l, v.kind, v.resp.status, w.at()-v.began)
	if v.resp.status != 0 {
		w.sum.add("status " + http.StatusText(v.resp.status))
	}
	v.judgeCookie()
	v.judgeStatus(v.resp.status)
	v.judgeWait(w.at() - v.began)
	if v.kind == "me" && v.resp.status == http.StatusOK {
		v.judgeMe()
	}
	return v.lost
}

// judgeCookie: the cookie is the same for the life of the session, and it is
// taken away only with that (I6, I9).
func (v *visit) judgeCookie() {
	switch value, set := v.resp.setCookie(); {
	case !set:
	case value == "":
		v.lost = true
		if v.kind == "anonymous" || !v.over() {
			v.w.breach("I6", "%s takes the cookie of %s away with a %d, whose session goes on", v.r.name, v.l, v.resp.status)
		}
	case value != v.l.cookie:
		v.w.breach("I9", "%s gives %s another cookie", v.r.name, v.l)
	}
}

// judgeStatus: what is answered is true (I6, I8, I20).
func (v *visit) judgeStatus(status int) {
	w := v.w
	switch {
	case status == 0, status == http.StatusOK: // 0: nobody asked over HTTP
	case v.kind == "anonymous":
		if status != http.StatusUnauthorized {
			w.breach("I6", "%s says %d to who is nobody", v.r.name, status)
		}
	case v.kind == "logout" && status == http.StatusSeeOther:
		if w.ledger.rows[grantKey(v.l.id)] != nil && !w.ranOut(v.l.id) {
			w.breach("I8", "%s says that %s is signed out, and the grant is still there", v.r.name, v.l)
		}
	case status == http.StatusUnauthorized:
		v.lost = true
		// A grant that was dead for others while this process was frozen with the
		// answer in its hands lives again the moment it thaws.
		if !v.over() && !(v.kind == "strict" && (v.mustSignIn() || v.r.froze(v.began))) {
			w.breach("I6", "%s asks %s to sign in, whose session goes on", v.r.name, v.l)
		}
	case status == http.StatusForbidden:
		if v.kind != "refresh" || !v.mustSignIn() {
			w.breach("I6", "%s says 403 to %s, whose grant lives", v.r.name, v.l)
		}
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable:
		if status == http.StatusServiceUnavailable && v.resp.header.Get("Retry-After") == "" {
			w.breach("I6", "%s says 503 to %s without a Retry-After", v.r.name, v.l)
		}
		if v.calm && w.calm() && !v.left && !v.inDoubt(v.grant) {
			w.breach("I20", "%s says %d to %s, and nothing is wrong", v.r.name, status, v.l)
		}
	default:
		w.breach("I6", "%s says %d to %s", v.r.name, status, v.l)
	}
}

// over reports whether the session has ended, or may rightly be taken for ended.
func (v *visit) over() bool {
	w := v.w
	v.session, v.storeNow = w.ledger.rows[sessionKey(v.l.id)], w.disk.now()
	g := w.ledger.rows[grantKey(v.l.id)]
	return g == nil || g.Dead != "" || v.l.mayEnd == swapped || w.ranOut(v.l.id) ||
		v.inGrace() && (v.mustSignIn() || v.inDoubt(v.grant)) // which may have been cleared up at the last moment
}

// mustSignIn reports whether the grant cannot be renewed any more.
func (v *visit) mustSignIn() bool {
	g := v.w.ledger.rows[grantKey(v.l.id)]
	return g == nil || g.Dead != "" || v.l.mayEnd == swapped || g.RT == "" ||
		g.Attempt != nil && (g.Attempt.Probe || v.l.fam.idp.policy.Wide)
}

// judgeWait: who is nobody waits for nobody; who meets a store that is down is
// told so within a second; and nobody waits longer than for a store that does not
// answer, the wait budget, and the same again for a route that insists on a token
// (I13, I21).
func (v *visit) judgeWait(took time.Duration) {
	w := v.w
	switch {
	case v.kind == "anonymous":
		if took > 0 {
			w.breach("I13", "%s asks somebody about who is nobody: %v", v.r.name, took)
		}
	case v.r.froze(v.began):
	case v.outage != nil && v.outage == w.weather.outage(w, v.r) && took > time.Second && v.kind != "stream" && v.kind != "job":
		w.breach("I13", "%s lets %s wait %v while the store is down", v.r.name, v.l, took)
	case v.kind == "stream", v.kind == "api", v.kind == "logout":
	case took > 3*callLimit+6*opLimit:
		w.breach("I13", "%s lets %s wait %v", v.r.name, v.l, took)
	case took > 5*time.Second && v.calm && w.calm() && !v.inDoubt(v.grant):
		w.breach("I21", "%s lets %s wait %v, and nothing is wrong", v.r.name, v.l, took)
	}
}

// judgeMe judges the tokens that /.auth/me shows.
func (v *visit) judgeMe() {
	const begins = canary + "-at-"
	for rest := v.resp.body.String(); ; {
		_, after, found := strings.Cut(rest, begins)
		if !found {
			return
		}
		name, _, _ := strings.Cut(after, `"`)
		v.judgeToken(begins+name, "", v.began)
		rest = after
	}
}

func reasonOf(err error) string {
	if t, ok := errors.AsType[*grant.TransientError](err); ok {
		return t.Reason
	}
	for _, known := range []error{grant.ErrSessionEnded, grant.ErrReauthRequired, grant.ErrNoRefreshToken, grant.ErrMisconfigured, grant.ErrStore} {
		if errors.Is(err, known) {
			return strings.TrimPrefix(known.Error(), "grant: ")
		}
	}
	return err.Error()
}
