// Package middleware says who may pass: it attaches the session to a request
// and guards routes that need one.
//
// [Guard.Authenticate] goes around the whole application. It rejects nobody: it
// takes identity headers that a client made up out of the request, finds out who
// is signed in, renews what is due, and hands on. [Guard.Require] and its
// siblings go around single routes and refuse, each for one reason. All of them
// are func(http.Handler) http.Handler, hand the application the very
// ResponseWriter they were given, and write nothing after the handler ran, so
// that streams, WebSockets and http.ResponseController need no care.
//
// A request is refused in three different ways. Whoever is not signed in gets a
// redirect to the login, if a person is opening a page, and 401 otherwise. Where
// it cannot be found out who is signed in, because a store or a provider does
// not answer, it is 503: nobody is sent away to sign in for an outage. And who
// is signed in and not allowed gets 403.
package middleware
