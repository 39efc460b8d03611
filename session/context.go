package session

import "context"

type contextKey struct{}

// attached is what a context carries: a session, or the reason why it is not
// known whether there is one.
type attached struct {
	session *Session
	err     error
}

// FromContext returns the session of the request, if somebody is signed in.
// Where it says nobody is, Err tells whether that is certain.
func FromContext(ctx context.Context) (*Session, bool) {
	a, _ := ctx.Value(contextKey{}).(attached)
	return a.session, a.session != nil
}

// NewContext returns a context that carries s. Tests of handlers need no more
// than NewContext(ctx, &session.Session{User: …}).
func NewContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, contextKey{}, attached{session: s})
}

// Err tells why a request that came with a session cookie carries no session:
// nil where nobody is signed in, an ErrUnavailable where that could not be
// found out. A handler that treats strangers differently asks Err first, or
// sits behind Require, which does.
func Err(ctx context.Context) error {
	a, _ := ctx.Value(contextKey{}).(attached)
	return a.err
}

// NewErrContext returns a context for which Err returns err.
func NewErrContext(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, contextKey{}, attached{err: err})
}
