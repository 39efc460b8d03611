package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/goeasyauth/easyauth/store"
)

// cookieSessions is scs over our store: it makes the cookie values, keeps the
// rows' deadlines, encodes and commits, and writes the cookies.
//
// It is never asked to wrap a handler. scs's LoadAndSave writes whole sessions
// back once the handler has begun to answer, which restores logged-out sessions
// and loses to every faster writer (docs/threats.md G20-G23); here a commit names
// the version it replaces and happens before the handler runs.
type cookieSessions struct{ scs *scs.SessionManager }

// valueKey names the one value in our scs sessions.
const valueKey = "easyauth"

func newCookieSessions(s store.Store, cookie scs.SessionCookie) *cookieSessions {
	// Not scs.New: it starts a goroutine for a store that we replace, and
	// nothing ends it.
	return &cookieSessions{&scs.SessionManager{Store: rows{s}, Codec: codec{}, Cookie: cookie}}
}

func cookieAttributes(insecure bool, sameSite http.SameSite) scs.SessionCookie {
	c := scs.SessionCookie{Name: cookieName, Path: "/", HttpOnly: true, Secure: true, SameSite: sameSite, Persist: true}
	if insecure {
		c.Name, c.Secure = cookieNameLoopback, false
	}
	return c
}

// begin returns a context with a new session and its cookie value, which never
// was before.
func (c *cookieSessions) begin(ctx context.Context) (context.Context, string, error) {
	r := &row{}
	ctx, err := c.scs.Load(context.WithValue(ctx, rowKey{}, r), "")
	if err != nil {
		return nil, "", err
	}
	if err := c.scs.RenewToken(ctx); err != nil {
		return nil, "", err
	}
	token := c.scs.Token(ctx)
	r.id, _ = idOf(token)
	return ctx, token, nil
}

// open returns a context with the session id as e, just loaded, holds it. A row
// that is absent, or that this version cannot read, gives no record.
func (c *cookieSessions) open(ctx context.Context, id string, e store.Entry) (context.Context, *record) {
	ctx, err := c.scs.Load(context.WithValue(ctx, rowKey{}, &row{id, e}), id)
	if err != nil {
		return nil, nil
	}
	rec, _ := c.scs.Get(ctx, valueKey).(*record)
	return ctx, rec
}

// commit stores rec until then, in place of what begin or open saw.
// store.ErrConflict: somebody else wrote, or the session ended.
func (c *cookieSessions) commit(ctx context.Context, rec *record, until time.Time) error {
	rowIn(ctx).entry.Tags = rec.tags()
	c.scs.Put(ctx, valueKey, rec)
	c.scs.SetDeadline(ctx, until)
	_, _, err := c.scs.Commit(ctx)
	return err
}

// writeCookie sends the cookie, and keeps the answer that carries it out of
// every cache. A zero until deletes it.
func (c *cookieSessions) writeCookie(w http.ResponseWriter, token string, until time.Time) {
	c.scs.WriteSessionCookie(context.Background(), w, token, until) // ok: Persist is set, so scs asks nothing of the context
	w.Header().Set("Cache-Control", "no-store")
}

// row is one stored session under way between scs and our store.
type row struct {
	id    string
	entry store.Entry // as loaded; zero: new
}

type rowKey struct{}

func rowIn(ctx context.Context) *row { return ctx.Value(rowKey{}).(*row) }

// rows is the store as scs sees it. The row was loaded before scs was asked,
// together with the grant's, and travels in the context.
type rows struct{ store store.Store }

var _ scs.CtxStore = rows{}

func (rows) FindCtx(ctx context.Context, _ string) ([]byte, bool, error) {
	value := rowIn(ctx).entry.Value
	return value, len(value) > 0, nil
}

func (s rows) CommitCtx(ctx context.Context, _ string, value []byte, until time.Time) error {
	r := rowIn(ctx)
	e := r.entry
	e.Value, e.ExpiresAt = value, until
	saved, err := s.store.Save(ctx, sessionKey(r.id), e)
	if err != nil {
		return err
	}
	r.entry = saved
	return nil
}

func (s rows) DeleteCtx(ctx context.Context, _ string) error {
	return s.store.Delete(ctx, sessionKey(rowIn(ctx).id))
}

// errUnreadable never leaves this file: open says "no record" instead.
var errUnreadable = errors.New("session: row of another format")

// scs asks for these only where a store has no methods with a context.
var errNeedsContext = errors.New("session: store asked without a context")

func (rows) Find(string) ([]byte, bool, error)      { return nil, false, errNeedsContext }
func (rows) Commit(string, []byte, time.Time) error { return errNeedsContext }
func (rows) Delete(string) error                    { return errNeedsContext }

// codec stores our record instead of scs's gob of a map: a type that changes
// with a deploy must not turn every session into an error (docs/threats.md G23).
type codec struct{}

func (codec) Encode(_ time.Time, values map[string]any) ([]byte, error) {
	return values[valueKey].(*record).encode()
}

func (codec) Decode(value []byte) (time.Time, map[string]any, error) {
	rec := decode(value)
	if rec == nil {
		return time.Time{}, nil, errUnreadable
	}
	return rec.ExpiresAt, map[string]any{valueKey: rec}, nil
}
