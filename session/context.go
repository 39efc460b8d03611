package session

import "context"

// contextKey is the key of a *Session, or of the error why it is not known
// whether there is one.
type contextKey struct{}

// FromContext returns the session of the request, if somebody is signed in.
// Where it says nobody is, Err tells whether that is certain.
func FromContext(ctx context.Context) (*Session, bool) {
	s, ok := ctx.Value(contextKey{}).(*Session)
	return s, ok && s != nil
}

// NewContext returns a context that carries s. Tests of handlers need no more
// than NewContext(ctx, &session.Session{User: …}).
func NewContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, contextKey{}, s)
}

// Err tells why a request that came with a cookie or a token carries no session:
// nil where nobody is signed in, an ErrUnavailable where that could not be
// found out. A handler that treats strangers differently asks Err first, or
// sits behind Require, which does.
func Err(ctx context.Context) error {
	err, _ := ctx.Value(contextKey{}).(error)
	return err
}

// NewErrContext returns a context for which Err returns err.
func NewErrContext(ctx context.Context, err error) context.Context {
	return context.WithValue(ctx, contextKey{}, err)
}
