package session

import (
	"context"
	"errors"
	"net/http"

	"github.com/goeasyauth/easyauth/session/grant"
)

// lasts reports, as a grant.ErrSessionEnded, that the session is over. The
// grant's record outlives the session by a little, and a stream or a job asks
// for tokens long after its request: it must not go on with a session that is
// past its end. As long as the end is not near this costs nothing.
func (s *Session) lasts(ctx context.Context) error {
	if s.manager == nil || s.manager.keeper.Now().UnixNano() < s.end.Load() {
		return nil
	}
	now, err := s.manager.load(ctx, s.ID, sessionKey(s.ID))
	switch {
	case errors.Is(err, ErrNone):
		return grant.ErrSessionEnded
	case err != nil:
		return errors.Join(grant.ErrStore, err)
	}
	s.end.Store(now.end.Load()) // a request has renewed it
	return nil
}

// whileItLasts is the transport of a client that is of no use once the session
// is over.
type whileItLasts struct {
	session *Session
	inner   http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *whileItLasts) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.session.lasts(req.Context()); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	return t.inner.RoundTrip(req)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections through.
func (t *whileItLasts) CloseIdleConnections() {
	if c, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
