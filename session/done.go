package session

import "context"

// Done returns a channel that is closed once the session has ended, so that a
// stream or a WebSocket of its user can end too: by a logout in any browser tab,
// by an administrator, by the provider, or because it ran out.
//
//	for {
//		select {
//		case <-s.Done(ctx):
//			return // signed out
//		case <-ctx.Done():
//			return // the client left
//		case m := <-messages:
//			send(m)
//		}
//	}
//
// It is closed within a moment where the store is a store.Watcher, as all of
// this house are, and within ten seconds where it is none. A store that is down closes
// nothing. Watching ends with ctx, or with Manager.Close; the channel then stays
// as it is, because neither says anything about the session. Calling Done again
// with the same ctx costs nothing, and any number of streams of one session
// share one watch.
//
// An open stream keeps neither an idle session alive nor an expired one: only
// requests do.
func (s *Session) Done(ctx context.Context) <-chan struct{} {
	if s.manager == nil {
		return nil // made by hand: it never ends
	}
	return s.manager.watches.join(ctx, s.ID)
}
