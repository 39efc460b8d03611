// Package middleware says who may pass: it attaches the session to a request
// and guards routes that need one.
//
// [Guard.Authenticate] goes around the whole application. It takes identity
// headers that a client made up out of the request, finds out who is signed in,
// renews what is due, and hands on; without a [Gate] it rejects nobody.
// [Guard.Require] and its siblings go around single routes and refuse, each for
// one reason. All of them are func(http.Handler) http.Handler, hand the
// application the very ResponseWriter they were given, and write nothing after
// the handler ran, so that streams, WebSockets and http.ResponseController need
// no care.
//
// A [Gate] is the other way to guard an application: one rule for everything,
// with a list of exceptions, as App Service has it.
//
// A request is signed in by the session cookie, by a session token in
// X-ZUMO-AUTH, or by an access token in Authorization. Only the cookie is sent by
// browsers whoever asks them to, so only behind it do pages of other sites not
// get to change anything.
//
// A request is refused in three different ways. Whoever is not signed in gets a
// redirect to the login, if a person is opening a page, and 401 otherwise. Where
// it cannot be found out who is signed in, because a store or a provider does
// not answer, it is 503: nobody is sent away to sign in for an outage. And who
// is signed in and not allowed gets 403.
package middleware
